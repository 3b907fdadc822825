"""What is happening now, and what everything stands on. Only services write these rows."""

from .api_keys import ApiAnswer, ApiKey
from .audit import AuditHead, AuditRun
from .calls import Call, CallFact, Leg, LegKind, Room, Utterance
from .departments import AgentProfile, Department, Membership, NumberRoute
from .effects import Effect, EffectState, Owner, OwnerRole
from .links import AgentJob, Directive
from .outgoing import WebhookCursor, WebhookMessage, WebhookTarget, WebhookTry
from .presence import OpenPage
from .record import Event, EventPayload, Seal
from .supervision import Supervision
from .webhooks import WebhookDelivery

__all__ = [
    "AgentJob",
    "AgentProfile",
    "ApiAnswer",
    "ApiKey",
    "AuditHead",
    "AuditRun",
    "Call",
    "CallFact",
    "Department",
    "Directive",
    "Effect",
    "EffectState",
    "Event",
    "EventPayload",
    "Leg",
    "LegKind",
    "Membership",
    "NumberRoute",
    "OpenPage",
    "Owner",
    "OwnerRole",
    "Room",
    "Seal",
    "Supervision",
    "Utterance",
    "WebhookCursor",
    "WebhookDelivery",
    "WebhookMessage",
    "WebhookTarget",
    "WebhookTry",
]
