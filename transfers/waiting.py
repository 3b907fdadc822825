"""The requests that wait for a supervisor, as the bar of every page tells them."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext

from transfers.access import Lens
from transfers.decide import approval_ends_at
from transfers.models import Policy, Transfer
from transfers.states import TransferState

MOST = 50


@dataclass(frozen=True)
class Mark:
    """`waiting`, the oldest first."""

    waiting: tuple[Transfer, ...]

    @property
    def ids(self) -> str:
        return ",".join(str(transfer.pk) for transfer in self.waiting)

    @property
    def newest_department(self) -> str:
        found = self.waiting[-1].department if self.waiting else None
        return found.name if found else gettext("no department")


def mark(lens: Lens) -> Mark:
    """Only for those who may approve; a request that nobody is asked about is none."""
    if not lens.sight.approve:
        return Mark(())
    asked = lens.transfers().filter(state=TransferState.REQUESTED, approved=None)
    rows = asked.select_related("department__policy").order_by("requested_at", "id")[:MOST]
    return Mark(tuple(row for row in rows if approval_ends_at(row, _policy(row)) is not None))


def _policy(transfer: Transfer) -> Policy:
    found = getattr(transfer.department, "policy", None) if transfer.department else None
    return found or Policy(department=transfer.department)
