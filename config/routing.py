"""WebSockets: the browser's (session, same origin) and the agents' (a token of their own)."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.urls import path


def routes() -> list[Any]:
    live = consumer("calls.live.consumers", "LiveConsumer")
    link = consumer("calls.link.consumer", "LinkConsumer")
    found = []
    if live:
        found.append(path("live", AllowedHostsOriginValidator(AuthMiddlewareStack(live.as_asgi()))))
    if link:
        found.append(path("agents/link", link.as_asgi()))
    return found


def consumer(module: str, name: str) -> Any:
    """The consumer, or None while the module does not exist; a broken module is still an error."""
    try:
        return getattr(import_module(module), name)
    except ModuleNotFoundError as error:
        if error.name and module.startswith(error.name):
            return None
        raise


websocket = URLRouter(routes())
