"""Administration of the phone lines, and of which numbers may be dialled over them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext, gettext_lazy
from unfold.decorators import action
from unfold.widgets import (
    UnfoldAdminExpandableTextareaWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from calls.admin_base import RecordedAdmin
from calls.admin_fields import PhoneNumberField
from calls.events import Actor
from calls.kept_secrets import encrypt
from transfers import ring_pages, roster_services, validation
from transfers.models import DialRule, Trunk

KEPT = gettext_lazy(
    "One is set. It is kept encrypted and cannot be shown: type another to replace it, or leave this empty."
)
NONE_KEPT = gettext_lazy(
    "None is set: SIP_AUTH_PASSWORD is used. What you type is kept encrypted and cannot be shown again."
)


class HeadersField(forms.CharField):
    """One header a line: "X-Account: 7"."""

    widget = UnfoldAdminExpandableTextareaWidget

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(f"{name}: {text}" for name, text in value.items()) if isinstance(value, dict) else value

    def to_python(self, value: Any) -> Any:
        if isinstance(value, dict):
            return value
        headers = {}
        for line in (super().to_python(value) or "").splitlines():
            name, colon, text = line.partition(":")
            if line.strip() and not colon:
                raise forms.ValidationError(gettext("One header a line, for example X-Account: 7."))
            if line.strip():
                headers[name.strip()] = text.strip()
        return validation.sip_headers(headers)


class TrunkForm(forms.ModelForm):
    """The password can be set, replaced and forgotten, and never be read."""

    sip_number = PhoneNumberField(
        required=False,
        label=gettext_lazy("Number shown"),
        help_text=gettext_lazy("In E.164."),
        widget=UnfoldAdminTextInputWidget,
    )
    headers = HeadersField(
        required=False,
        label=gettext_lazy("SIP headers"),
        help_text=gettext_lazy("Sent with every call, one a line: X-Account: 7"),
    )

    new_password = forms.CharField(
        label=gettext_lazy("Password"),
        required=False,
        strip=False,
        max_length=128,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
    )
    forget_password = forms.BooleanField(
        label=gettext_lazy("Forget the password"), required=False, widget=UnfoldBooleanSwitchWidget
    )

    class Meta:
        model = Trunk
        fields = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kept = self.instance.auth_password
        if "new_password" in self.fields:  # not where the line is only looked at
            self.fields["new_password"].help_text = KEPT if self.kept else NONE_KEPT
            self.fields["forget_password"].disabled = not self.kept

    def clean(self) -> dict[str, Any]:
        """Sets the password of the instance, which is then checked with it."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        new, forget = given.get("new_password"), given.get("forget_password")
        if new:
            self.instance.auth_password = encrypt(new)
        elif forget or given.get("kind") == Trunk.Kind.STORED:
            self.instance.auth_password = ""
        elif self.kept and "hostname" in self.changed_data:
            self.add_error("new_password", gettext("Type it again: it was given for another host."))
        return given


@admin.register(Trunk)
class TrunkAdmin(RecordedAdmin):
    form = TrunkForm
    list_display = ("name", "kind", "trunk_id", "hostname", "sip_number", "is_default")
    actions_detail = ("ring",)
    fieldsets = (
        (None, {"fields": (("name", "is_default"), ("kind", "sip_number"))}),
        (gettext_lazy("Stored on LiveKit"), {"fields": ("trunk_id",)}),
        (
            gettext_lazy("Inline"),
            {
                "fields": (("hostname", "transport"), ("auth_username", "new_password"), "forget_password"),
            },
        ),
        (gettext_lazy("Both"), {"fields": ("headers",)}),
    )

    def save_model(self, request: HttpRequest, obj: Any, form: forms.ModelForm, change: bool) -> None:
        roster_services.save_trunk(obj, actor=Actor.of(request.user))

    @action(
        description=gettext_lazy("Ring a number"), icon="phone_in_talk", url_path="ring", permissions=("change",)
    )  # type: ignore[untyped-decorator]
    def ring(self, request: HttpRequest, object_id: str) -> HttpResponse:
        trunk = self.get_object(request, object_id)
        if trunk is None:
            raise Http404
        return ring_pages.of_trunk(self.admin_site, request, trunk)


@admin.register(DialRule)
class DialRuleAdmin(RecordedAdmin):
    """Without any rule every number may be dialled, but for emergency and premium-rate ones."""

    list_display = ("prefix", "per_hour", "note")
    fields = (("prefix", "per_hour"), "note")
