from __future__ import annotations

import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

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
