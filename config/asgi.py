from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

http = get_asgi_application()

from config.celery import app as celery_app
from config.routing import websocket

celery_app.set_default()
application = ProtocolTypeRouter({"http": http, "websocket": websocket})
