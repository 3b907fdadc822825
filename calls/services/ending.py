"""Ending a call because a person says so."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils.translation import gettext

from calls.agents.protocol import End, Role
from calls.errors import Refused
from calls.events import Actor
from calls.models import Call
from calls.services.calls import end_call, locked
from calls.services.links import direct, live_job
from calls.states import CallerWith

GOODBYE = "I have to end this call now. Thank you for calling, goodbye."
LINGER = timedelta(seconds=5)  # long enough for the goodbye


def end_by_person(*, call_id: UUID, user: AbstractBaseUser, caller_with: str | None = None) -> Call:
    """End it once. With the AI the caller hears a goodbye first; otherwise everyone is hung up at once.

    `caller_with`: whom they saw the caller with. Raises Refused if that is somebody else by now.
    """
    with transaction.atomic():
        call = locked(call_id)
        if not call.is_live:
            if call.end_reason == "supervisor":
                return call  # the second half of a double click
            raise Refused(gettext("The call has ended already. Your click changed nothing."))
        if caller_with not in (None, call.caller_with):
            raise Refused(
                gettext(
                    "The caller is with somebody else by now, so nothing was ended. Look again before you end it."
                )
            )
        talking = call.caller_with == CallerWith.AI
        if talking:
            direct(live_job(call.pk, Role.SUPPORT), f"end:{call.pk}", End(words=GOODBYE))
        end_call(call, reason="supervisor", actor=Actor.of(user), linger=LINGER if talking else timedelta(0))
        return call
