"""The line of callers for whom nobody is free: they take their place, and hear of it."""

from __future__ import annotations

from collections.abc import Collection

from calls.agents import protocol as p
from calls.events import SYSTEM, record
from calls.services.links import addressee, direct
from calls.timing import now
from transfers import holding
from transfers.decide import Facts
from transfers.models import Policy, Transfer, WaitsWith
from transfers.queue_place import ahead_of, expected_wait, place_line
from transfers.selectors import policy_of
from transfers.states import TransferState
from transfers.transfer_events import StoodInLine
from transfers.waking import wake
from transfers.writing import touched

ALL_BUSY = "All of my colleagues are talking to somebody."


def enter(facts: Facts) -> None:
    """The caller takes their place and is told; with the AI or on hold, as the department wants."""
    transfer, policy = facts.transfer, facts.policy
    place = facts.ahead + 1
    transfer.queued_at, transfer.queue_place = now(), place
    company = policy.when_busy == Policy.WhenBusy.AI or transfer.waits_with == WaitsWith.AI
    with_ai = company and transfer.held_at is None
    transfer.save(update_fields=("queued_at", "queue_place"))
    wait = expected_wait(transfer, place)
    offers = with_ai and policy.offers_callback
    words = f"{ALL_BUSY} {place_line(place, wait, callback=offers)}"
    if with_ai:
        direct(addressee(transfer.call_id, p.Role.SUPPORT), f"line:{transfer.pk}", p.Say(text=words))
    else:
        holding.hold_caller(transfer, words, progress(transfer, place, policy))
    record(
        StoodInLine(place=place, expected_wait_s=round(wait.total_seconds()) if wait else None),
        actor=SYSTEM,
        call_id=transfer.call_id,
        transfer_id=transfer.pk,
    )
    touched(transfer)


def progress(transfer: Transfer, place: int, policy: Policy) -> str:
    return f"{policy.progress_line} {place_line(place, expected_wait(transfer, place), callback=False)}"


def moved_up(gone: Transfer) -> None:
    """Somebody left the line: those behind hear their new place with the next progress line."""
    if gone.queued_at is None:
        return
    behind = Transfer.objects.filter(
        state=TransferState.QUEUED, department=gone.department_id, queued_at__gte=gone.queued_at
    )
    for transfer in behind.select_related("call", "department"):
        wake_line(transfer)


def wake_line(transfer: Transfer) -> None:
    """Look at a waiting transfer now, and keep what its caller hears true."""
    if transfer.held_at:
        place = ahead_of(transfer) + 1
        text = progress(transfer, place, policy_of(transfer.department))
        holding.change_progress(transfer, text, nth=f"place-{place}")
    touched(transfer)
    wake(transfer.pk)


def somebody_is_free(department_ids: Collection[int]) -> None:
    """A manager of these departments can be called again: whoever waits is looked at."""
    waiting = Transfer.objects.filter(state=TransferState.QUEUED, queued_at__isnull=False)
    for pk in (
        waiting.filter(department__in=department_ids).order_by("queued_at").values_list("pk", flat=True)[:20]
    ):
        wake(pk)
