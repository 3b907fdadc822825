"""What a new agent job is told: the call as it is, instead of its history."""

from __future__ import annotations

from datetime import datetime

from calls.agents import protocol as p
from calls.models import AgentJob, AgentProfile, Call, Utterance
from calls.services.supervised import barging, taken_over_by, words_waited_for
from calls.states import CallerWith

SNAPSHOT_TURNS = 200


def snapshot_of(job: AgentJob) -> p.Snapshot:
    call = job.call
    turns = turns_of(call)
    return p.Snapshot(
        call_id=call.pk,
        room=job.room_name,
        caller_identity=call.caller_identity,
        caller_with=p.CallerWith(call.caller_with),
        greet=call.caller_with == CallerWith.AI and not any(turn.speaker == p.Speaker.AI for turn in turns),
        rehearsal=call.rehearsal,
        profile=profile_message(call.profile, department=call.department.name if call.department else ""),
        transcript=turns,
        facts=dict(call.facts.values_list("key", "value")),
        opening=words_waited_for(call),
        barging=barging(call),
        taken_over_by=taken_over_by(call),
    )


def turns_of(call: Call, *, until: datetime | None = None) -> tuple[p.Turn, ...]:
    """The newest turns of a call that began before `until`, oldest first."""
    said = Utterance.objects.filter(call=call).order_by("-started_at", "-id")
    rows = (said.filter(started_at__lt=until) if until else said)[:SNAPSHOT_TURNS]
    return tuple(
        p.Turn(speaker=p.Speaker(row.speaker), text=row.text, at=row.started_at, side=row.side)  # type: ignore[arg-type]
        for row in reversed(rows)
    )


def profile_message(profile: AgentProfile | None, *, department: str) -> p.Profile:
    if profile is None:
        return p.Profile(department=department, greeting="Hello, you are talking to an AI. How can I help?")
    return p.Profile(
        version=profile.version,
        department=department,
        greeting=profile.greeting,
        persona=profile.persona,
        facts=tuple(p.FactField.model_validate(fact) for fact in profile.facts),
        instructions=profile.instructions,
        word_limit=profile.word_limit,
        introduction=profile.introduction,
        disclosure=tuple(profile.disclosure),
        transcribe_consultation=profile.transcribe_consultation,
        transcribe_after_merge=profile.transcribe_after_merge,
    )


__all__ = ["profile_message", "snapshot_of", "turns_of"]
