from __future__ import annotations

import json
from ipaddress import ip_network
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management import CommandError
from django.core.management.base import BaseCommand, CommandParser
from django.db import OperationalError

from calls import webhook_trip
from calls.events import SYSTEM
from calls.health import Check
from calls.telephony import loop
from calls.telephony.gateway import GatewayError
from calls.telephony.setup import Item, PhoneLine, Plan, State, apply, plan
from calls.validation import phone_number
from transfers.phone_line import keep_trunk, line_of_settings
from transfers.validation import host_and_port

INCOMPLETE = 2
DONE = {State.CREATE: "created", State.UPDATE: "updated"}  # what was planned, when it is there
NO_DATABASE = "The database does not answer. Is the product running? `make start`"


class Command(BaseCommand):
    help = (
        "What LiveKit needs for phone calls. `plan` shows what is there and what is missing, `apply` makes it, "
        "`webhooks` tries whether LiveKit's webhooks come here. Nothing that Patchbay did not make is changed. "
        "Ends with 0 if all is there, with 2 if something is missing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=("plan", "apply", "webhooks"))
        parser.add_argument("--json", action="store_true", help="one JSON object")
        out = parser.add_argument_group("outbound: how managers are called (the password: SIP_AUTH_PASSWORD)")
        out.add_argument("--host", default="", help="the carrier's host[:port]; default: SIP_TRUNK_HOSTNAME")
        out.add_argument(
            "--number", action="append", default=[], metavar="+1…", help="shown to managers; default: SIP_NUMBER"
        )
        out.add_argument("--username", default="", help="the carrier's log-in; default: SIP_AUTH_USERNAME")
        out.add_argument("--new-password", action="store_true", help="set it, whatever LiveKit has")
        out.add_argument("--outbound-trunk", default="", metavar="ST_…", help="use this one as it is")
        into = parser.add_argument_group("inbound: how callers come in")
        into.add_argument(
            "--inbound-number",
            action="append",
            default=[],
            metavar="+1…",
            help="that callers dial, besides the departments' numbers",
        )
        into.add_argument(
            "--allow", action="append", default=[], metavar="ADDRESS", help="take calls from these addresses only"
        )
        into.add_argument("--inbound-trunk", default="", metavar="ST_…", help="use this one as it is")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            gateway = loop.gateway()
            try:
                complete = self._webhooks(options) if options["action"] == "webhooks" else self._set_up(options)
            finally:
                loop.run(gateway.close())
        except GatewayError as error:
            raise CommandError(f"Patchbay: LiveKit's phone line could not be read or set up. {error}") from None
        except OperationalError:
            raise CommandError(f"Patchbay: {NO_DATABASE}") from None
        if not complete:
            raise SystemExit(INCOMPLETE)

    # ── what is done ─────────────────────────────────────────────────────────────────────────────

    def _set_up(self, options: dict[str, Any]) -> bool:
        planned = loop.run(plan(loop.gateway(), _wanted(options)))
        if options["action"] == "plan":
            self._tell(planned, planned, options, None)
            return not planned.missing
        made = loop.run(apply(loop.gateway(), planned), within_s=60)
        trunk = keep_trunk(made, actor=SYSTEM)
        tried = webhook_trip.check()
        self._tell(made, planned, options, tried)
        if trunk and not options["json"]:
            default = ", the default" if trunk.is_default else ""
            self.stdout.write(f"In Patchbay: phone line “{trunk}”{default}.")
        return not made.missing and tried.ok

    def _webhooks(self, options: dict[str, Any]) -> bool:
        tried = webhook_trip.check()
        if options["json"]:
            self.stdout.write(json.dumps({"webhooks": _webhooks(tried)}))
        else:
            self._tell_webhooks(tried)
        return tried.ok

    # ── what is told ─────────────────────────────────────────────────────────────────────────────

    def _tell(self, made: Plan, planned: Plan, options: dict[str, Any], tried: Check | None) -> None:
        if options["json"]:
            told = {
                "complete": not made.missing,
                "parts": [_as_json(item) for item in made.items],
                "others": [_as_json(item) for item in made.others],
                "webhooks": _webhooks(tried),
            }
            self.stdout.write(json.dumps(told))
            return
        for item, before in zip(made.items, planned.items, strict=True):
            there = item.state == State.EXISTS
            self.stdout.write(_told(item, DONE.get(before.state, item.state) if there else item.state))
            if item.do:
                self.stdout.write(f"{'':<14}→ {item.do}")
        for item in made.others:
            self.stdout.write(f"{State.NOT_OURS:<14}{item.part:<16}“{item.name}” ({item.id}), left alone")
        self._tell_webhooks(tried)
        changes = [item for item in made.items if item.state in (State.CREATE, State.UPDATE)]
        if changes:
            self.stdout.write(f"`manage.py telephony apply` with the same options does it: {len(changes)} of 3.")

    def _tell_webhooks(self, tried: Check | None) -> None:
        if tried is None:
            self.stdout.write(f"{'not tried':<14}{'webhooks':<16}to {webhook_trip.url()}")
            self.stdout.write(f"{'':<14}→ `manage.py telephony webhooks` tries them; `apply` does, too.")
            return
        self.stdout.write(f"{'arrive' if tried.ok else 'missing':<14}{'webhooks':<16}{tried.says}")
        if tried.do:
            self.stdout.write(tried.do)


def _told(item: Item, state: str) -> str:
    named = f"“{item.name}”" + (f" ({item.id})" if item.id else "") if item.name else ""
    return f"{state:<14}{item.part:<16}" + ": ".join(part for part in (named, item.says) if part)


def _as_json(item: Item) -> dict[str, str]:
    return {
        "part": item.part,
        "state": item.state,
        "id": item.id,
        "name": item.name,
        "says": item.says,
        "do": item.do,
    }


def _webhooks(tried: Check | None) -> dict[str, Any]:
    """`arrive` is null where they were not tried."""
    return {
        "url": webhook_trip.url(),
        "arrive": tried.ok if tried else None,
        "says": tried.says if tried else "",
        "do": tried.do if tried else "",
    }


def _wanted(options: dict[str, Any]) -> PhoneLine:
    """Raises CommandError with what is wrong about an option."""
    logs_in = options["username"] or options["new_password"] or settings.SIP_AUTH_USERNAME
    if logs_in and not settings.SIP_AUTH_PASSWORD:
        raise CommandError("Patchbay: SIP_AUTH_PASSWORD is not set, and the carrier's log-in needs it.")
    try:
        return line_of_settings(
            address=host_and_port(options["host"]) if options["host"] else "",
            shown_numbers=tuple(phone_number(one) for one in options["number"]),
            dialled_numbers=tuple(phone_number(one) for one in options["inbound_number"]),
            username=options["username"],
            password_is_new=options["new_password"],
            allowed_addresses=tuple(_address(one) for one in options["allow"]),
            outbound_id=options["outbound_trunk"],
            inbound_id=options["inbound_trunk"],
        )
    except ValidationError as error:
        raise CommandError(f"Patchbay: {' '.join(error.messages)}") from None


def _address(text: str) -> str:
    """An IP address or a network of them. Raises ValidationError."""
    try:
        ip_network(text, strict=False)
    except ValueError:
        raise ValidationError(
            f"--allow takes an IP address or a network like 203.0.113.0/24, not “{text}”."
        ) from None
    return text
