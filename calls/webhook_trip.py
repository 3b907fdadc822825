"""A webhook's signed round trip: a short-lived room on the server, and its webhook stored by this console."""

from __future__ import annotations

import json
import secrets
import time
from contextlib import suppress
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext, gettext_noop

from calls.health import Check, Verdict
from calls.models import WebhookDelivery
from calls.telephony import loop
from calls.telephony.gateway import Dispatch, GatewayError
from calls.webhook_app import PATH

NAME = gettext_noop("Webhook trip")
WITHIN_S = 10.0
LOOK_EVERY_S = 0.1
EMPTY_TIMEOUT_S = 20
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def nobody() -> Dispatch:
    """Without a dispatch by name, a worker without a name, whoever's it is, would join the room."""
    return Dispatch(f"{settings.AGENT_NAME}-nobody")


def round_trip(*, within_s: float) -> float | None:
    """Seconds until this console had stored the room's webhook; None if it did not come. Raises GatewayError.

    Only a webhook that is signed with our key, and that a console with this database receives, is stored.
    """
    gateway, name, began = loop.gateway(), f"check-{secrets.token_hex(6)}", time.monotonic()
    metadata = json.dumps({"patchbay": settings.PATCHBAY_INSTALLATION, "kind": "check"})
    loop.run(gateway.create_room(name, metadata=metadata, empty_timeout_s=EMPTY_TIMEOUT_S, dispatches=(nobody(),)))
    try:
        stored = WebhookDelivery.objects.filter(room_name=name, type="room_started")
        while not stored.exists():
            if time.monotonic() - began > within_s:
                return None
            time.sleep(LOOK_EVERY_S)
        return time.monotonic() - began
    finally:
        with suppress(GatewayError):  # the server closes it by itself, too
            loop.run(gateway.delete_room(name))


def check() -> Check:
    """For `doctor --webhooks` and `telephony`: not among the others, because it makes a room."""
    try:
        took_s = round_trip(within_s=WITHIN_S)
    except GatewayError as error:
        return Check(
            gettext(NAME),
            Verdict.ILL,
            gettext("LiveKit made no room to try it with: %(error)s.") % {"error": error},
            gettext("See LiveKit above."),
        )
    if took_s is None:
        says = gettext("LiveKit made a room, and no webhook of it came here within %(within_s)g s.") % {
            "within_s": WITHIN_S
        }
        return Check(
            gettext(NAME),
            Verdict.ILL,
            says,
            gettext("Put this into livekit.yaml:\n\n%(settings_to_make)s\n\n%(advice)s")
            % {"settings_to_make": settings_to_make(), "advice": advice()},
        )
    return Check(
        gettext(NAME), Verdict.OK, gettext("A signed one came back after %(took_s).1f s.") % {"took_s": took_s}
    )


def url() -> str:
    """Where LiveKit is to send them."""
    return f"{settings.PATCHBAY_CONSOLE_URL.rstrip('/') or 'https://<this console>'}{PATH}"


def settings_to_make() -> str:
    """What livekit.yaml needs. The key's name is no secret; its secret stays where it is."""
    return f"webhook:\n  api_key: {settings.LIVEKIT_API_KEY}\n  urls:\n    - {url()}"


def advice() -> str:
    """What else it may be."""
    lines = [
        gettext(
            "On LiveKit Cloud: Settings, Webhooks, that URL and that key. "
            "If the console's log says “webhook refused”, LiveKit signs with another key."
        )
    ]
    here = urlsplit(settings.PATCHBAY_CONSOLE_URL).hostname in LOOPBACK
    if here and urlsplit(settings.LIVEKIT_URL).hostname not in LOOPBACK:
        lines.append(
            gettext(
                "PATCHBAY_CONSOLE_URL is an address of this machine alone: "
                "name one that LiveKit can reach in the URL."
            )
        )
    return "\n".join(lines)
