from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

http = get_asgi_application()

from config import celery  # noqa: F401 - the hints' broker
from config.routing import websocket

application = ProtocolTypeRouter({"http": http, "websocket": websocket})
