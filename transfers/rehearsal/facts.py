"""What the product's rows say of the rehearsal's call, asked again and again until it is so."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from calls.agents.protocol import Speaker
from calls.models import Call, Utterance
from calls.services.calls import live_call
from transfers.models import Attempt, Decision, Transfer
from transfers.rehearsal.errors import Stuck
from transfers.states import LIVE_TRANSFER, TransferState

EVERY_S = 0.05


@dataclass(frozen=True)
class Seen:
    """The rows at one moment; the call's first transfer and its newest attempt."""

    call: Call
    transfer: Transfer | None = None
    attempt: Attempt | None = None
    decision: Decision | None = None


def look(call_id: UUID) -> Seen:
    call = Call.objects.get(pk=call_id)
    transfer = Transfer.objects.filter(call=call).order_by("requested_at").first()
    attempt = transfer.attempts.order_by("-nth").first() if transfer else None
    decision = Decision.objects.filter(attempt=attempt).first() if attempt else None
    return Seen(call, transfer, attempt, decision)


def joined(call_id: UUID) -> Transfer:
    """The transfer whose caller and manager talk."""
    return Transfer.objects.get(call_id=call_id, state=TransferState.MERGED)


def live_transfers(call_id: UUID) -> bool:
    return Transfer.objects.filter(call_id=call_id, state__in=LIVE_TRANSFER).exists()


def until(ready: Callable[[], bool], within_s: float, what: str) -> None:
    """Wait for something; raises Stuck."""
    end = time.monotonic() + within_s
    while not ready():
        if time.monotonic() > end:
            raise Stuck(f"{what} (not within {within_s:g} s)")
        time.sleep(EVERY_S)


def call_of_room(room: str, within_s: float) -> Call:
    found: list[Call] = []

    def there() -> bool:
        call = live_call(room)
        if call:
            found.append(call)
        return bool(call)

    until(there, within_s, "The call does not appear: do LiveKit's webhooks reach the console, or do agents run?")
    return found[0]


def last_said_by_ai(call_id: UUID, since: float) -> str:
    """The AI's newest turn after an epoch second, lower case."""
    turn = (
        Utterance.objects.filter(call_id=call_id, speaker=Speaker.AI, side="call").order_by("-started_at").first()
    )
    return turn.text.lower() if turn and turn.started_at.timestamp() >= since else ""


def said(call_id: UUID, *, speaker: Speaker, side: str) -> str:
    rows = Utterance.objects.filter(call_id=call_id, speaker=speaker, side=side)
    return " ".join(rows.order_by("started_at").values_list("text", flat=True))
