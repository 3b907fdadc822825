"""Every fact in every state, in whatever order: nothing breaks, and nobody is on hold for nobody."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from itertools import count
from uuid import uuid4

from django.contrib.auth.models import User
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from calls.agents import protocol as p
from calls.errors import Refused
from calls.services import links
from calls.states import CallerWith
from tests import invariants
from tests.world import Agent, Story, World
from transfers import requests, services
from transfers.models import Manager, Policy, Presence, Transfer
from transfers.states import OPEN_ATTEMPT, OPEN_TRANSFER, UNANSWERED, TransferState

NUMBERS = count(1)


class Floor:
    """One department with two managers and two callers; every rule is tried in every state."""

    def __init__(self, world: World, policy: dict[str, object]) -> None:
        self.world = world
        where = world.department(f"Department {next(NUMBERS)}", **policy)
        first = Story(world, ("Dana", "Omar"), where=where)
        self.stories = [first, Story(world, (), where=where)]
        self.jobs: dict[object, Agent] = {}
        self.user, _ = User.objects.get_or_create(username="sam")

    def transfer(self, story: Story) -> Transfer | None:
        return Transfer.objects.filter(call=story.call).order_by("-requested_at", "-pk").first()

    def attempt(self, story: Story):  # type: ignore[no-untyped-def]
        found = self.transfer(story)
        newest = found.attempts.order_by("-nth").first() if found else None
        return newest if newest and newest.state in OPEN_ATTEMPT else None

    def job(self, story: Story) -> Agent | None:
        """The present attempt's agent, which comes if it is not there."""
        attempt = self.attempt(story)
        if attempt is None:
            return None
        known = self.jobs.get(attempt.pk)
        if known is None or known.job.closed_at:
            try:
                known = self.jobs[attempt.pk] = Agent(
                    self.world, p.Role.TRANSFER, attempt.consult_room, attempt.pk
                )
            except links.NotOurs:
                return None
        return known

    def told(self, agent: Agent | None, *bodies: object) -> None:
        """A report of a job whose link is alive; a dead one's reaches nobody."""
        if agent and agent.job.closed_at is None:
            agent.says(*bodies)


Rule = Callable[[Floor, Story], object]


def escalates(floor: Floor, story: Story) -> None:
    requests.request_transfer(call_id=story.call.pk, key=uuid4(), reason="now", user=floor.user)


def the_ai_asks(floor: Floor, story: Story) -> None:
    floor.told(story.support, p.TransferRequested(request_id=uuid4(), reason="a person"))


def sent_on_without_a_briefing(floor: Floor, story: Story) -> None:
    requests.request_transfer(
        call_id=story.call.pk, key=uuid4(), reason="now", user=floor.user, kind=Transfer.Kind.COLD
    )


def approved(floor: Floor, story: Story) -> None:
    if found := floor.transfer(story):
        services.approve(transfer_id=found.pk, user=floor.user)


def turned_down(floor: Floor, story: Story) -> None:
    if found := floor.transfer(story):
        services.decline(transfer_id=found.pk, user=floor.user, reason="later")


def picks_up(floor: Floor, story: Story, status: int = 200) -> None:
    attempt = floor.attempt(story)
    if attempt and floor.world.server.is_ringing(attempt.consult_room, attempt.manager_identity):
        floor.world.answers(attempt, status)


def is_busy(floor: Floor, story: Story) -> None:
    picks_up(floor, story, 486)


def decides(kind: p.DecisionKind) -> Rule:
    def decide(floor: Floor, story: Story) -> None:
        attempt = floor.attempt(story)
        if attempt and attempt.answered_at:
            floor.told(floor.job(story), p.ManagerDecision(decision=kind, via="key"))

    return decide


def line_is_up(floor: Floor, story: Story) -> None:
    if (found := floor.transfer(story)) and found.state in (TransferState.MERGING, TransferState.MERGED):
        floor.told(floor.job(story), p.BridgeUp())


def hangs_up(reason: str) -> Rule:
    def leave(floor: Floor, story: Story) -> None:
        attempt = floor.attempt(story)
        if attempt and attempt.state not in UNANSWERED:
            floor.world.hangs_up(attempt, reason)

    return leave


