"""A fact was recorded: somebody has to look at the transfer."""

from __future__ import annotations

from uuid import UUID

from calls.hints import hint
from calls.timing import now
from transfers.models import Transfer


def wake(transfer_id: UUID) -> None:
    """Let `advance` look at it now; the clock finds it if the hint is lost."""
    from transfers.tasks import advance

    Transfer.objects.filter(pk=transfer_id).update(wake_at=now())
    hint(advance, str(transfer_id))
