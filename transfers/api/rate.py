"""How many requests a key has left: counted in Valkey for all web processes. Without Valkey nobody is counted."""

from __future__ import annotations

import logging
import math
import time
from dataclasses import dataclass
from functools import cache

from django.conf import settings
from limits import RateLimitItemPerMinute
from limits.storage import RedisStorage
from limits.strategies import FixedWindowRateLimiter
from redis import RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from calls.models import ApiKey

logger = logging.getLogger(__name__)

PATIENCE_SECONDS = 0.1  # whoever asks waits for the count
WINDOW_SECONDS = 60


@dataclass(frozen=True)
class Rate:
    """`left` requests in the present window, which ends in `ends_in_s`."""

    allowed: bool
    quota: int
    left: int
    ends_in_s: int

    @property
    def headers(self) -> dict[str, str]:
        """As the IETF's draft of RateLimit header fields has them."""
        return {
            "RateLimit-Policy": f'"key";q={self.quota};w={WINDOW_SECONDS}',
            "RateLimit": f'"key";r={self.left};t={self.ends_in_s}',
        }


@cache
def _limiter(url: str) -> FixedWindowRateLimiter:
    """One client a process; it connects at its first use."""
    storage = RedisStorage(
        url,
        key_prefix=f"patchbay:{settings.PATCHBAY_INSTALLATION}:api",
        socket_timeout=PATIENCE_SECONDS,
        socket_connect_timeout=PATIENCE_SECONDS,
        retry=Retry(NoBackoff(), 0),  # type: ignore[arg-type]  # it goes to the client as it is
    )
    return FixedWindowRateLimiter(storage)


def take(key: ApiKey) -> Rate | None:
    """Count one request; None while Valkey is away."""
    item = RateLimitItemPerMinute(key.per_minute)
    try:
        limiter = _limiter(settings.VALKEY_URL)
        allowed = limiter.hit(item, str(key.pk))
        ends_at, left = limiter.get_window_stats(item, str(key.pk))
    except RedisError as error:
        logger.warning("a request was not counted", extra={"error": type(error).__name__})
        return None
    return Rate(allowed, key.per_minute, left, max(1, math.ceil(ends_at - time.time())))
