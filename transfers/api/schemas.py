"""What the API takes and gives. Times are in UTC, numbers by their last four unless the key may see more."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from ninja import Field, Schema
from pydantic import AwareDatetime

from calls.agents.protocol import Speaker
from calls.models import Call as CallRow
from calls.states import CallerWith, CallState
from transfers.models import Presence
from transfers.models import Transfer as TransferRow
from transfers.states import AttemptState, EndReason, Outcome, TransferState


class Department(Schema):
    id: int
    name: str


class Departments(Schema):
    items: list[Department]


class Call(Schema):
    id: UUID
    state: CallState
    caller_with: CallerWith
    caller_since: datetime
    caller: str = Field(description="“…0144”, or the whole number for a key with calls:number.")
    source: CallRow.Source
    department_id: int | None
    rehearsal: bool
    started_at: datetime
    ended_at: datetime | None
    end_reason: str
    version: int


class CallPage(Schema):
    items: list[Call]
    next: UUID | None = Field(description="Send it as `before` for the next page; null at the end.")


class Utterance(Schema):
    speaker: Speaker
    side: str = Field(description="call, or consultation: the manager and the transfer agent.")
    text: str
    started_at: datetime


class Transcript(Schema):
    call_id: UUID
    items: list[Utterance] = Field(description="In the order in which it was said.")


class Attempt(Schema):
    """One manager called once."""

    id: UUID
    nth: int
    manager_id: UUID
    manager: str
    state: AttemptState
    outcome: Outcome | None
    sip_status: int | None
    reserved_at: datetime
    ringing_at: datetime | None
    answered_at: datetime | None
    merged_at: datetime | None
    ended_at: datetime | None


class Transfer(Schema):
    id: UUID
    call_id: UUID
    kind: TransferRow.Kind
    state: TransferState
    end_reason: EndReason | None
    waits_for_approval: bool
    approved: bool | None
    department_id: int | None
    manager_id: UUID | None = Field(description="Only this manager is asked.")
    reason: str | None = Field(description="Null without the scope calls:transcript.")
    briefing: str | None = Field(description="Null without the scope calls:transcript.")
    requested_at: datetime
    held_at: datetime | None
    merged_at: datetime | None
    ended_at: datetime | None
    version: int = Field(description="Send it as `seen_version` when you approve.")


class TransferDetails(Transfer):
    then: str = Field(description="What happens next, in one sentence; empty when it is over.")
    attempts: list[Attempt]


class TransferPage(Schema):
    items: list[Transfer]
    next: UUID | None = Field(description="Send it as `before` for the next page; null at the end.")


class Ask(Schema):
    """A transfer that is wanted. Without a department: the call's own."""

    reason: str = Field(min_length=1, max_length=500)
    department_id: int | None = None
    manager_id: UUID | None = Field(None, description="Ask only this manager, of that department.")
    briefing: str = Field("", max_length=4000, description="Spoken to the manager; empty: drafted from the call.")


class Approve(Schema):
    seen_version: int | None = Field(None, description="Refused if the briefing has changed since.")


class Decline(Schema):
    reason: str = Field("", max_length=300, description="The AI tells the caller.")


class Manager(Schema):
    id: UUID
    name: str
    department_ids: list[int] = Field(description="Of the departments that this key sees.")
    presence: Presence
    presence_reason: str
    presence_since: datetime | None
    presence_until: datetime | None
    free: bool = Field(description="Would be rung now.")
    busy: bool = Field(description="Is being rung or talks to a caller.")


class Managers(Schema):
    items: list[Manager]


class SetPresence(Schema):
    presence: Literal["available", "away"]
    reason: str = Field(min_length=1, max_length=80, description="The manager and the history show it.")


class Replay(Schema):
    since: AwareDatetime = Field(description="With its time zone.")


class Replayed(Schema):
    messages: int = Field(description="How many are sent (again) now.")
