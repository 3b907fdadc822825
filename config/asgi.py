from __future__ import annotations

import gc
import os
import sys
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application
from django.urls import get_resolver

http = get_asgi_application()

from calls import metrics, speaking, webhook_app
from calls.agents import tracing
from calls.pacing import paced
from calls.probe_app import Probes
from config import (
    celery,  # noqa: F401 - the hints' broker
    env,
)
from config.routing import websocket

# A webhook asks the database twenty times, and waits each time for the thread that computes, of a page or of rows.
SWITCH_SECONDS = 0.001

tracing.start("web")
metrics.watch_the_house()
speaking.prepare()
probes = Probes(boot=env.text("PATCHBAY_BOOT"), token=env.text("METRICS_TOKEN"))


async def pages_or_machines(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Neither webhooks nor probes stand in line with the pages."""
    if webhook_app.is_webhook(scope):
        await webhook_app.app(scope, receive, send)
    else:
        await (probes if probes.answers(scope) else http)(scope, receive, paced(send))


application = ProtocolTypeRouter({"http": pages_or_machines, "websocket": websocket})

sys.setswitchinterval(SWITCH_SECONDS)
get_resolver().url_patterns  # noqa: B018 - loads every page's code, or the first who comes would wait for it
gc.collect()
gc.freeze()  # nothing of this will go: to look through all of it held everything up for a fifth of a second
