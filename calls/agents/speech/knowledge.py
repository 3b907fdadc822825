"""What the rule-based brain knows: the same facts that an instructed model gets in its prompt."""

from __future__ import annotations

from dataclasses import dataclass, field

from calls.agents.protocol import Profile, RosterDepartment, Turn


@dataclass
class SupportKnowledge:
    """For the caller's conversation; `facts` is shared with the agent and grows."""

    profile: Profile = field(default_factory=Profile)
    departments: tuple[RosterDepartment, ...] = ()
    facts: dict[str, str] = field(default_factory=dict)
    caller_last4: str = ""
    offers_callback: bool = False
    may_refer: bool = False


@dataclass
class ConsultKnowledge:
    """For the consultation: the whole conversation and the console's record."""

    profile: Profile = field(default_factory=Profile)
    transcript: tuple[Turn, ...] = ()
    facts: dict[str, str] = field(default_factory=dict)
    briefing: str = ""
    reason: str = ""
    targets: tuple[RosterDepartment, ...] = ()


Knowledge = SupportKnowledge | ConsultKnowledge
