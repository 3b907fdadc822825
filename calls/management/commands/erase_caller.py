from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from calls.errors import Refused
from calls.events import SYSTEM
from calls.services.retention import erase_caller
from calls.validation import phone_number


class Command(BaseCommand):
    help = "Erases all that was said in the calls of a number, and the number, because the person asks for it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("number", help="in E.164, for example +12025550144")
        parser.add_argument("--yes", action="store_true", help="do not ask: it cannot be undone")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            number = phone_number(options["number"])
        except ValidationError as error:
            raise CommandError(" ".join(error.messages), returncode=2) from error
        if not options["yes"] and input("This cannot be undone. Erase? [yes/no] ").strip().lower() != "yes":
            raise CommandError("Nothing was erased.", returncode=1)
        try:
            count = erase_caller(number, actor=SYSTEM)
        except Refused as refusal:
            raise CommandError(refusal.message, returncode=1) from refusal
        self.stdout.write(f"{count} calls were erased. Their events stay, without words, and the audit verifies.")
