"""A manager at their desk: what they answer on screen, beside a phone, and how a desk is rung."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from calls.agents import protocol as p
from calls.errors import Refused
from calls.models import Event, Owner, OwnerRole
from calls.services import legs
from calls.states import CallerWith
from calls.telephony.gateway import Permanent, Track
from tests.world import Agent, Story, World
from transfers import desk_services as desk
from transfers import desk_windows
from transfers.advance import advance
from transfers.models import Attempt, Decision, Endpoint, Manager, Presence
from transfers.roster import rank
from transfers.states import AttemptState, EndReason, Outcome, TransferState

TAB = "window-1"
MICROPHONE = Track("TR_1", "audio", "microphone", muted=False)


def dana(story: Story) -> Manager:
    return story.people["Dana"]


def accepts(story: Story, *, tab: str = TAB) -> Attempt:
    made = desk.accept(manager=dana(story), attempt_id=story.attempt.pk, tab=tab)
    story.world.settle()
    return made


class Web:
    """A web process that has been there for long: what it does not hear is not there."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.row = Owner.objects.create(role=OwnerRole.WEB, host="here", pid=2)
        self.beats()
        Owner.objects.filter(pk=self.row.pk).update(started_at=world.at.replace(hour=0))

    def beats(self) -> None:
        Owner.objects.filter(pk=self.row.pk).update(beat_at=self.world.at)

    def later(self, seconds: float) -> None:
        """Time passes, and it goes on listening."""
        for _ in range(round(seconds)):
            self.world.at = self.world.at.replace(microsecond=0)
            self.beats()
            Owner.objects.filter(pk=self.row.pk).update(beat_at=self.world.at.replace(microsecond=900_000))
            self.world.later(1)


@pytest.fixture
def story(world: World) -> Story:
    return Story(world)


@pytest.fixture
def here(world: World) -> Story:
    """Dana has a browser before her phone."""
    made = Story(world)
    Endpoint.objects.filter(manager=dana(made)).update(position=2)
    Endpoint.objects.create(manager=dana(made), position=1, kind=Endpoint.Kind.BROWSER, ring_time_s=20)
    return made


def opens(story: Story, *, microphone: bool = True, page_id: UUID | None = None) -> UUID:
    page_id = page_id or uuid4()
    desk_windows.opened(page_id, dana(story).pk, microphone=microphone)
    return page_id


def microphone_is_live(story: Story, agent: Agent) -> None:
    """The browser is in the consultation; the server says so, and its agent hears it."""
    attempt = story.attempt
    one = story.world.server.join(attempt.consult_room, attempt.manager_identity)
    joined(story, attempt.consult_room, one.sid)
    agent.says(p.SipStatus(identity=attempt.manager_identity, status="active"))


def joined(story: Story, room: str, sid: str) -> None:
    metadata = f'{{"patchbay": "test", "kind": "consult", "call": "{story.call.pk}"}}'
    known = "" if room == story.call.room_name else metadata
    legs.participant_seen(
        legs.RoomFact(room, "", known), legs.ParticipantFact(story.attempt.manager_identity, sid)
    )
    story.world.settle()


# ── beside a phone ───────────────────────────────────────────────────────────────────────────────


def test_accept_on_screen_answers_in_advance_and_decides_nothing(world: World, story: Story) -> None:
    story.escalates()
    agent = story.agent()
    accepts(story)
    assert [body.kind for body in agent.told()] == ["accepted"]
    assert not Decision.objects.exists()
    assert story.transfer.state == TransferState.CONNECTING
    world.answers(story.attempt)
    assert story.transfer.state == TransferState.CONSULTING
    agent.decides(p.DecisionKind.ACCEPT, via="screen")
    assert story.transfer.state == TransferState.MERGING


def test_an_agent_that_comes_later_knows_of_it(world: World, story: Story) -> None:
    story.escalates()
    accepts(story)
    told = story.agent().snapshot.transfer
    assert told
    assert told.accepted_on_screen


def test_a_machine_that_picked_up_is_not_the_manager(world: World, story: Story) -> None:
    story.escalates()
    agent = story.agent()
    accepts(story)
    world.answers(story.attempt)
    first = story.attempt
    agent.decides(p.DecisionKind.VOICEMAIL, via="timer")
    first.refresh_from_db()
    assert first.outcome == Outcome.VOICEMAIL
    assert story.attempt.manager == story.people["Omar"]


