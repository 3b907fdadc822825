"""What a page of the console may load and where it may send: nothing but itself and LiveKit."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import override


def policy() -> str:
    """The Content-Security-Policy. A swimlane's place is an inline style; no script is inline."""
    host = urlsplit(settings.LIVEKIT_URL).netloc
    livekit = " ".join(f"{scheme}://{host}" for scheme in ("ws", "wss", "http", "https")) if host else ""
    return "; ".join(
        (
            "default-src 'self'",
            "script-src 'self'",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data:",
            "media-src 'self' blob:",
            "worker-src 'self' blob:",
            f"connect-src 'self' {livekit}".strip(),
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


class EnglishForPrograms:
    """The API speaks English, whatever language people have here. After what chooses theirs."""

    sync_capable = True
    async_capable = False

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith("/api/"):
            return self.get_response(request)
        with override("en"):
            return self.get_response(request)


class ContentSecurityPolicy:
    """On every page but the administration's, whose kit needs inline scripts."""

    sync_capable = True
    async_capable = False

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.policy = policy()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self.get_response(request)
        if not request.path.startswith("/admin/"):
            answer.headers.setdefault("Content-Security-Policy", self.policy)
        return answer
