"""What people decide about a call. Only services write these rows."""

from .policies import Policy
from .roster import Endpoint, Manager, Presence, Shift, Trunk
from .transfers import Attempt, BriefingVersion, Decision, Transfer

__all__ = [
    "Attempt",
    "BriefingVersion",
    "Decision",
    "Endpoint",
    "Manager",
    "Policy",
    "Presence",
    "Shift",
    "Transfer",
    "Trunk",
]
