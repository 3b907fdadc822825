"""What was said, and who is speaking."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from calls.agents.protocol import Utterance as Said
from calls.live.publish import changed
from calls.models import Call, Utterance

KEPT_SIDES = ("call", "consultation")


def said(call: Call, body: Said, *, attempt_id: UUID | None, at: datetime) -> None:
    """Store a finished turn where the profile allows it; show a partial one only."""
    profile = call.profile
    if profile and body.side == "consultation" and not profile.transcribe_consultation:
        return
    if profile and body.after_merge and not profile.transcribe_after_merge:
        return
    if not body.text.strip():
        return
    if not body.final:
        _shown(call, body, attempt_id)
        return
    row = Utterance.objects.create(
        call=call,
        attempt_id=attempt_id,
        speaker=body.speaker,
        side=body.side,
        text=body.text.strip(),
        started_at=body.started_at,
        after_merge=body.after_merge,
    )
    changed("utterance", str(row.pk), 1, department_id=call.department_id, call_id=str(call.pk))
    changed("call", str(call.pk), call.version, department_id=call.department_id, call_id=str(call.pk))


def _shown(call: Call, body: Said, attempt_id: UUID | None) -> None:
    """Words of a turn that is not over: to those who look at the call now, and nowhere else."""
    aside = attempt_id if body.side == "consultation" else None
    turn = f"{body.speaker}:{aside or ''}"
    changed("partial", turn, 1, call_id=str(call.pk), words=body.text.strip())
