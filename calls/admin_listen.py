"""Texts that callers hear can be listened to where they are edited: as they stand in the form, saved or not."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from unfold.widgets import UnfoldAdminExpandableTextareaWidget

from calls import speaking
from calls.errors import Refused
from calls.models import AgentProfile

MAY = ("calls.change_department", "calls.change_agentprofile")  # who edits such texts
SOMEBODY = "Dana"  # whom an introduction names


class SpokenWidget(UnfoldAdminExpandableTextareaWidget):
    """A text with a button that speaks it."""

    class Media:
        js: ClassVar[tuple[str, ...]] = ("js/words.js", "js/listen.js")

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        field = name.rpartition("-")[2].replace("_", " ")
        return super().render(name, value, attrs, renderer) + button(what=gettext("the %s") % gettext(field))


def button(*, what: str, of: str = "") -> SafeString:
    """Speaks the text of the element with the id `of`, else of the one before; `what` is how it is called."""
    attrs = {
        "type": "button",
        "data-of": of,
        "data-what": what,
        "data-url": reverse("admin:calls_listen"),
        "aria-label": gettext("Listen to %(what)s") % {"what": what},
    }
    return render_to_string("admin/widgets/listen.html", {"attrs": attrs})


def listen(request: HttpRequest) -> HttpResponse:
    """POST `text`: its sound as audio/wav, or 422 with the words that say why not. Nothing is kept of it."""
    if not any(request.user.has_perm(permission) for permission in MAY):
        raise PermissionDenied
    try:
        sound = speaking.wav_of(AgentProfile(introduction=request.POST.get("text", "")).introducing(SOMEBODY))
    except Refused as refused:
        return HttpResponse(refused.message, status=422, content_type="text/plain; charset=utf-8")
    return HttpResponse(sound, content_type="audio/wav")
