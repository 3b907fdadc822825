"""A rehearsal with a manager: a supervisor is the caller, the manager's own phone is rung, and teaches its keys.

Its call is a rehearsal of no department (`Call.is_practice`): it counts in no report, changes nothing of the
manager's presence, and whatever happens in it, nobody else is called.
"""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext

from calls.errors import Refused
from calls.models import Call
from calls.services.calls import locked
from calls.telephony import tokens
from transfers.desk_presence import can_ring
from transfers.models import Attempt, Endpoint, Manager, Transfer
from transfers.requests import request_practice
from transfers.roster import cannot_be_reached
from transfers.states import OPEN_ATTEMPT


def phone_of(manager: Manager) -> Endpoint | None:
    """What is rung: their first phone; None where it is their desk. Raises Refused if nothing can be."""
    if not manager.active:
        raise Refused(
            gettext("%(name)s is not active, so nobody is rung. An administrator can change that.")
            % {"name": manager.name}
        )
    if Attempt.objects.filter(manager=manager, state__in=OPEN_ATTEMPT).exists():
        raise Refused(
            gettext("%(name)s is with a caller now. Rehearse with them when that is over.")
            % {"name": manager.name}
        )
    phone: Endpoint | None = manager.endpoints.exclude(kind=Endpoint.Kind.BROWSER).first()
    if phone is None and not can_ring(manager.pk):
        raise Refused(
            gettext("%(name)s cannot be rung: %(why)s. Nobody was called.")
            % {"name": manager.name, "why": gettext(cannot_be_reached(manager))}
        )
    return phone


def begin(manager: Manager) -> tokens.BrowserCaller:
    """A room for the supervisor's browser. Nobody is rung before it is there. Raises Refused."""
    phone_of(manager)
    return tokens.browser_caller(department="", rehearsal=True)


def ring(*, call_id: UUID, key: UUID, manager: Manager, user: User) -> Transfer:
    """Have them rung, once for each such call; the same `key` is the same click. Raises Refused."""
    with transaction.atomic():
        call: Call = locked(call_id)
        again = Transfer.objects.filter(request_key=key, call=call).first()
        if again:
            return again
        if not (call.is_practice and call.is_live):
            raise Refused(gettext("This rehearsal is over, so nobody is rung. Begin another one."))
        if Transfer.objects.filter(call=call).exists():
            raise Refused(gettext("In this rehearsal somebody was rung already. Hang up and begin another one."))
        return request_practice(call=call, key=key, manager=manager, endpoint=phone_of(manager), user=user)
