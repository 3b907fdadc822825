from __future__ import annotations

import signal
import threading
from typing import Any

from django.conf import settings
from django.core.management import CommandError
from django.core.management.base import BaseCommand

from calls.demo_calls import Keeper
from calls.timing import now

LOOK_SECONDS = 1.0


class Command(BaseCommand):
    help = "Keeps three simulated callers on the line (demo only)."

    def handle(self, *args: Any, **options: Any) -> None:
        if not (settings.PATCHBAY_DEMO and settings.CARRIER_URL):
            raise CommandError("Patchbay: there is no carrier simulator here. It belongs to `make demo`.")
        stop = threading.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: stop.set())
        keeper = Keeper()
        while not stop.wait(LOOK_SECONDS):
            title = keeper.step(now())
            if title:
                self.stdout.write(f"Calls: {title}")
