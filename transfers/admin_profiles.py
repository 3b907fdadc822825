"""A profile is edited beside a past call: how that would be briefed, as the form stands, saved or not."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST

from calls import parsed
from calls.admin import ProfileAdmin
from calls.display import caller_name
from calls.events import Actor
from calls.models import AgentProfile
from calls.services.reading import was_read
from transfers import profile_preview
from transfers.access import Lens, lens_of
from transfers.models import Transfer

admin.site.unregister(AgentProfile)


@admin.register(AgentProfile)
class ProfileBesideCallsAdmin(ProfileAdmin):
    change_form_outer_after_template = "admin/profiles/beside.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.briefing))
        own = path("<int:profile_id>/briefing/", view, name="calls_agentprofile_briefing")
        return [own, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().change_view(
            request, object_id, form_url, (extra_context or {}) | self._beside(request, object_id)
        )

    def _beside(self, request: HttpRequest, object_id: str) -> dict[str, Any]:
        """What the page's part needs; nothing where this profile cannot be edited, or its calls not be read."""
        profile = self.get_object(request, object_id)
        lens = lens_of(request.user)
        if profile is None or not self._may(request, profile, lens):
            return {}
        found = profile_preview.past(lens, profile)[: profile_preview.OFFERED]
        choices = [(transfer.pk, _label(transfer, lens)) for transfer in found]
        return {"beside": {"choices": choices, "has_model": profile_preview.has_model()}}

    def _may(self, request: HttpRequest, profile: AgentProfile, lens: Lens) -> bool:
        return self.has_change_permission(request, profile) and lens.sight.transcript

    def briefing(self, request: HttpRequest, profile_id: int) -> HttpResponse:
        """POST the profile's form with `past`, a transfer's id; `seen` is the one that is shown already."""
        profile = get_object_or_404(AgentProfile.objects.select_related("department"), pk=profile_id)
        lens = lens_of(request.user)
        if not self._may(request, profile, lens):
            raise PermissionDenied
        chosen = parsed.uuid(request.POST.get("past", ""))
        if chosen is None:
            return HttpResponse()
        transfer = get_object_or_404(profile_preview.past(lens, profile), pk=chosen)
        if request.POST.get("seen") != str(chosen):
            was_read(Actor.of(request.user), transfer.call_id, "profile")
        form = self.get_form(request, profile, change=True)(request.POST, instance=profile)
        context: dict[str, Any] = {"transfer": transfer, "form": form}
        if form.is_valid():
            context["preview"] = profile_preview.preview(transfer, form.instance)
        return render(request, "admin/profiles/_beside.html", context)


def _label(transfer: Transfer, lens: Lens) -> str:
    """Nothing of what was said."""
    caller = caller_name(transfer.call, lens.sight)
    return f"{transfer.requested_at:%-d %b %Y, %H:%M} UTC · {caller} · {transfer.get_end_reason_display()}"
