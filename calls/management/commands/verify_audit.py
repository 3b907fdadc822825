from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from calls.audit import chain, heads, keys, runs


class Command(BaseCommand):
    help = "Verifies the audit chain and its signed heads. Exits 1 at the first row that is not as it was sealed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--heads",
            type=Path,
            metavar="FILE",
            help="also compare with heads that were kept elsewhere (AUDIT_HEADS_FILE)",
        )
        parser.add_argument("--public-key", action="store_true", help="print the key that signs heads, and end")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["public_key"]:
            self.stdout.write(keys.public_key().hex())
            return
        kept = _kept(options["heads"]) if options["heads"] else []
        verdict = _verify(kept)
        if verdict.broken:
            raise CommandError(f"{verdict.broken.words}\nThe record before it is as it was sealed.", returncode=1)
        words = f"{verdict.seals:,} links verify, and {verdict.heads:,} signed heads fit them."
        erased = f" The words of {verdict.erased:,} events were erased, as events say." if verdict.erased else ""
        self.stdout.write(f"{words}{erased}\nThe newest link: {verdict.digest.hex()}")


def _verify(kept: list[heads.Kept]) -> chain.Verdict:
    """With a bar where somebody watches."""
    bar = Progress(
        TextColumn("Verifying"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
        transient=True,
    )
    with bar:
        task = bar.add_task("", total=None)
        return runs.audit(told=lambda done, of: bar.update(task, completed=done, total=of), kept=kept)


def _kept(path: Path) -> list[heads.Kept]:
    try:
        return list(heads.read(path.read_text().splitlines()))
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.", returncode=2) from error
    except ValueError as error:
        raise CommandError(f"{path}: {error}.", returncode=2) from error