def test_decline_on_screen_stops_the_ringing_at_once_and_the_caller_hears_why(world: World) -> None:
    story = Story(world, managers=("Dana",))
    story.escalates()
    desk.decline(manager=dana(story), attempt_id=story.attempt.pk, reason="in a meeting")
    world.settle()
    assert (story.attempt.state, story.attempt.outcome) == (AttemptState.FAILED, Outcome.DECLINED)
    assert Decision.objects.get().via == "screen"
    assert story.attempt.consult_room not in world.rooms()
    assert story.state == (TransferState.FAILED, EndReason.DECLINED)
    assert "in a meeting" in story.support.told()[-1].words


def test_redirect_on_screen_asks_whom_it_names(world: World, story: Story) -> None:
    story.escalates()
    desk.redirect(manager=dana(story), attempt_id=story.attempt.pk, department="Billing", person="Omar")
    world.settle()
    assert story.attempt.manager == story.people["Omar"]
    assert story.transfer.person == story.people["Omar"]


def test_a_second_click_changes_nothing_and_a_late_one_is_told_so(world: World, story: Story) -> None:
    story.escalates()
    first = accepts(story).accepted_at
    world.later(1)
    assert accepts(story).accepted_at == first
    assert Event.objects.filter(type="attempt.accepted_on_screen").count() == 1
    attempt = story.attempt
    world.cancel(story.transfer.pk)
    world.settle()
    with pytest.raises(Refused, match="no longer needs you"):
        desk.decline(manager=dana(story), attempt_id=attempt.pk, reason="")
    with pytest.raises(Refused, match="not yours"):
        desk.accept(manager=story.people["Omar"], attempt_id=attempt.pk, tab=TAB)


def test_whoever_has_answered_cannot_answer_otherwise(world: World, story: Story) -> None:
    story.briefed().decides(p.DecisionKind.ACCEPT)
    with pytest.raises(Refused, match="answered already"):
        desk.decline(manager=dana(story), attempt_id=story.attempt.pk, reason="")


def test_a_typed_question_goes_to_the_transfer_agent_once(world: World, story: Story) -> None:
    story.escalates()
    with pytest.raises(Refused, match="not there yet"):
        desk.ask(manager=dana(story), attempt_id=story.attempt.pk, key=uuid4(), text="Which order?")
    agent, key = story.agent(), uuid4()
    for _ in range(2):
        desk.ask(manager=dana(story), attempt_id=story.attempt.pk, key=key, text="  Which\norder? ")
    assert agent.told() == [p.Asked(text="Which order?")]


# ── a browser that is rung ───────────────────────────────────────────────────────────────────────


def test_a_desk_rings_while_it_is_open_with_a_checked_microphone(world: World, here: Story) -> None:
    def first() -> tuple[str, bool]:
        found = rank(department=here.where, person=None, at=world.at).candidates[0]
        return found.name, found.desk

    assert first() == ("Dana", False)
    opens(here, microphone=False)
    assert first() == ("Dana", False)
    page = opens(here)
    assert first() == ("Dana", True)
    world.at += desk_windows.FORGET_AFTER
    assert first() == ("Dana", False)
    opens(here, page_id=page)
    assert first() == ("Dana", True)
    desk_windows.closed(page)
    assert first() == ("Dana", False)


def test_whose_only_way_is_a_closed_desk_cannot_be_called(world: World, here: Story) -> None:
    Endpoint.objects.filter(manager=dana(here), kind=Endpoint.Kind.PHONE).delete()
    (passed,) = rank(department=here.where, person=None, at=world.at).passed_over
    assert (passed.name, passed.why) == ("Dana", "desk is closed")


def test_a_cold_transfer_goes_to_telephones_only(world: World, here: Story) -> None:
    opens(here)
    ranked = rank(department=here.where, person=None, at=world.at, desks_too=False)
    assert not any(one.desk for one in ranked.candidates)


def test_a_caller_in_line_is_brought_to_whoever_opens_a_desk(world: World) -> None:
    story = Story(world, managers=("Dana", "Omar"))
    Endpoint.objects.filter(manager=dana(story)).update(kind=Endpoint.Kind.BROWSER, address="")
    other = Story(world, managers=(), where=story.where)
    other.escalates()  # Omar is busy with this one
    story.escalates()
    assert story.transfer.queued_at
    opens(story)
    world.settle()
    assert (story.attempt.manager, story.attempt.desk) == (dana(story), True)


def rung(story: Story) -> Agent:
    """Dana's desk rings, and the transfer agent is in the consultation."""
    opens(story)
    story.escalates()
    assert (story.attempt.state, story.attempt.desk) == (AttemptState.RINGING, True)
    assert not story.world.server.dials
    return story.agent()


