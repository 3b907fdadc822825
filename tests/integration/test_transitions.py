"""The writers refuse what the tables do, and a refusal writes nothing."""

from __future__ import annotations

import pytest

from calls.models import Call, Event
from calls.services.calls import end_call, move_caller
from calls.states import CallerWith, CallState, IllegalTransition
from tests import rows
from tests.unit.test_states import BEHIND, ILLEGAL
from transfers.models import Attempt, Transfer
from transfers.states import OPEN_ATTEMPT, AttemptState, TransferState
from transfers.writing import move_attempt, move_transfer

pytestmark = pytest.mark.django_db


@pytest.fixture
def made() -> Transfer:
    return rows.transfer(rows.call(rows.department("Billing")), TransferState.REQUESTED)


@pytest.mark.parametrize(("source", "target"), ILLEGAL, ids=str)
def test_an_illegal_move_of_a_transfer_is_refused(
    made: Transfer, source: TransferState, target: TransferState
) -> None:
    Transfer.objects.filter(pk=made.pk).update(state=source)
    made.refresh_from_db()
    before = Event.objects.count()
    with pytest.raises(IllegalTransition):
        move_transfer(made, target)
    made.refresh_from_db()
    assert (made.state, Event.objects.count()) == (source, before)


@pytest.mark.parametrize(("source", "target"), BEHIND, ids=str)
def test_a_late_fact_moves_no_attempt_back(made: Transfer, source: AttemptState, target: AttemptState) -> None:
    who = rows.manager("Dana", *([made.department] if made.department else []))
    attempt: Attempt = rows.attempt(made, who, source)
    before = Event.objects.count()
    assert move_attempt(attempt, target) is False
    attempt.refresh_from_db()
    assert (attempt.state, Event.objects.count()) == (source, before)


def test_a_move_is_a_compare_and_set(made: Transfer) -> None:
    stale = Transfer.objects.get(pk=made.pk)
    move_transfer(made, TransferState.QUEUED)
    with pytest.raises(IllegalTransition, match="meanwhile"):
        move_transfer(stale, TransferState.CANCELLED)


def test_a_legal_move_is_one_event_and_a_new_version(made: Transfer) -> None:
    version = made.version
    move_transfer(made, TransferState.QUEUED)
    event = Event.objects.get(type="transfer.moved")
    assert event.facts == {"from_state": "requested", "to_state": "queued", "end_reason": ""}
    assert made.version == version + 1


@pytest.mark.parametrize("to", [state for state in AttemptState if state not in OPEN_ATTEMPT])
def test_an_attempt_s_end_is_stamped(made: Transfer, to: AttemptState) -> None:
    source = AttemptState.MERGED if to == AttemptState.ENDED else AttemptState.DIALING
    attempt = rows.attempt(made, rows.manager("Dana"), source)
    assert move_attempt(attempt, to)
    assert attempt.ended_at


def test_a_call_that_has_ended_goes_to_nobody() -> None:
    call = rows.call(None)
    assert end_call(call, reason="caller_left")
    assert not end_call(call, reason="caller_left")
    with pytest.raises(IllegalTransition):
        move_caller(call, CallerWith.HOLD)
    assert Call.objects.get().state == CallState.INACTIVE
    assert Event.objects.filter(type="call.ended").count() == 1


def test_a_caller_is_moved_once_and_by_who_saw_them_last() -> None:
    call = rows.call(None)
    stale = Call.objects.get(pk=call.pk)
    assert move_caller(call, CallerWith.HOLD)
    assert not move_caller(call, CallerWith.HOLD)
    with pytest.raises(IllegalTransition, match="meanwhile"):
        move_caller(stale, CallerWith.SUPERVISOR)
