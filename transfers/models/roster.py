"""The roster: who can be called, how, and when."""

from __future__ import annotations

from collections.abc import Collection

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext, gettext_lazy, gettext_noop
from uuid6 import uuid7

from calls.models import Call, Department
from calls.validation import of_field, phone_number
from transfers import dialling, validation
from transfers.models.dialling import DialRule

MAX_RING_S = 75  # a self-hosted server caps a waiting dial at 80 s


class Presence(models.TextChoices):
    AVAILABLE = "available", gettext_lazy("Available")
    AWAY = "away", gettext_lazy("Away")
    WRAPPING_UP = "wrapping_up", gettext_lazy("Wrapping up")


class Trunk(models.Model):
    """The phone line that managers are dialled over: stored on LiveKit, or inline with every dial.

    The password of an inline trunk is kept encrypted; without one it is read from SIP_AUTH_PASSWORD.
    """

    class Kind(models.TextChoices):
        STORED = "stored", gettext_lazy("Stored on LiveKit")
        INLINE = "inline", gettext_lazy("Inline")

    class Transport(models.TextChoices):
        AUTO = "auto", gettext_lazy("Auto")
        UDP = "udp", "UDP"
        TCP = "tcp", "TCP"
        TLS = "tls", "TLS"

    name = models.CharField(max_length=80, unique=True)
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.STORED)
    trunk_id = models.CharField(gettext_lazy("stored trunk id"), max_length=64, blank=True)
    hostname = models.CharField(max_length=200, blank=True)
    transport = models.CharField(max_length=4, choices=Transport, default=Transport.AUTO)
    auth_username = models.CharField(max_length=80, blank=True)
    auth_password = models.TextField(
        gettext_lazy("password"),
        blank=True,
        default="",
        editable=False,
        help_text=gettext_lazy("Encrypted: see calls.kept_secrets."),
    )
    sip_number = models.CharField(
        gettext_lazy("number shown"), max_length=16, blank=True, help_text=gettext_lazy("In E.164.")
    )
    headers = models.JSONField(
        default=dict, blank=True, help_text=gettext_lazy("Extra SIP headers, name to value.")
    )
    is_default = models.BooleanField(default=False)

    class Meta:
        ordering = ("name",)
        constraints = (
            models.UniqueConstraint(
                fields=("is_default",), condition=models.Q(is_default=True), name="one_default_trunk"
            ),
        )

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        stored = self.kind == self.Kind.STORED
        if stored and not self.trunk_id:
            raise ValidationError({"trunk_id": gettext("A stored trunk needs its id on LiveKit (ST_…).")})
        if not stored and not self.hostname:
            raise ValidationError({"hostname": gettext("An inline trunk needs the host name of the phone line.")})
        if not stored and not self.sip_number:
            raise ValidationError({"sip_number": gettext("An inline trunk needs the number that it calls from.")})
        if self.auth_password and (stored or not self.auth_username):
            raise ValidationError(
                gettext("A password is kept for an inline trunk with a user name: forget it, or name one.")
            )
        if self.hostname:
            with of_field("hostname"):
                self.hostname = validation.host_and_port(self.hostname)
        if self.sip_number:
            with of_field("sip_number"):
                self.sip_number = phone_number(self.sip_number)
        with of_field("headers"):
            self.headers = validation.sip_headers(self.headers)

    def validate_constraints(self, exclude: Collection[str] | None = None) -> None:
        """Not that only one is the default: the service moves that from the old one to the new."""
        super().validate_constraints(exclude={*(exclude or ()), "is_default"})


class Manager(models.Model):
    """A person who can take a caller. Needs no account: a phone is enough."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=80)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="manager"
    )
    departments = models.ManyToManyField(Department, related_name="managers")
    priority = models.PositiveSmallIntegerField(default=1, help_text=gettext_lazy("Lower is called first."))
    active = models.BooleanField(default=True)
    presence = models.CharField(max_length=12, choices=Presence, default=Presence.AVAILABLE)
    presence_since = models.DateTimeField(null=True, blank=True)
    presence_reason = models.CharField(max_length=80, blank=True)
    presence_until = models.DateTimeField(null=True, blank=True)
    last_call_ended_at = models.DateTimeField(null=True, blank=True)
    misses = models.PositiveSmallIntegerField(default=0, help_text=gettext_lazy("Unanswered calls in a row."))
    pin = models.CharField(
        max_length=128,
        blank=True,
        help_text=gettext_lazy("Hashed: makes them available by a call from their own phone."),
    )
    guest = models.BooleanField(
        default=False, help_text=gettext_lazy("On no roster: an agent's code named their number.")
    )
    version = models.PositiveBigIntegerField(default=1)

    class Meta:
        ordering = ("priority", "name")
        permissions = (("set_presence", gettext_noop("Can set anyone's presence, with a reason")),)

    def __str__(self) -> str:
        return self.name


class PinEntry(models.Model):
    """The keys that a manager has pressed in a call from their own phone."""

    call = models.OneToOneField(Call, on_delete=models.CASCADE, primary_key=True, related_name="+")
    manager = models.ForeignKey(Manager, on_delete=models.CASCADE, related_name="+")
    digits = models.CharField(max_length=32, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)

    def __str__(self) -> str:
        return f"Keys in {self.call_id}"


class Endpoint(models.Model):
    """One way to reach a manager, in order."""

    class Kind(models.TextChoices):
        PHONE = "phone", gettext_lazy("Phone")
        SIP_URI = "sip_uri", gettext_lazy("SIP address")
        BROWSER = "browser", gettext_lazy("Browser")

    manager = models.ForeignKey(Manager, on_delete=models.CASCADE, related_name="endpoints")
    position = models.PositiveSmallIntegerField(default=1)
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.PHONE)
    address = models.CharField(
        max_length=200,
        blank=True,
        help_text=gettext_lazy("+12025550100 or sip:dana@example.com; empty for a browser."),
    )
    dtmf = models.CharField(
        gettext_lazy("extension"),
        max_length=32,
        blank=True,
        help_text=gettext_lazy("Keys pressed after the answer, w is a pause of 0.5 s: wwww1234#."),
    )
    ring_time_s = models.PositiveSmallIntegerField(
        gettext_lazy("ring time (s)"), default=25, validators=(MinValueValidator(5), MaxValueValidator(MAX_RING_S))
    )
    trunk = models.ForeignKey(
        Trunk, on_delete=models.PROTECT, null=True, blank=True, help_text=gettext_lazy("Empty: the default trunk.")
    )
    headers = models.JSONField(
        default=dict, blank=True, help_text=gettext_lazy("SIP headers besides the trunk's.")
    )

    class Meta:
        ordering = ("manager", "position")

    def __str__(self) -> str:
        return gettext("%(kind)s of %(manager)s") % {"kind": self.get_kind_display(), "manager": self.manager}

    def clean(self) -> None:
        self.clean_address()
        why = dialling.refusal(self.address, DialRule.objects.all())
        if why:
            raise ValidationError(
                {"address": gettext("This number is not dialled: %(words)s.") % {"words": why.words}}
            )

    def clean_address(self) -> None:
        """What it is, without asking whether the dialling rules allow it."""
        if self.kind == self.Kind.BROWSER:
            if self.address or self.dtmf or self.trunk_id:
                raise ValidationError(
                    gettext("A browser has no address, no extension and no trunk: leave them empty.")
                )
            return
        with of_field("address"):
            phone = self.kind == self.Kind.PHONE
            self.address = phone_number(self.address) if phone else validation.sip_uri(self.address)
        with of_field("dtmf"):
            self.dtmf = validation.dtmf_digits(self.dtmf)
