"""The typed events of a transfer's life."""

from __future__ import annotations

from typing import Any

from calls.events import EventBody


class TransferRequested(EventBody):
    type = "transfer.requested"
    kind: str
    by: str  # ai, person, api_key, or system in a rehearsal
    department_id: int | None
    person_id: str = ""
    follows_id: str = ""


class TransferMoved(EventBody):
    type = "transfer.moved"
    from_state: str
    to_state: str
    end_reason: str = ""


class TargetChosen(EventBody):
    """A supervisor chose somebody else than was asked for."""

    type = "transfer.target_chosen"
    department_id: int | None
    person_id: str = ""


class TransferDecided(EventBody):
    """A supervisor approved or declined."""

    type = "transfer.decided"
    approved: bool


class TransferCancelAsked(EventBody):
    type = "transfer.cancel_asked"
    reason: str


class BriefingSaved(EventBody):
    type = "briefing.saved"
    nth: int
    author: str


class AttemptReserved(EventBody):
    type = "attempt.reserved"
    nth: int
    manager_id: str
    ranking: list[dict[str, Any]] = []  # noqa: RUF012  (pydantic copies defaults)


class AttemptMoved(EventBody):
    type = "attempt.moved"
    from_state: str
    to_state: str
    outcome: str = ""
    detail: str = ""
    sip_status: int | None = None


class ManagerDecided(EventBody):
    type = "attempt.decided"
    decision: str
    via: str


class AcceptedOnScreen(EventBody):
    """It is their decision once they are on the line."""

    type = "attempt.accepted_on_screen"


class AttemptNoted(EventBody):
    """What the manager says of it afterwards; their words are in the payload."""

    type = "attempt.noted"
    afterwards: str


class HandedOver(EventBody):
    """The manager pressed `*0` or `*1`: the caller goes back to the AI, or to somebody else."""

    type = "transfer.handed_over"
    to: str


class StoodInLine(EventBody):
    """All managers are busy."""

    type = "transfer.in_line"
    place: int
    expected_wait_s: int | None


class Parked(EventBody):
    """A supervisor put a joined caller on hold, or took them off it."""

    type = "transfer.parked"
    on_hold: bool


class ReferAsked(EventBody):
    """The caller's carrier is asked to call the manager (SIP REFER)."""

    type = "transfer.refer_asked"


class ReferAnswered(EventBody):
    type = "transfer.refer_answered"
    result: str
    sip_status: int | None = None


class CallbackAsked(EventBody):
    type = "callback.asked"
    callback_id: str
    department_id: int | None


class CallbackMoved(EventBody):
    type = "callback.moved"
    callback_id: str
    from_state: str
    to_state: str
    result: str = ""


class PresenceSet(EventBody):
    """A manager can be called, or not; `until` in ISO 8601, empty: until somebody says otherwise."""

    type = "manager.presence_set"
    manager_id: str
    presence: str
    until: str = ""


class DialAdopted(EventBody):
    """A dial whose process died was found to have been made: it goes on."""

    type = "attempt.dial_adopted"


class BriefingSpoken(EventBody):
    type = "briefing.spoken"
    step: str


class HoldProgressed(EventBody):
    type = "hold.progress"
    count: int
