"""Joining caller and manager: three strategies behind one choice."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext

from calls import effects
from calls.agents import protocol as p
from calls.models import AgentJob
from calls.services.links import addressee, direct, live_job
from transfers.decide import Facts
from transfers.models import Attempt
from transfers.roster import Candidate
from transfers.writing import manager_touched

Strategy = Literal["move", "rejoin", "relay"]


def strategy_for(candidate: Candidate) -> Strategy:
    """A browser leg rejoins; a SIP leg is moved on LiveKit Cloud, else relayed. A setting may force one."""
    if settings.MERGE_STRATEGY in ("move", "rejoin", "relay"):
        return settings.MERGE_STRATEGY  # type: ignore[return-value]
    return "rejoin" if candidate.desk else sip_strategy()


def sip_strategy() -> Strategy:
    """By the server's host, never by trying a real move."""
    host = urlsplit(settings.LIVEKIT_URL).hostname or ""
    return "move" if host.endswith(".livekit.cloud") else "relay"


def why() -> str:
    """For `doctor` and the status page."""
    if settings.MERGE_STRATEGY in ("move", "rejoin", "relay"):
        return gettext("%(strategy)s: forced by MERGE_STRATEGY") % {"strategy": settings.MERGE_STRATEGY}
    if sip_strategy() == "move":
        return gettext("move: LIVEKIT_URL is LiveKit Cloud, which can move participants")
    return gettext(
        "relay: LIVEKIT_URL is a self-hosted server, which cannot move a leg, so an agent carries the audio"
    )


def line_job(attempt: Attempt) -> AgentJob | None:
    """The job that carries the two under `relay`: the attempt's own, or the one that took the line up from it."""
    call_id = attempt.transfer.call_id
    return live_job(call_id, p.Role.TRANSFER, attempt.pk) or live_job(call_id, p.Role.BRIDGE, attempt.pk)


def begin(facts: Facts) -> None:
    """Ask for the join; the answer comes as a fact (`BridgeUp`, or the move's own)."""
    attempt = facts.attempt
    assert attempt is not None
    if attempt.strategy == "move":
        effects.ensure("move", attempt.pk)
        return
    direct(addressee(facts.call.pk, p.Role.TRANSFER, attempt.pk), f"merge:{attempt.pk}", message(facts))
    manager_touched(attempt)  # their desk goes to the caller's room by itself


def joined(facts: Facts) -> None:
    """Tell the SupportAgent: music off, introduce them, then only listen, or leave. A bridge stays, others go."""
    attempt = facts.attempt
    assert attempt is not None
    if attempt.strategy != "relay":
        direct(live_job(facts.call.pk, p.Role.TRANSFER, attempt.pk), f"leave:{attempt.pk}", p.Leave())
    direct(addressee(facts.call.pk, p.Role.SUPPORT), f"joined:{facts.transfer.pk}", message(facts))


def message(facts: Facts) -> p.Merge:
    attempt, profile = facts.attempt, facts.transfer.profile
    assert attempt is not None
    return p.Merge(
        strategy=attempt.strategy,  # type: ignore[arg-type]
        introduction=profile.introducing(attempt.manager.name) if profile else "",
        transcribe=profile.transcribe_after_merge if profile else True,
        manager_identity=attempt.manager_identity,
        bridge_identity=f"bridge-{attempt.pk}",
    )
