"""What transfers keep of a call's words and numbers, erased with the call."""

from __future__ import annotations

from typing import Any

from calls.announcements import call_erased
from calls.models import Call
from transfers.models import Attempt, BriefingVersion, Callback, Decision, PinEntry, Transfer


def register() -> None:
    call_erased.connect(erase, dispatch_uid="transfers.retention")


def erase(call: Call, **_: Any) -> None:
    """In the transaction of the call's own erasure."""
    transfers = Transfer.objects.filter(call=call)
    transfers.update(reason="", briefing="", decline_reason="", words_for_caller="")
    BriefingVersion.objects.filter(transfer__in=transfers).update(text="")
    Attempt.objects.filter(transfer__in=transfers).update(note="")
    Decision.objects.filter(attempt__transfer__in=transfers).update(reason="")
    Callback.objects.filter(call=call).update(
        number="", number_hmac="", number_last4="", preferred="", briefing="", note=""
    )
    PinEntry.objects.filter(call=call).delete()
