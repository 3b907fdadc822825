from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from transfers.models import MeasuredTransfer
from transfers.reports import measure


class Command(BaseCommand):
    help = "Says how many transfers the reports count, or counts all of them anew from what is recorded."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--rebuild", action="store_true", help="measure and count all of them anew")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["rebuild"]:
            measure.rebuild(self._told)
            self.stdout.write("")
        self.stdout.write(
            f"The reports count {MeasuredTransfer.objects.count()} transfers; {measure.waiting()} that are over "
            "are not measured yet. The clock measures them; rehearsals are not counted."
        )

    def _told(self, done: int) -> None:
        self.stdout.write(f"\r{done} transfers are looked at", ending="")
        self.stdout.flush()
