"""Rows as the API gives them, each with what the key's sight allows."""

from __future__ import annotations

from calls.access import Sight
from calls.agents.protocol import Speaker
from calls.display import caller_name
from calls.models import Call, Utterance
from calls.states import CallerWith, CallState
from transfers.api import schemas
from transfers.models import Attempt, Presence, Transfer
from transfers.people import Person
from transfers.selectors import facts_of
from transfers.states import AttemptState, EndReason, Outcome, TransferState
from transfers.words import sentence


def call_view(call: Call, sight: Sight) -> schemas.Call:
    return schemas.Call(
        id=call.pk,
        state=CallState(call.state),
        caller_with=CallerWith(call.caller_with),
        caller_since=call.caller_since,
        caller=caller_name(call, sight),
        source=Call.Source(call.source),
        department_id=call.department_id,
        rehearsal=call.rehearsal,
        started_at=call.started_at,
        ended_at=call.ended_at,
        end_reason=call.end_reason,
        version=call.version,
    )


def utterance_view(row: Utterance) -> schemas.Utterance:
    return schemas.Utterance(speaker=Speaker(row.speaker), side=row.side, text=row.text, started_at=row.started_at)


def transfer_view(transfer: Transfer, sight: Sight) -> schemas.Transfer:
    return schemas.Transfer(
        id=transfer.pk,
        call_id=transfer.call_id,
        kind=Transfer.Kind(transfer.kind),
        state=TransferState(transfer.state),
        end_reason=EndReason(transfer.end_reason) if transfer.end_reason else None,
        waits_for_approval=transfer.state == TransferState.REQUESTED and transfer.approved is None,
        approved=transfer.approved,
        department_id=transfer.department_id,
        manager_id=transfer.person_id,
        reason=transfer.reason if sight.transcript else None,
        briefing=transfer.briefing if sight.transcript else None,
        requested_at=transfer.requested_at,
        held_at=transfer.held_at,
        merged_at=transfer.merged_at,
        ended_at=transfer.ended_at,
        version=transfer.version,
    )


def transfer_details(transfer: Transfer, sight: Sight) -> schemas.TransferDetails:
    attempts = transfer.attempts.select_related("manager").order_by("nth")
    return schemas.TransferDetails(
        **transfer_view(transfer, sight).model_dump(),
        then=sentence(facts_of(transfer, to_show=True)) if transfer.is_open else "",
        attempts=[attempt_view(attempt) for attempt in attempts],
    )


def attempt_view(attempt: Attempt) -> schemas.Attempt:
    return schemas.Attempt(
        id=attempt.pk,
        nth=attempt.nth,
        manager_id=attempt.manager_id,
        manager=attempt.manager.name,
        state=AttemptState(attempt.state),
        outcome=Outcome(attempt.outcome) if attempt.outcome else None,
        sip_status=attempt.sip_status,
        reserved_at=attempt.reserved_at,
        ringing_at=attempt.ringing_at,
        answered_at=attempt.answered_at,
        merged_at=attempt.merged_at,
        ended_at=attempt.ended_at,
    )


def manager_view(person: Person, department_ids: list[int]) -> schemas.Manager:
    manager = person.manager
    return schemas.Manager(
        id=manager.pk,
        name=manager.name,
        department_ids=department_ids,
        presence=Presence(manager.presence),
        presence_reason=manager.presence_reason,
        presence_since=manager.presence_since,
        presence_until=manager.presence_until,
        free=person.free,
        busy=person.busy,
    )
