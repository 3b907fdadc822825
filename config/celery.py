"""The worker's Celery app. Tasks are only hints: the clock finds all work in the database anyway."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from celery.signals import worker_ready

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# Whoever clicked waits for the publish after the commit: a dead or stalled Valkey may cost 100 ms, not more.
PUBLISH = {"socket_timeout": 0.1, "socket_connect_timeout": 0.1, "max_retries": 0, "retry_on_timeout": False}


class Hints(Celery):
    """Publishes with short limits, while the worker waits for messages with the settings' longer ones."""

    def connection_for_write(self, url: str | None = None, **options: Any) -> Any:
        limits = PUBLISH | (options.pop("transport_options", None) or {})
        return super().connection_for_write(url, transport_options=limits, **options)


app = Hints("patchbay")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.set_default()  # for the tasks of every thread; without it they look for a broker of Celery's own default


@worker_ready.connect
def beat_from_the_start(**_: object) -> None:
    """A worker is known to be there before it has had anything to do."""
    from calls.agents import tracing
    from calls.models import OwnerRole
    from calls.owners import own
    from config import metrics_port

    tracing.start("worker")
    metrics_port.serve()
    own(OwnerRole.WORKER)
