"""What people decide about a call. Only services write these rows."""

from .callbacks import Callback
from .desks import OpenDesk
from .dialling import Dialled, DialRule
from .exports import HistoryExport
from .hours import Holiday, OpeningHours, Shift, ShiftException
from .policies import Policy
from .reports import (
    EVERY_DEPARTMENT,
    Asked,
    DayTally,
    HourTally,
    ManagerTally,
    MeasuredAttempt,
    MeasuredTransfer,
    PhaseKind,
    PhaseTally,
)
from .rings import Ring
from .roster import Endpoint, Manager, PinEntry, Presence, Trunk
from .transfers import (
    FAILED_ANSWERED,
    FAILED_UNANSWERED,
    Afterwards,
    Attempt,
    BriefingVersion,
    Decision,
    HandOver,
    ReferResult,
    Transfer,
    WaitsWith,
)
from .uploads import RosterUpload

__all__ = [
    "EVERY_DEPARTMENT",
    "FAILED_ANSWERED",
    "FAILED_UNANSWERED",
    "Afterwards",
    "Asked",
    "Attempt",
    "BriefingVersion",
    "Callback",
    "DayTally",
    "Decision",
    "DialRule",
    "Dialled",
    "Endpoint",
    "HandOver",
    "HistoryExport",
    "Holiday",
    "HourTally",
    "Manager",
    "ManagerTally",
    "MeasuredAttempt",
    "MeasuredTransfer",
    "OpenDesk",
    "OpeningHours",
    "PhaseKind",
    "PhaseTally",
    "PinEntry",
    "Policy",
    "Presence",
    "ReferResult",
    "Ring",
    "RosterUpload",
    "Shift",
    "ShiftException",
    "Transfer",
    "Trunk",
    "WaitsWith",
]
