"""Which transfers reached a person, and which nobody, as the wallboard counts them.

Who hung up first, was cancelled or not approved, is no one that we did not reach.
"""

from __future__ import annotations

from transfers.states import EndReason

REACHED = (EndReason.CONNECTED, EndReason.COLD_COMPLETED, EndReason.COLD_UNCONFIRMED)
MISSED = (
    EndReason.NO_MANAGER,
    EndReason.DECLINED,
    EndReason.OUTSIDE_HOURS,
    EndReason.CALLER_UNREACHED,
    EndReason.ERROR,
)
