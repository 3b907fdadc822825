"""The administration's pages for ringing a number: ask, then see how it goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.contrib.admin import AdminSite
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy
from unfold.widgets import UnfoldAdminTextInputWidget

from calls.admin_fields import PhoneNumberField
from calls.errors import Refused
from transfers import rings
from transfers.models import Endpoint, Ring, Trunk


class KeyForm(forms.Form):
    """A click that comes twice is one ring."""

    key = forms.UUIDField(widget=forms.HiddenInput)


class NumberForm(KeyForm):
    number = PhoneNumberField(
        label=gettext_lazy("Number to ring"),
        help_text=gettext_lazy("Your own phone, for example; with its country code: +12025550100."),
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "tel", "autocomplete": "tel"}),
    )


def of_trunk(site: AdminSite, request: HttpRequest, trunk: Trunk) -> HttpResponse:
    """Whoever may change the line may try it: the caller has checked."""
    form = NumberForm(request.POST or None, initial={"key": uuid4()})
    sent = _sent(form, lambda given: rings.ring_number(user=_person(request), trunk=trunk, **given))
    told = gettext(
        "Over “%(trunk)s”. It is rung once, at most %(seconds)s s, and hung up as soon as it is answered."
    ) % {"trunk": trunk, "seconds": rings.RING_S}
    back = reverse("admin:transfers_trunk_change", args=(trunk.pk,))
    return sent or _page(site, request, form, told=told, back=back)


def of_endpoint(site: AdminSite, request: HttpRequest, endpoint: Endpoint) -> HttpResponse:
    """Whoever may change the manager may: the caller has checked."""
    form = KeyForm(request.POST or None, initial={"key": uuid4()})
    sent = _sent(form, lambda given: rings.ring_endpoint(user=_person(request), endpoint=endpoint, **given))
    told = gettext(
        "%(manager)s's %(kind)s %(address)s is rung once, at most "
        "%(seconds)s s, and hung up as soon as it is answered. An extension is not dialled."
    ) % {
        "manager": endpoint.manager,
        "kind": endpoint.get_kind_display().lower(),
        "address": endpoint.address,
        "seconds": endpoint.ring_time_s,
    }
    back = reverse("admin:transfers_manager_change", args=(endpoint.manager_id,))
    return sent or _page(site, request, form, told=told, back=back)


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # nobody else gets here
    return request.user


def _sent(form: forms.Form, ask: Callable[[dict[str, Any]], Ring]) -> HttpResponse | None:
    """On to the result; None where nothing was asked, and the form says why not."""
    if not form.is_valid():
        return None
    try:
        made = ask(form.cleaned_data)
    except Refused as refused:
        form.add_error(None, refused.message)
        return None
    return HttpResponseRedirect(reverse("admin:transfers_ring", args=(made.pk,)))


def _page(site: AdminSite, request: HttpRequest, form: forms.Form, *, told: str, back: str) -> HttpResponse:
    context = site.each_context(request) | {
        "title": gettext("Ring a number"),
        "form": form,
        "told": told,
        "back": back,
    }
    return render(request, "admin/rings/ask.html", context, status=422 if form.errors else 200)


def result(site: AdminSite, request: HttpRequest, ring_id: UUID) -> HttpResponse:
    """For whoever asked, and administrators. `?seen=STATE` asks for what is new: 204 while nothing is."""
    ring = get_object_or_404(Ring.objects.select_related("trunk", "endpoint__manager"), pk=ring_id)
    if ring.asked_by_id != request.user.pk and not request.user.has_perm("transfers.change_trunk"):
        raise PermissionDenied
    context = {"ring": ring, "words": rings.words(ring), "status": rings.status(ring)}
    seen = request.GET.get("seen")
    if seen is not None:
        if seen == ring.state:
            return HttpResponse(status=204)
        return render(request, "admin/rings/_result.html", context)
    whole = site.each_context(request) | context | {"title": gettext("How the ring goes"), "again": _again(ring)}
    return render(request, "admin/rings/result.html", whole)


def _again(ring: Ring) -> str:
    """Where to ask once more; empty if what was tried is gone."""
    if ring.endpoint:
        return reverse("admin:transfers_endpoint_ring", args=(ring.endpoint.manager_id, ring.endpoint.pk))
    return reverse("admin:transfers_trunk_ring", args=(ring.trunk.pk,)) if ring.trunk else ""
