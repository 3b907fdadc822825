from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from calls import health
from calls.health import Verdict
from calls.telephony import loop

MARKS = {Verdict.OK: "ok  ", Verdict.UNSURE: "?   ", Verdict.ILL: "ILL "}


class Command(BaseCommand):
    help = "Says of every part of the house that it is well, or what to do. Exits 1 if one is ill."

    def handle(self, *args: Any, **options: Any) -> None:
        checks = health.run_all()
        loop.run(loop.gateway().close())
        width = max(len(check.name) for check in checks)
        for check in checks:
            self.stdout.write(f"{MARKS[check.verdict]} {check.name:<{width}}  {check.says}")
            if check.do:
                self.stdout.write(f"     {'':<{width}}  → {check.do}")
        if not all(check.ok for check in checks):
            raise SystemExit(1)
