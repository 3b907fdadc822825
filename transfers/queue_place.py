"""A caller's place in the line for a department's managers, and how long it takes: measured, never guessed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from statistics import median

from django.db.models import Q

from calls.timing import now
from transfers.models import Transfer
from transfers.states import TransferState

FEWEST_SAMPLES = 5  # fewer measured waits say nothing about the next one
SAMPLES = 20
MEASURED_WITHIN = timedelta(days=7)


def ahead_of(transfer: Transfer) -> int:
    """How many wait for the same managers and came before."""
    waiting = Transfer.objects.filter(state=TransferState.QUEUED, queued_at__isnull=False)
    same = Q(department=transfer.department)
    if transfer.person_id:
        same &= Q(person=transfer.person_id) | Q(person=None)
    came = transfer.queued_at
    before = Q(queued_at__lt=came) | Q(queued_at=came, pk__lt=transfer.pk) if came else Q()
    return waiting.filter(same & before).exclude(pk=transfer.pk).count()


def expected_wait(transfer: Transfer, place: int) -> timedelta | None:
    """By the median of what a place took lately; None with fewer than five measured waits."""
    done = Transfer.objects.filter(
        department=transfer.department, queue_left_at__gt=now() - MEASURED_WITHIN, queued_at__isnull=False
    )
    rows = done.order_by("-queue_left_at").values_list("queued_at", "queue_left_at", "queue_place")[:SAMPLES]
    return wait_for(place, [(left - came) / (before or 1) for came, left, before in rows if came and left])


def wait_for(place: int, waits_per_place: Sequence[timedelta]) -> timedelta | None:
    """Pure: `waits_per_place` is what each measured caller waited, divided by the place they came at."""
    if len(waits_per_place) < FEWEST_SAMPLES:
        return None
    return timedelta(seconds=median(wait.total_seconds() for wait in waits_per_place) * place)


def in_words(wait: timedelta | None) -> str:
    """ "about 3 minutes"; empty if nothing is known."""
    if wait is None:
        return ""
    minutes = round(wait.total_seconds() / 60)
    if minutes < 1:
        return "less than a minute"
    return "about a minute" if minutes == 1 else f"about {minutes} minutes"


def place_line(place: int, wait: timedelta | None, *, callback: bool) -> str:
    """What the caller hears of their place."""
    where = "You are next." if place == 1 else f"You are number {place} in line."
    long = f" It takes {in_words(wait)}." if wait else ""
    offer = " You can also say that you want to be called back." if callback else ""
    return f"{where}{long}{offer}"
