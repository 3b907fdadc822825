from __future__ import annotations

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand
from django.db import Error, connections

from calls import clock
from calls.agents import tracing
from calls.models import OwnerRole
from calls.owners import own
from config import metrics_port

TICK_SECONDS = 0.25


class Command(BaseCommand):
    help = "Polls deadlines and due effects every 250 ms, runs what no worker claimed, seals events."

    def handle(self, *args: Any, **options: Any) -> None:
        tracing.start("clock")
        metrics_port.serve()
        stop = threading.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: stop.set())
        while not stop.wait(TICK_SECONDS):
            try:
                clock.turn(own(OwnerRole.CLOCK))
            except Error as error:
                self.stderr.write(f"The database does not answer ({type(error).__name__}). Trying again.")
                connections.close_all()
                stop.wait(0.5)
