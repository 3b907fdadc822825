"""The last resort: a transfer that cannot be advanced, by a fault of ours, must not keep its caller on hold."""

from __future__ import annotations

import logging
from collections import Counter
from datetime import timedelta
from uuid import UUID

from django.db import InterfaceError, OperationalError, transaction

from calls import effects
from calls.agents import protocol as p
from calls.agents.logs import about
from calls.services.calls import locked, move_caller
from calls.services.links import addressee, direct
from calls.states import CallerWith
from calls.timing import now
from transfers.advance import advance
from transfers.models import Transfer
from transfers.states import OPEN_ATTEMPT, AttemptState, EndReason, Outcome, TransferState
from transfers.words import FAULT, OFFER
from transfers.writing import move_attempt, move_transfer

logger = logging.getLogger(__name__)

TRIES = 3
TRY_AGAIN_AFTER = timedelta(seconds=1)

_failures: Counter[UUID] = Counter()


def advance_or_abandon(transfer_id: UUID) -> None:
    """For the clock: a transfer whose next step fails three times in a row is given up."""
    try:
        with about(transfer=transfer_id):
            advance(transfer_id)
    except (OperationalError, InterfaceError):  # the database's fault: it is tried again
        raise
    except Exception as error:
        _failures[transfer_id] += 1
        logger.exception(
            "a transfer could not be advanced",
            extra={"transfer": str(transfer_id), "error": type(error).__name__},
        )
        Transfer.objects.filter(pk=transfer_id).update(wake_at=now() + TRY_AGAIN_AFTER)
        if _failures[transfer_id] >= TRIES:
            abandon(transfer_id)
            del _failures[transfer_id]
    else:
        _failures.pop(transfer_id, None)


def abandon(transfer_id: UUID) -> None:
    """End it as our fault, with as few reads as can be: the caller is with the AI again, nobody is rung."""
    with transaction.atomic():
        call = locked(Transfer.objects.values_list("call_id", flat=True).get(pk=transfer_id))
        transfer = Transfer.objects.select_for_update(of=("self",)).get(pk=transfer_id)
        if not transfer.is_open:
            Transfer.objects.filter(pk=transfer_id).update(wake_at=None)
            return
        for attempt in transfer.attempts.filter(state__in=OPEN_ATTEMPT):
            move_attempt(attempt, AttemptState.FAILED, outcome=Outcome.CANCELLED, outcome_detail="our fault")
            effects.ensure("close_consult", attempt.pk)
        early = transfer.state == TransferState.REQUESTED
        words = f"{FAULT} {OFFER}"
        move_transfer(
            transfer,
            TransferState.CANCELLED if early else TransferState.FAILED,
            end_reason=EndReason.ERROR,
            words_for_caller=words,
            ended_at=now(),
            deadline_at=None,
            wake_at=None,
        )
        if call.is_live and call.caller_with != CallerWith.SUPERVISOR:
            move_caller(call, CallerWith.AI)
            resume = p.Resume(words=words, outcome=EndReason.ERROR)
            direct(addressee(call.pk, p.Role.SUPPORT), f"resume:{transfer.pk}", resume)
