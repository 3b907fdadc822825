"""WebSockets: the browser's (session, same origin) and the agents' (a token of their own)."""

from __future__ import annotations

from calls.live.consumers import LiveConsumer
from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.urls import path

from calls.link.consumer import LinkConsumer

websocket = URLRouter(
    [
        path("live", AllowedHostsOriginValidator(AuthMiddlewareStack(LiveConsumer.as_asgi()))),
        path("agents/link", LinkConsumer.as_asgi()),
    ]
)
