"""Administration of the webhooks that go out: where to, what was sent, and sending it again."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Max, Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext, gettext_lazy, ngettext
from unfold.admin import ModelAdmin, TabularInline
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminTextInputWidget

from calls.admin_base import Plain, RecordedAdmin
from calls.admin_secrets import show_once
from calls.events import Actor
from calls.models import Department, WebhookMessage, WebhookTarget, WebhookTry
from calls.outgoing import catalogue, health
from calls.outgoing import messages as outgoing
from calls.services import webhook_targets
from calls.timing import now


class TargetForm(forms.ModelForm):
    types = forms.MultipleChoiceField(
        choices=catalogue.choices,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        label=gettext_lazy("Is told when"),
    )

    class Meta:
        model = WebhookTarget
        fields = ("name", "url", "types", "every_department", "departments", "with_content", "enabled")


class SinceForm(forms.Form):
    since = forms.DateTimeField(
        label=gettext_lazy("Since (UTC)"),
        widget=UnfoldAdminTextInputWidget(attrs={"type": "datetime-local", "step": "1"}),
        help_text=gettext_lazy(
            "Everything that happened from then on is sent, with the same ids as the first time."
        ),
    )


@admin.register(WebhookTarget)
class WebhookTargetAdmin(RecordedAdmin):
    form = TargetForm
    list_display = ("name", "url", "told", "stands", "waiting", "arrived")
    fieldsets = (
        (None, {"fields": (("name", "enabled"), "url", "with_content")}),
        (gettext_lazy("Events"), {"fields": ("types",)}),
        (gettext_lazy("Where"), {"fields": ("every_department", "departments")}),
    )
    actions = ("send_test", "send_since", "new_secret")

    def get_queryset(self, request: HttpRequest) -> QuerySet[WebhookTarget]:
        return super().get_queryset(request).annotate(last_arrived=Max("messages__sent_at"))

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        kwargs |= {
            "queryset": Department.objects.real(),
            "widget": UnfoldAdminCheckboxSelectMultipleWidget(),
        }
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Model, form: forms.ModelForm, change: bool) -> None:
        assert isinstance(obj, WebhookTarget)
        actor = Actor.of(request.user)
        if change:
            webhook_targets.save(obj, actor=actor)
        else:
            obj.secret = webhook_targets.make(obj, actor=actor)  # type: ignore[attr-defined]

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> HttpResponse:
        return show_once(
            self, request, title=gettext("The secret of %(name)s") % {"name": obj.name}, secret=obj.secret
        )

    @admin.action(description=gettext_lazy("Send a test message"), permissions=["change"])
    def send_test(self, request: HttpRequest, queryset: QuerySet[WebhookTarget]) -> None:
        for target in queryset:
            outgoing.send_test(target)
        self.message_user(request, gettext("It is sent in a moment: look under Webhook messages."))

    @admin.action(description=gettext_lazy("Send all since …"), permissions=["change"])
    def send_since(self, request: HttpRequest, queryset: QuerySet[WebhookTarget]) -> HttpResponse | None:
        form = SinceForm(request.POST if "since" in request.POST else None)
        if form.is_valid():
            since = form.cleaned_data["since"].replace(tzinfo=UTC)
            count = sum(outgoing.send_all_since(target, since) for target in queryset)
            words = ngettext(
                "%(count)s message is sent (again) now.", "%(count)s messages are sent (again) now.", count
            )
            self.message_user(request, words % {"count": count})
            return None
        if not form.is_bound:
            form = SinceForm(initial={"since": f"{now() - timedelta(hours=1):%Y-%m-%dT%H:%M:%S}"})
        context = self.admin_site.each_context(request) | {
            "opts": self.model._meta,
            "title": gettext("Send all since …"),
            "form": form,
            "targets": queryset,
        }
        return TemplateResponse(request, "admin/send_since.html", context)

    @admin.action(description=gettext_lazy("Make a new secret"), permissions=["change"])
    def new_secret(self, request: HttpRequest, queryset: QuerySet[WebhookTarget]) -> HttpResponse | None:
        if queryset.count() != 1:
            self.message_user(request, gettext("Choose one: its secret is shown once."), messages.WARNING)
            return None
        target = queryset.get()
        secret = webhook_targets.new_secret(target, actor=Actor.of(request.user))
        return show_once(
            self, request, title=gettext("The new secret of %(name)s") % {"name": target.name}, secret=secret
        )

    @admin.display(description=gettext_lazy("Events"))
    def told(self, target: WebhookTarget) -> str:
        return gettext("%(chosen)s of %(all)s") % {"chosen": len(target.types), "all": len(catalogue.choices())}

    @admin.display(description=gettext_lazy("State"))
    def stands(self, target: WebhookTarget) -> str:
        if not target.enabled:
            return gettext("switched off: nothing arrived") if target.gave_up_at else gettext("switched off")
        if target.failing_since:
            return gettext("failing since %(time)s") % {"time": f"{target.failing_since:%-d %b, %H:%M}"}
        return gettext("well")

    @admin.display(description=gettext_lazy("Waiting"))
    def waiting(self, target: WebhookTarget) -> int:
        return target.messages.exclude(state__in=(outgoing.State.SENT, outgoing.State.GIVEN_UP)).count()

    @admin.display(description=gettext_lazy("Last arrived"))
    def arrived(self, target: Any) -> Any:
        return target.last_arrived


class TryInline(Plain, TabularInline):
    model = WebhookTry
    extra = 0
    can_delete = False
    fields = ("at", "status", "error", "took_ms")
    readonly_fields = fields


@admin.register(WebhookMessage)
class WebhookMessageAdmin(ModelAdmin):
    """What was sent and how each try went; it can be sent again, not changed."""

    inlines = (TryInline,)
    list_display = ("type", "target", "state", "tries", "due_at", "sent_at", "created_at")
    list_filter = ("state", "target", "type")
    list_select_related = ("target", "event")
    list_per_page = 50
    show_full_result_count = False
    ordering = ("-created_at",)
    fields = ("target", "type", "webhook_id", "state", "tries", "due_at", "sent_at", "created_at")
    readonly_fields = fields
    actions = ("send_again",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: WebhookMessage | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: WebhookMessage | None = None) -> bool:
        return False

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("calls.change_webhooktarget"))

    @admin.action(description=gettext_lazy("Send again"), permissions=["replay"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[WebhookMessage]) -> None:
        count = outgoing.send_again(queryset.values_list("pk", flat=True))
        words = ngettext("%(count)s is sent again now.", "%(count)s are sent again now.", count)
        self.message_user(request, words % {"count": count})


def warn_of_targets(request: HttpRequest) -> None:
    """On every page of the administration: who is told of nothing any more, or soon will be."""
    if request.user.has_perm("calls.change_webhooktarget"):
        for target in health.troubled():
            messages.warning(request, health.trouble_of(target))
