"""Who asks: the key of the request, whether it may, and how often."""

from __future__ import annotations

from django.http import HttpRequest
from ninja.security import HttpBearer

from calls.models import ApiKey
from calls.services import api_keys
from calls.timing import now
from transfers.access import Lens, lens_of_key
from transfers.api.problems import Problem
from transfers.api.rate import Rate, take


class KeyRequest(HttpRequest):
    """A request behind `Needs`: the framework puts the key there."""

    auth: ApiKey
    rate: Rate | None


class Needs(HttpBearer):
    """A key with at least one of these scopes."""

    def __init__(self, *scopes: str) -> None:
        super().__init__()
        self.scopes = scopes

    def authenticate(self, request: HttpRequest, token: str) -> ApiKey | None:
        key = api_keys.recognised(token)
        if key is None:
            return None
        _in_force(key)
        rate = take(key)
        request.rate = rate  # type: ignore[attr-defined]  # see KeyRequest
        if rate and not rate.allowed:
            raise Problem(
                429,
                "too-many",
                f"This key may send {rate.quota} requests a minute. Wait {rate.ends_in_s} s; nothing was changed.",
                retry_after_s=rate.ends_in_s,
            )
        if not set(self.scopes) & set(key.scopes):
            raise Problem(
                403,
                "scope-missing",
                f"This key may not do that: it needs the scope {' or '.join(self.scopes)}. An administrator can "
                "give it. Nothing was changed.",
            )
        api_keys.used(key)
        return key


def _in_force(key: ApiKey) -> None:
    if key.revoked_at:
        raise Problem(401, "key-revoked", "This key was revoked. Ask an administrator for a new one.")
    if key.expires_at and key.expires_at <= now():
        raise Problem(401, "key-expired", "This key has expired. Ask an administrator for a new one.")


def lens(request: KeyRequest) -> Lens:
    return lens_of_key(request.auth)
