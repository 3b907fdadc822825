"""Who logs in and out, and who tries to, as events of the record."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db import transaction

from calls.events import SYSTEM, Actor, EventBody, LoggedIn, LoggedOut, LogInFailed, record

NAME = 150  # what was typed as a name may be anything


def register() -> None:
    user_logged_in.connect(_in, dispatch_uid="record")
    user_logged_out.connect(_out, dispatch_uid="record")
    user_login_failed.connect(_failed, dispatch_uid="record")


def _record(body: EventBody, actor: Actor, **payload: str) -> None:
    with transaction.atomic():
        record(body, actor=actor, payload=payload)


def _in(user: AbstractBaseUser, **_: Any) -> None:
    _record(LoggedIn(), Actor.of(user))


def _out(user: AbstractBaseUser | None, **_: Any) -> None:
    if user is not None:
        _record(LoggedOut(), Actor.of(user))


def _failed(credentials: dict[str, Any], **_: Any) -> None:
    """What was typed can be erased like a name: some type their password there."""
    _record(LogInFailed(), SYSTEM, name=str(credentials.get("username", ""))[:NAME])
