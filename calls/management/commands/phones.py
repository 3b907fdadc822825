from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from calls.telephony.simulator.numbers import PHONES


class Command(BaseCommand):
    help = "Lists the carrier simulator's numbers and what each does when it is dialled."

    def handle(self, *args: Any, **options: Any) -> None:
        number = max(len(phone.number) for phone in PHONES)
        scenario = max(len(phone.scenario) for phone in PHONES)
        for phone in PHONES:
            self.stdout.write(f"{phone.number:<{number}}  {phone.scenario:<{scenario}}  {phone.about}")
        self.stdout.write("")
        self.stdout.write("Any other number is not in service (404). sip:<scenario>@… behaves as that scenario.")
