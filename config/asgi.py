from __future__ import annotations

import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

http = get_asgi_application()

from calls import webhook_app
from config import celery  # noqa: F401 - the hints' broker
from config.routing import websocket


async def pages_or_webhooks(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Webhooks do not stand in line with the pages."""
    await (webhook_app.app if webhook_app.is_webhook(scope) else http)(scope, receive, send)


application = ProtocolTypeRouter({"http": pages_or_webhooks, "websocket": websocket})