def test_a_desk_is_rung_without_a_dial_and_accept_counts_with_the_microphone(world: World, here: Story) -> None:
    agent = rung(here)
    assert (here.attempt.strategy, here.attempt.ring_time_s) == ("rejoin", 20)
    accepts(here)
    assert here.transfer.state == TransferState.CONNECTING
    line = desk.line_for(manager=dana(here), attempt_id=here.attempt.pk, tab=TAB)
    assert line.room == here.attempt.consult_room
    microphone_is_live(here, agent)
    decision = Decision.objects.get()
    assert (decision.kind, decision.via) == ("accept", "screen")
    assert here.transfer.state == TransferState.MERGING


def test_the_server_s_own_word_of_a_microphone_is_enough(world: World, here: Story) -> None:
    rung(here)
    accepts(here)
    world.server.join(here.attempt.consult_room, here.attempt.manager_identity)
    world.later(1)
    assert here.transfer.state == TransferState.CONNECTING  # nothing is published yet
    world.server.publish(here.attempt.consult_room, here.attempt.manager_identity, MICROPHONE)
    world.later(1)
    assert here.transfer.state == TransferState.MERGING


def test_who_listens_first_hears_the_briefing_and_then_accepts(world: World, here: Story) -> None:
    agent = rung(here)
    desk.listen(manager=dana(here), attempt_id=here.attempt.pk, tab=TAB)
    microphone_is_live(here, agent)
    assert here.transfer.state == TransferState.CONSULTING
    assert not Decision.objects.exists()
    accepts(here)
    assert here.transfer.state == TransferState.MERGING


def test_a_browser_comes_over_by_itself_and_is_joined_once_it_is_there(world: World, here: Story) -> None:
    agent = rung(here)
    accepts(here)
    microphone_is_live(here, agent)
    attempt = here.attempt
    world.later(2)
    assert here.transfer.state == TransferState.MERGING  # it waits for the leg
    line = desk.line_for(manager=dana(here), attempt_id=attempt.pk, tab=TAB)
    assert line.room == here.call.room_name
    one = world.server.join(line.room, attempt.manager_identity)
    joined(here, line.room, one.sid)
    legs.participant_left(attempt.consult_room, identity=attempt.manager_identity, reason="client_initiated")
    world.settle()
    assert (here.transfer.state, here.caller_with) == (TransferState.MERGED, CallerWith.MANAGER)
    assert here.support.told()[-1].manager_identity == attempt.manager_identity
    world.later(20)
    world.server.leave(line.room, attempt.manager_identity)
    legs.participant_left(line.room, identity=attempt.manager_identity, reason="client_initiated")
    world.settle()
    assert here.state == (TransferState.COMPLETED, EndReason.CONNECTED)


def test_a_browser_that_never_comes_over_gives_the_caller_back(world: World, here: Story) -> None:
    agent = rung(here)
    accepts(here)
    microphone_is_live(here, agent)
    first = here.attempt
    world.later(11)
    first.refresh_from_db()
    assert first.outcome == Outcome.MERGE_FAILED


def test_under_relay_a_browser_stays_in_the_consultation(world: World, here: Story, settings) -> None:  # type: ignore[no-untyped-def]
    settings.MERGE_STRATEGY = "relay"
    agent = rung(here)
    accepts(here)
    microphone_is_live(here, agent)
    line = desk.line_for(manager=dana(here), attempt_id=here.attempt.pk, tab=TAB)
    assert line.room == here.attempt.consult_room
    agent.says(p.BridgeUp())
    assert here.transfer.state == TransferState.MERGED


def test_a_desk_that_nobody_answers_is_a_miss(world: World, here: Story) -> None:
    rung(here)
    first = here.attempt
    world.later(20)
    first.refresh_from_db()
    assert first.outcome == Outcome.NO_ANSWER
    assert Manager.objects.get(pk=dana(here).pk).misses == 1


def test_a_desk_that_is_closed_while_it_rings_falls_to_the_phone(world: World, here: Story) -> None:
    web = Web(world)
    here.where.policy.next_endpoint_first = True
    here.where.policy.save()
    page = opens(here)
    here.escalates()
    first = here.attempt
    assert first.desk
    desk_windows.closed(page)
    world.settle()
    web.later(2)
    assert here.attempt == first  # it may be loaded again
    web.later(2)
    first.refresh_from_db()
    assert (first.outcome, first.outcome_detail) == (Outcome.UNREACHABLE, "desk closed")
    assert (here.attempt.manager, here.attempt.desk) == (dana(here), False)


