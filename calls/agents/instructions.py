"""What a language model is told: the profile in words. The rule-based brain knows the same by itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from livekit.agents import llm

from calls.agents import protocol as p

ROLES: dict[p.Speaker, llm.ChatRole] = {p.Speaker.CALLER: "user", p.Speaker.AI: "assistant"}


def for_support(snapshot: p.Snapshot) -> str:
    profile = snapshot.profile
    facts = "\n".join(f"- {f.key}: {f.label}{' (needed)' if f.required else ''}" for f in profile.facts)
    parts = (
        f"You are the AI on the telephone of {profile.department or 'a company'}. You speak, so answer in one or "
        "two short sentences without lists or markup.",
        profile.persona,
        "Find out why the caller calls, and help if you can.",
        f"Learn these, one question at a time, and keep each with record_fact:\n{facts}" if facts else "",
        "If the caller wants a person or a department, or you cannot help, call request_transfer at once. Never "
        "promise that somebody will come, and never say or invent a number.",
        "If nobody can take the call, offer to try again, or a call back: then confirm the number digit by digit, "
        "ask when it suits them, and call request_callback."
        if snapshot.offers_callback
        else "",
        "When the conversation is over, call say_goodbye.",
        profile.instructions,
    )
    return "\n\n".join(part for part in parts if part)


PEOPLE = {p.Speaker.MANAGER: "A manager", p.Speaker.SUPERVISOR: "A supervisor", p.Speaker.CALLER: "The caller"}


def said_meanwhile(turns: Sequence[p.Turn], since: datetime) -> str:
    """What people said while the agent was silent, for one who has heard all that came before."""
    said = [
        f"{PEOPLE[turn.speaker]}: {turn.text}"
        for turn in turns
        if turn.speaker in PEOPLE and turn.side == "call" and turn.at >= since
    ]
    known = "They said:\n" + "\n".join(said) if said else "What they said is not known."
    return f"While you were silent, people talked to the caller. {known}"


def conversation(turns: Sequence[p.Turn]) -> llm.ChatContext:
    """The caller's side of a transcript as a model's conversation; what other people said is told to it."""
    context = llm.ChatContext.empty()
    for turn in turns:
        if turn.side != "call":
            continue
        role = ROLES.get(turn.speaker, "system")
        words = turn.text if turn.speaker in ROLES else f"{PEOPLE.get(turn.speaker, 'Somebody')}: {turn.text}"
        context.add_message(role=role, content=words, created_at=turn.at.timestamp())
    return context
