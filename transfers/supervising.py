"""Supervisors and managers: on whose side they are, in which room, who hears them, and what a take-over ends."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.utils.translation import gettext, gettext_noop

from calls.agents import protocol as p
from calls.errors import Refused
from calls.events import Actor
from calls.models import Call, Supervision
from calls.services import supervision
from calls.services.links import direct
from calls.states import CallerWith, SupervisionMode
from calls.telephony import tokens
from calls.telephony.hears import Party, Phase, who_hears
from transfers import merge, services
from transfers.models import Attempt, Transfer
from transfers.states import AttemptState, EndReason, TransferState
from transfers.waking import wake

PARTY = {
    SupervisionMode.LISTEN: Party.LISTENER,
    SupervisionMode.WHISPER: Party.WHISPERER,
    SupervisionMode.BARGE: Party.SUPERVISOR,
    SupervisionMode.TAKE_OVER: Party.SUPERVISOR,
}
ON_THE_LINE = (AttemptState.SUMMARIZING, AttemptState.MERGED)
NO_MANAGER = gettext_noop("No manager is on the line of this call now. Nothing was changed.")


# ── where, and heard by whom ─────────────────────────────────────────────────────────────────────


def manager_on_the_line(call_id: UUID) -> Attempt | None:
    """Whoever is being briefed, or talks to the caller."""
    there = Attempt.objects.filter(transfer__call=call_id, state__in=ON_THE_LINE)
    return there.select_related("transfer__call", "manager").order_by("-reserved_at").first()


def start(*, call_id: UUID, user: User, mode: SupervisionMode, consultation: bool, key: UUID) -> Supervision:
    """`consultation`: on the manager's side; only listening and whispering are. Raises Refused."""
    aside = consultation or mode == SupervisionMode.WHISPER
    if aside and mode not in (SupervisionMode.LISTEN, SupervisionMode.WHISPER):
        raise Refused(gettext("Only the caller's side can be joined or taken over. Nothing was changed."))
    attempt = manager_on_the_line(call_id) if aside else None
    if aside and attempt is None:
        raise Refused(gettext(NO_MANAGER))
    return supervision.start(
        call_id=call_id, user=user, mode=mode, key=key, attempt_id=attempt.pk if attempt else None
    )


def room_of(grant: Supervision) -> str:
    """Where they have to be now. A manager who was not relayed is with the caller once the two are joined."""
    if grant.attempt_id is None:
        return grant.call.room_name
    attempt = Attempt.objects.get(pk=grant.attempt_id)
    gone_over = attempt.state == AttemptState.MERGED and attempt.strategy != "relay"
    return grant.call.room_name if gone_over else attempt.consult_room


def token_for(grant: Supervision) -> str:
    """For two minutes, for the room where they have to be now."""
    return tokens.mint(grant.mode, room=room_of(grant), subject=str(grant.pk))  # type: ignore[arg-type]


def phase_of(grant: Supervision, attempt: Attempt | None) -> Phase:
    """The column of the table: for whoever is on the manager's side, by what the manager does."""
    if grant.attempt_id:
        return Phase.MERGED if attempt and attempt.state == AttemptState.MERGED else Phase.BRIEFING
    match CallerWith(grant.call.caller_with):
        case CallerWith.AI:
            return Phase.WITH_AI
        case CallerWith.MANAGER:
            return Phase.MERGED
        case CallerWith.SUPERVISOR:
            return Phase.TAKEN_OVER
    return Phase.BRIEFING if attempt and attempt.state == AttemptState.SUMMARIZING else Phase.ON_HOLD


def heard_by(grant: Supervision, attempt: Attempt | None) -> str:
    """In words, off the table of who hears whom. `attempt` is of the manager on the line."""
    mode = SupervisionMode(grant.mode)
    hearing = who_hears(PARTY[mode], phase_of(grant, attempt))
    manager = attempt.manager.name if attempt else gettext("The manager")
    if hearing == {Party.MANAGER}:
        return gettext("Only %(manager)s hears you.") % {"manager": manager}
    if Party.AI in hearing:
        return gettext("The caller hears you. The AI reads what you say.")
    if Party.MANAGER in hearing:
        return gettext("The caller and %(manager)s hear you.") % {"manager": manager}
    if Party.CALLER in hearing:
        alone = mode == SupervisionMode.TAKE_OVER or attempt is None
        return (
            gettext("Only the caller hears you.")
            if alone
            else gettext("The caller hears you; %(manager)s does not.") % {"manager": manager}
        )
    return gettext("Nobody hears you.")


# ── what is done about it ────────────────────────────────────────────────────────────────────────


def on_taken_over(*, call: Call, user: User, **_: Any) -> None:
    """What is under way is stopped, and who is joined is let go (`decide` sees whom the caller is with)."""
    for transfer in Transfer.objects.select_for_update(of=("self",)).filter(call=call):
        transfer.call = call
        if transfer.is_open:
            services.cancelled(transfer, EndReason.TAKEN_OVER, Actor.of(user), user)
        elif transfer.state == TransferState.MERGED:
            wake(transfer.pk)


def on_barging(*, grant: Supervision, on: bool, **_: Any) -> None:
    """Under `relay` the line has to carry them to the manager; elsewhere the manager is in their room."""
    for attempt in Attempt.objects.filter(transfer__call=grant.call_id, state__in=ON_THE_LINE, strategy="relay"):
        body = p.Barge(identity=grant.identity, on=on)
        direct(merge.line_job(attempt), f"barge:{grant.pk}:{'on' if on else 'off'}", body)