def test_a_desk_that_is_loaded_again_goes_on_ringing(world: World, here: Story) -> None:
    web = Web(world)
    page = opens(here)
    here.escalates()
    first = here.attempt
    desk_windows.closed(page)
    world.settle()
    web.later(2)
    opens(here)
    web.later(3)
    assert here.attempt == first
    assert first.is_open


def test_whoever_accepts_without_a_microphone_is_not_waited_for(world: World, here: Story) -> None:
    rung(here)
    accepts(here)
    first = here.attempt
    world.later(11)
    first.refresh_from_db()
    assert (first.outcome, first.outcome_detail) == (Outcome.UNREACHABLE, "no microphone")


def test_a_call_is_taken_in_one_window(world: World, here: Story) -> None:
    rung(here)
    accepts(here)
    with pytest.raises(Refused, match="another window"):
        accepts(here, tab="window-2")
    with pytest.raises(Refused, match="not taken in this window"):
        desk.line_for(manager=dana(here), attempt_id=here.attempt.pk, tab="window-2")


def test_a_room_that_cannot_be_made_is_no_end(world: World, here: Story) -> None:
    opens(here)
    world.server.fail("create_room", Permanent("no"))
    here.escalates()
    first = Attempt.objects.order_by("pk").first()
    assert first
    assert (first.desk, first.outcome) == (True, Outcome.UNREACHABLE)
    assert here.attempt != first


def test_a_desk_that_is_rung_by_two_workers_is_rung_once(world: World, here: Story) -> None:
    rung(here)
    before = here.attempt.state
    advance(here.transfer.pk)
    world.settle()
    assert here.attempt.state == before
    assert len(world.run(world.server.list_dispatch(here.attempt.consult_room))) == 1


# ── during and afterwards ────────────────────────────────────────────────────────────────────────


def test_a_manager_gives_the_caller_back_on_screen(world: World, story: Story) -> None:
    story.merged()
    desk.hand_over(manager=dana(story), attempt_id=story.attempt.pk, to="back")
    world.settle()
    assert story.caller_with == CallerWith.AI
    assert story.state == (TransferState.COMPLETED, EndReason.CONNECTED)
    with pytest.raises(Refused, match="not with the caller"):
        desk.hand_over(manager=dana(story), attempt_id=story.attempt.pk, to="back")


def over(story: Story, *, at_desk: bool = True) -> Attempt:
    """Dana has talked with the caller."""
    story.merged()
    story.world.later(20)
    if at_desk:
        opens(story, microphone=False)
    story.world.hangs_up(story.attempt)
    return story.attempt


def test_after_a_call_an_open_desk_wraps_up_until_it_is_noted(world: World, story: Story) -> None:
    attempt = over(story)
    assert Manager.objects.get(pk=dana(story).pk).presence == Presence.WRAPPING_UP
    desk.finish(manager=dana(story), attempt_id=attempt.pk, afterwards="follow_up", note=" call back on Monday ")
    attempt.refresh_from_db()
    assert (attempt.afterwards, attempt.note, attempt.noted_at) == ("follow_up", "call back on Monday", world.at)
    assert Manager.objects.get(pk=dana(story).pk).presence == Presence.AVAILABLE
    noted = Event.objects.get(type="attempt.noted")
    assert noted.facts == {"afterwards": "follow_up"}
    world.later(1)
    desk.finish(manager=dana(story), attempt_id=attempt.pk, afterwards="helped", note="")
    attempt.refresh_from_db()
    assert attempt.afterwards == "follow_up"


def test_a_note_that_is_never_written_keeps_nobody_from_callers(world: World, story: Story) -> None:
    over(story)
    found = Manager.objects.get(pk=dana(story).pk)
    assert found.presence_until
    ranked = rank(department=story.where, person=None, at=found.presence_until).candidates
    assert "Dana" in [one.name for one in ranked]


def test_without_a_desk_nobody_wraps_up_unless_the_department_says_so(world: World, story: Story) -> None:
    over(story, at_desk=False)
    assert Manager.objects.get(pk=dana(story).pk).presence == Presence.AVAILABLE


def test_what_is_typed_during_a_call_is_kept_and_not_finished(world: World, story: Story) -> None:
    story.merged()
    desk.keep_note(manager=dana(story), attempt_id=story.attempt.pk, text="wants a refund")
    assert story.attempt.note == "wants a refund"
    with pytest.raises(Refused, match="still in this call"):
        desk.finish(manager=dana(story), attempt_id=story.attempt.pk, afterwards="helped", note="")
    with pytest.raises(Refused, match="how it went"):
        desk.finish(manager=dana(story), attempt_id=story.attempt.pk, afterwards="", note="")
