"""What people decide about a call. Only services write these rows."""

from .callbacks import Callback
from .desks import OpenDesk
from .policies import Policy
from .rings import Ring
from .roster import Endpoint, Manager, PinEntry, Presence, Shift, Trunk
from .transfers import Afterwards, Attempt, BriefingVersion, Decision, HandOver, ReferResult, Transfer, WaitsWith

__all__ = [
    "Afterwards",
    "Attempt",
    "BriefingVersion",
    "Callback",
    "Decision",
    "Endpoint",
    "HandOver",
    "Manager",
    "OpenDesk",
    "PinEntry",
    "Policy",
    "Presence",
    "ReferResult",
    "Ring",
    "Shift",
    "Transfer",
    "Trunk",
    "WaitsWith",
]