def hands_over(to: str) -> Rule:
    return lambda floor, story: floor.told(floor.job(story), p.HandedOver(to=to))  # type: ignore[arg-type]


def caller_hangs_up(floor: Floor, story: Story) -> None:
    floor.world.caller_leaves(story.call)


def cancels(floor: Floor, story: Story) -> None:
    if found := floor.transfer(story):
        services.cancel(transfer_id=found.pk, user=floor.user)


def parks(on_hold: bool) -> Rule:
    def park(floor: Floor, story: Story) -> None:
        if found := floor.transfer(story):
            services.park(transfer_id=found.pk, user=floor.user, on_hold=on_hold)

    return park


def wants_back(floor: Floor, story: Story) -> None:
    floor.told(story.support, p.CallerWantsBack())


def wants_a_callback(floor: Floor, story: Story) -> None:
    floor.told(story.support, p.CallbackRequested(request_id=uuid4(), preferred="later"))


def agent_dies(floor: Floor, story: Story) -> None:
    attempt = floor.attempt(story)
    job = floor.jobs.get(attempt.pk) if attempt else None
    if job and job.job.closed_at is None:
        job.dies()


def everybody_is_away(floor: Floor, story: Story) -> None:
    Manager.objects.filter(departments=story.where).update(presence=Presence.AWAY, presence_until=None)


def everybody_is_back(floor: Floor, story: Story) -> None:
    Manager.objects.filter(departments=story.where).update(presence=Presence.AVAILABLE, presence_until=None)


def passes(seconds: float) -> Rule:
    return lambda floor, story: floor.world.later(seconds)


RULES: tuple[Rule, ...] = (
    escalates,
    escalates,
    the_ai_asks,
    sent_on_without_a_briefing,
    approved,
    turned_down,
    picks_up,
    picks_up,
    is_busy,
    *(decides(kind) for kind in p.DecisionKind),
    decides(p.DecisionKind.ACCEPT),
    line_is_up,
    line_is_up,
    hangs_up("client_initiated"),
    hangs_up("connection_timeout"),
    hands_over("back"),
    hands_over("another"),
    caller_hangs_up,
    cancels,
    parks(True),
    parks(False),
    wants_back,
    wants_a_callback,
    agent_dies,
    everybody_is_away,
    everybody_is_back,
    passes(0.3),
    passes(3),
    passes(20),
    passes(200),
)
POLICIES = st.fixed_dictionaries(
    {
        "approval": st.sampled_from(Policy.Approval),
        "at_limit": st.sampled_from(Policy.AtLimit),
        "when_busy": st.sampled_from(Policy.WhenBusy),
        "after_hang_up": st.sampled_from(Policy.AfterHangUp),
        "wrap_up_s": st.sampled_from([0, 15]),
        "ai_may_refer": st.booleans(),
        "hold_limit_s": st.just(180),
    }
)


@settings(
    max_examples=12,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # to shrink these takes minutes
)
@given(policy=POLICIES, steps=st.lists(st.tuples(st.sampled_from(RULES), st.integers(0, 1)), max_size=25))
def test_whatever_comes_in_whatever_order(
    world: World, policy: dict[str, object], steps: list[tuple[Rule, int]]
) -> None:
    floor = Floor(world, policy)
    for rule, who in steps:
        with suppress(Refused):
            rule(floor, floor.stories[who])
        world.settle()
        invariants.check(world.server)
    _comes_to_an_end(floor)


def _comes_to_an_end(floor: Floor) -> None:
    """Left alone, every caller is with somebody within the limits, and nobody's phone rings for nothing."""
    for _ in range(12):
        floor.world.later(60)
    for story in floor.stories:
        found = floor.transfer(story)
        story.call.refresh_from_db()
        if story.call.is_live and story.call.caller_with == CallerWith.HOLD:
            raise AssertionError("a caller is on hold for good")
        assert found is None or found.state not in OPEN_TRANSFER
    invariants.check(floor.world.server)
    for story in floor.stories:
        floor.world.caller_leaves(story.call)
