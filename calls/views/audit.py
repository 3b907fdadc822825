"""The auditor's page: has the chain verified, and says what came of it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from calls.audit import keys, runs
from calls.models import AuditHead, AuditRun, Event, Seal
from calls.timing import now
from calls.views.pages import acts, done, page, user_of

VERIFY = "calls.verify_audit"
SHOWN = 10
NEAR = 5000


@require_GET
@acts(VERIFY)
def audit(request: HttpRequest) -> HttpResponse:
    """The page asks again every second while a verification is under way."""
    found = list(AuditRun.objects.select_related("asked_by")[:SHOWN])
    newest = found[0] if found else None
    under_way = newest is not None and newest.ended_at is None and newest.told_at > now() - runs.SILENT
    sealed = Seal.objects.order_by("-seq").first()
    context = {
        "runs": found,
        "newest": newest,
        "newest_digest": bytes(newest.digest).hex() if newest else "",
        "under_way": under_way,
        "sealed": sealed,
        "waiting": _waiting(sealed),
        "head": AuditHead.objects.order_by("-seq").first(),
        "public_key": keys.public_key().hex(),
    }
    return page(request, "calls/audit.html", context)


def _waiting(sealed: Seal | None) -> int:
    """Events that are not sealed yet; near the chain's end, for it is long."""
    behind = max(0, sealed.event_id - NEAR) if sealed else 0
    return Event.objects.filter(seq__gt=behind, seal=None).count()


@require_POST
@acts(VERIFY)
def verify(request: HttpRequest) -> HttpResponse:
    runs.ask(user_of(request))
    answer = done(gettext("The verification has begun. Its progress is on this page."))
    answer["HX-Refresh"] = "true"
    return answer


@require_GET
@acts(VERIFY)
def kept_heads(request: HttpRequest) -> HttpResponse:
    """Every signed head, to be kept elsewhere: `verify_audit --heads` reads it."""
    from calls.audit.heads import line

    text = "".join(line(head) + "\n" for head in AuditHead.objects.order_by("seq"))
    return HttpResponse(
        text,
        content_type="application/jsonl; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="patchbay-heads.jsonl"'},
    )
