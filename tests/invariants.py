"""What must hold after every story, whatever happened in it (`faults.md`, I1 to I6)."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from calls.models import Call, Event
from calls.states import CALL_TRANSITIONS, STATE_OF, CallerWith, CallState
from calls.telephony.memory import MemoryGateway
from transfers.models import Attempt, Transfer
from transfers.states import (
    ATTEMPT_TRANSITIONS,
    LIVE_TRANSFER,
    OPEN_ATTEMPT,
    OPEN_TRANSFER,
    TRANSFER_TRANSITIONS,
    AttemptState,
    TransferState,
)


def check(server: MemoryGateway) -> None:
    """Raises AssertionError with what is broken."""
    _one_of_each()
    _one_dial_an_attempt(server)
    for call in Call.objects.all():
        _path(call.pk, "call.moved", CALL_TRANSITIONS, CallState)
        _caller_is_somewhere(call)
    for transfer in Transfer.objects.all():
        states = _path(transfer.pk, "transfer.moved", TRANSFER_TRANSITIONS, TransferState)
        assert not states or states[-1] == transfer.state
        _ended_is_ended(transfer)
    for attempt in Attempt.objects.all():
        _path(attempt.pk, "attempt.moved", ATTEMPT_TRANSITIONS, AttemptState)


def _one_of_each() -> None:
    open_transfers = Counter(Transfer.objects.filter(state__in=OPEN_TRANSFER).values_list("call_id", flat=True))
    open_attempts = Counter(Attempt.objects.filter(state__in=OPEN_ATTEMPT).values_list("manager_id", flat=True))
    assert max(open_transfers.values(), default=0) <= 1
    assert max(open_attempts.values(), default=0) <= 1


def _one_dial_an_attempt(server: MemoryGateway) -> None:
    assert max(Counter(dial.identity for dial in server.dials).values(), default=0) <= 1


def _path(subject: object, type: str, table, states):  # type: ignore[no-untyped-def]
    """The states that the record tells of; each is reached from the one before, by the table."""
    field = {"call.moved": "call_id", "transfer.moved": "transfer_id", "attempt.moved": "attempt_id"}[type]
    moves = [(e.facts["from_state"], e.facts["to_state"]) for e in _events(field, subject, type)]
    for source, target in moves:
        assert source == target or target in table[states(source)], f"{type}: {source} → {target}"
    for (_, here), (there, _) in pairwise(moves):
        assert here == there, f"{type}: {here} was followed by a move from {there}"
    return [target for _, target in moves]


def _events(field: str, subject: object, type: str) -> list[Event]:
    return list(Event.objects.filter(**{field: subject}, type=type).order_by("seq"))


def _caller_is_somewhere(call: Call) -> None:
    """Whoever is held is held for a transfer, and whoever talks to a manager is merged with one."""
    if call.state == CallState.INACTIVE:
        return
    assert call.state == STATE_OF[CallerWith(call.caller_with)]
    newest = Transfer.objects.filter(call=call).order_by("-requested_at", "-pk").first()
    if call.caller_with == CallerWith.HOLD:
        assert newest
        assert newest.state in OPEN_TRANSFER or newest.parked_at
    if call.caller_with == CallerWith.MANAGER:
        assert newest
        assert newest.state == TransferState.MERGED


def _ended_is_ended(transfer: Transfer) -> None:
    if transfer.state in LIVE_TRANSFER:
        return
    assert transfer.end_reason
    assert transfer.ended_at
    assert not Attempt.objects.filter(transfer=transfer, state__in=OPEN_ATTEMPT).exists()
