from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from calls import health, webhook_trip
from calls.health import Verdict
from calls.telephony import loop

MARKS = {Verdict.OK: "ok  ", Verdict.UNSURE: "?   ", Verdict.ILL: "ILL "}


class Command(BaseCommand):
    help = "Says of every part of the house that it is well, or what to do. Exits 1 if one is ill."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--webhooks", action="store_true", help="make a room for a moment, and wait for its webhook"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        checks = [*health.run_all(), *([webhook_trip.check()] if options["webhooks"] else [])]
        loop.run(loop.gateway().close())
        width = max(len(check.name) for check in checks)
        for check in checks:
            self.stdout.write(f"{MARKS[check.verdict]} {check.name:<{width}}  {check.says}")
            if check.do:
                self.stdout.write(f"     {'':<{width}}  → {check.do}")
        if not all(check.ok for check in checks):
            raise SystemExit(1)
