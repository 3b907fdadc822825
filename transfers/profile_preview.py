"""How a past call would be briefed by a profile that is being edited, beside how it was."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from django.db.models import Q, QuerySet

from calls.agents import protocol as p
from calls.loop_thread import LoopThread
from calls.models import AgentProfile
from calls.services.snapshot import turns_of
from transfers import briefing
from transfers.access import Lens
from transfers.agents import lines
from transfers.link_extension import of_transfer
from transfers.models import Transfer

OFFERED = 20
_thread = LoopThread("briefings")


@dataclass(frozen=True)
class Part:
    """Some words; whether they were not there before."""

    words: str
    new: bool


@dataclass(frozen=True)
class Preview:
    """`opening` is said before both briefings. `model`: yes, no, or failed where it did not answer."""

    opening: str
    briefing: Sequence[Part]
    introduction: Sequence[Part]
    introduction_before: str
    model: str

    @property
    def same(self) -> bool:
        return not any(part.new for part in self.briefing) and not any(part.new for part in self.introduction)


def past(lens: Lens, profile: AgentProfile) -> QuerySet[Transfer]:
    """Transfers of the profile's department whose words are still there, newest first."""
    of = Q(department=profile.department_id) if profile.department_id else Q(call__department=None)
    seen = lens.transfers().filter(of, kind=Transfer.Kind.WARM, ended_at__isnull=False, call__erased_at=None)
    told = seen.exclude(briefing="").filter(call__rehearsal=False)
    return told.select_related("call__department", "department", "profile").order_by("-requested_at", "-id")


def has_model() -> bool:
    """Whether a language model writes the briefings; else they are extracted by rules."""
    return os.environ.get("AGENT_LLM", "").strip() not in ("", "offline")


def preview(transfer: Transfer, profile: AgentProfile) -> Preview:
    """Asks the model, where there is one, which takes seconds: not for a transaction."""
    call, until = transfer.call, transfer.requested_at
    text = _by_model(turns_of(call, until=until), profile) if has_model() else ""
    model = "yes" if text else "failed" if has_model() else "no"
    new = (
        briefing.speakable(call, text, profile=profile)
        if text
        else briefing.draft(call, reason=transfer.reason, profile=profile, until=until)
    )
    attempt = transfer.attempts.select_related("manager").order_by("-nth").first()
    manager = attempt.manager.name if attempt else "the manager"
    before = transfer.profile.introducing(manager) if transfer.profile else ""
    return Preview(
        opening=lines.opening(of_transfer(transfer)),
        briefing=compared(transfer.briefing, new),
        introduction=compared(before, profile.introducing(manager)),
        introduction_before=before,
        model=model,
    )


def compared(before: str, after: str) -> list[Part]:
    """`after` in parts, word by word; an empty text has none."""
    old, new = before.split(), after.split()
    return [
        Part(" ".join(new[start:end]), kind != "equal")
        for kind, _, _, start, end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
        if start < end
    ]


def _by_model(turns: Sequence[p.Turn], profile: AgentProfile) -> str:
    """Empty if it did not write one, as in a call; then the briefing is extracted."""
    return _thread.submit(_written(turns, profile)).result()


async def _written(turns: Sequence[p.Turn], profile: AgentProfile) -> str:
    from livekit.agents.utils import http_context

    from calls.agents.instructions import conversation
    from calls.agents.speech.knowledge import SupportKnowledge
    from calls.agents.speech.models import build_llm
    from transfers.agents.drafting import draft

    wishes = "\n\n".join(text for text in (profile.persona, profile.instructions) if text)
    async with http_context.open(), build_llm(SupportKnowledge()) as writer:
        return await draft(writer, conversation(turns), wishes=wishes, words=profile.word_limit)
