"""Whether somebody who may decide has a page open: by rows in the database, so that Valkey may be lost."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction

from calls.access import scope_of
from calls.models import Call, OpenPage
from calls.services.calls import touched
from calls.services.watch import web_was_there
from calls.timing import now

RENEW_SECONDS = 4.0
GRACE = timedelta(seconds=10)  # a page that is loaded again, or a browser that was offline for a moment
FORGET_AFTER = timedelta(minutes=1)
MODEL_BACKEND = "django.contrib.auth.backends.ModelBackend"


def page_open(page_id: UUID, user_id: int, call_id: UUID | None = None) -> None:
    """A live socket's beat, with the call it shows. Its closing is no fact of its own: it is not renewed."""
    OpenPage.objects.update_or_create(
        pk=page_id, defaults={"user_id": user_id, "seen_at": now(), "call_id": call_id}
    )


def page_closed(page_id: UUID) -> None:
    OpenPage.objects.filter(pk=page_id).delete()


def told(call_id: UUID) -> None:
    """Somebody began or ceased to look at a call: its pages say who does."""
    with transaction.atomic():
        call = Call.objects.select_for_update(of=("self",)).filter(pk=call_id).first()
        if call and call.is_live:
            touched(call)


def watched_calls() -> frozenset[UUID]:
    """The calls whose pages are open now."""
    pages = OpenPage.objects.filter(seen_at__gt=now() - GRACE, call_id__isnull=False)
    return frozenset(filter(None, pages.values_list("call_id", flat=True)))


def lookers(call_id: UUID) -> tuple[str, ...]:
    """Who has this call open now, by account name."""
    pages = OpenPage.objects.filter(call_id=call_id, seen_at__gt=now() - GRACE)
    return tuple(sorted(set(pages.values_list("user__username", flat=True))))


def anybody_may(permission: str, *, departments: Collection[int | None]) -> bool:
    """Whether an account with `permission` that sees one of `departments` has, or just had, a page open.

    Without a web process nobody can be seen, and that proves nothing: then somebody is assumed.
    """
    if not web_was_there():
        return True
    seen = OpenPage.objects.filter(seen_at__gt=now() - GRACE).values("user_id")
    able = User.objects.with_perm(permission, backend=MODEL_BACKEND).filter(pk__in=seen)
    return any(scope_of(user).covers(department) for user in able for department in departments)


def forget_closed() -> None:
    OpenPage.objects.filter(seen_at__lt=now() - FORGET_AFTER).delete()
