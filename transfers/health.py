"""What `transfers` checks of the house: the phone line that managers are dialled over, and how they are joined."""

from __future__ import annotations

from django.conf import settings
from django.utils.translation import gettext

from calls import health
from calls.health import Check, Verdict
from calls.kept_secrets import Unreadable, decrypt
from calls.telephony import loop
from calls.telephony.gateway import GatewayError
from transfers import merge
from transfers.models import Trunk
from transfers.rehearsal import nightly


def trunk() -> Check:
    unreadable = [one.name for one in Trunk.objects.exclude(auth_password="") if not _readable(one)]
    if unreadable:
        does = gettext("The password of “%(name)s” cannot be read: its calls are refused by the carrier.") % {
            "name": unreadable[0]
        }
        do = gettext(
            "The key is another (PATCHBAY_SECRET_KEY, PATCHBAY_ENCRYPTION_KEYS). Type the password again."
        )
        return Check(gettext("Trunk"), Verdict.ILL, does, do)
    row = Trunk.objects.filter(is_default=True).first()
    if row is None:
        if settings.SIP_TRUNK_ID:
            return _stored("SIP_TRUNK_ID", settings.SIP_TRUNK_ID)
        if settings.SIP_TRUNK_HOSTNAME and settings.SIP_NUMBER:
            return Check(
                gettext("Trunk"),
                Verdict.OK,
                gettext("Inline, from the settings: %(host)s.") % {"host": settings.SIP_TRUNK_HOSTNAME},
            )
        do = gettext(
            "Add a trunk in the admin and make it the default, or set SIP_TRUNK_ID or SIP_TRUNK_HOSTNAME."
        )
        return Check(
            gettext("Trunk"), Verdict.ILL, gettext("There is none: no manager can be rung on a phone."), do
        )
    if row.kind == Trunk.Kind.INLINE:
        if row.hostname and row.sip_number:
            return Check(
                gettext("Trunk"),
                Verdict.OK,
                gettext("“%(name)s”, inline to %(hostname)s.") % {"name": row.name, "hostname": row.hostname},
            )
        return Check(
            gettext("Trunk"),
            Verdict.ILL,
            gettext("“%(name)s” is incomplete.") % {"name": row.name},
            gettext("Give it a host name and a number."),
        )
    return _stored(f"“{row.name}”", row.trunk_id)


def _readable(trunk: Trunk) -> bool:
    try:
        return bool(decrypt(trunk.auth_password))
    except Unreadable:
        return False


def _stored(name: str, trunk_id: str) -> Check:
    try:
        known = loop.run(loop.gateway().list_outbound_trunks(), within_s=5)
    except (GatewayError, TimeoutError):
        return Check(
            gettext("Trunk"),
            Verdict.UNSURE,
            gettext("%(name)s is stored on LiveKit, which could not be asked.") % {"name": name},
            "",
        )
    if any(info.id == trunk_id for info in known):
        return Check(gettext("Trunk"), Verdict.OK, gettext("%(name)s, stored on LiveKit.") % {"name": name})
    do = gettext("Make the outbound trunk on LiveKit again and put its id here.")
    return Check(
        gettext("Trunk"),
        Verdict.ILL,
        gettext("%(name)s names a trunk that LiveKit does not have.") % {"name": name},
        do,
    )


def merge_strategy() -> Check:
    return Check(gettext("Merge strategy"), Verdict.OK, f"{merge.why()}.")


def register() -> None:
    health.register("Trunk", trunk)
    health.register("Merge strategy", merge_strategy)
    health.register(nightly.NAME, nightly.check)
