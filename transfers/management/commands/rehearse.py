from __future__ import annotations

import json
import logging
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management import CommandError
from django.core.management.base import BaseCommand, CommandParser
from django.db import OperationalError

from transfers.rehearsal.errors import CannotRehearse
from transfers.rehearsal.report import Report, lines
from transfers.rehearsal.run import Options, rehearse
from transfers.rehearsal.scenarios import SCENARIOS, Break

NO_DATABASE = "The database does not answer. Is the product running? `make demo` or `make start`"


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Only our own lines are printed, and whoever ends us lets the caller hang up first."""
    root = logging.getLogger()
    level, ended = root.level, signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(level)
        signal.signal(signal.SIGTERM, ended)


class Command(BaseCommand):
    help = (
        "Places a test call through the running product, escalates it, and judges by what each party hears. "
        "Ends with 0 if all is well, else with 1."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        known = "; ".join(f"{s.name}: {s.about}" for s in SCENARIOS.values())
        parser.add_argument("--scenario", choices=list(SCENARIOS), default="accepts", metavar="NAME", help=known)
        parser.add_argument("--trunk", choices=("stored", "inline"), default="", help="default: as other calls go")
        parser.add_argument("--number", default="", help="a real phone, which is called")
        parser.add_argument("--wav", type=Path, metavar="DIR", help="keep what each party heard")
        parser.add_argument(
            "--break", dest="broken", choices=list(Break), help="put in a fault; it has to be found"
        )
        parser.add_argument(
            "--agent", default="", metavar="NAME", help="somebody's own agent answers: see docs/agents.md"
        )
        parser.add_argument("--all", action="store_true", help="every scenario, one after the other")
        parser.add_argument("--list", action="store_true", help="the scenarios, and how each has to end")
        parser.add_argument("--json", action="store_true", help="one JSON object a line; progress on stderr")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["list"]:
            for scenario in SCENARIOS.values():
                self.stdout.write(f"{scenario.name:<20} the manager {scenario.about}")
            return
        names = list(SCENARIOS) if options["all"] else [options["scenario"]]
        went_well = [self._one(name, options) for name in names]
        if not all(went_well):
            sys.exit(1)

    def _one(self, scenario: str, options: dict[str, Any]) -> bool:
        """One rehearsal, told; whether it went well."""
        progress = self.stderr if options["json"] else self.stdout
        wanted = Options(
            scenario=scenario,
            trunk=options["trunk"],
            number=options["number"],
            wav=options["wav"],
            broken=Break(options["broken"]) if options["broken"] else None,
            agent=options["agent"],
        )
        try:
            with _undisturbed():
                report = rehearse(wanted, lambda line: progress.write(line))
        except (CannotRehearse, OperationalError) as error:
            why = str(error) if isinstance(error, CannotRehearse) else NO_DATABASE
            if not options["json"]:
                raise CommandError(f"Patchbay: {why}") from None
            report = Report(wanted.scenario, problems=[why])
        self._tell(report, as_json=options["json"])
        return report.ok

    def _tell(self, report: Report, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(report.as_json(), default=str))
            return
        for line in lines(report):
            self.stdout.write(line)
