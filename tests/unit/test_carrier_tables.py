"""The carrier simulator's data: numbers, scenarios, stories, options, and that the demo makes sense with them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.management import call_command
from livekit.protocol import sip

from calls.agents.speech.intent import manager_meaning, normal
from calls.telephony.simulator import inbound, options, scripts, settings
from calls.telephony.simulator.faults import Faults
from calls.telephony.simulator.numbers import FICTIONAL, PHONES, SCENARIOS, phone_at
from calls.telephony.simulator.phone import DIGIT_S, PAUSE_S, keys_in_time
from calls.telephony.simulator.stories import STORIES, Story
from calls.telephony.simulator.twirp import sip_error
from calls.telephony.simulator.wits import Wits
from transfers import demo_data

HOLD_LINE = "I am connecting you with a colleague. Please hold the line."
PROGRESS_LINE = "Thank you for holding. We are still trying to reach a colleague."
OFFER = "I am sorry, nobody answered. Would you like me to try again, or can I help you with something else?"


def test_every_number_is_fictional_once_and_has_a_script() -> None:
    numbers = [phone.number for phone in PHONES]
    assert len(set(numbers)) == len(numbers)
    assert all(FICTIONAL.fullmatch(number) or number.startswith("sip:") for number in numbers)
    assert all(behaviour.script in scripts.SCRIPTS for behaviour in SCENARIOS.values())
    assert {phone.scenario for phone in PHONES} == set(SCENARIOS) - {"called-back"}
    assert phone_at("+12025550144").scenario == "called-back"
    assert phone_at("+12025550133").behaviour.status == 404
    assert phone_at("sip:voicemail@pbx.example.com").scenario == "voicemail"


def test_the_demo_s_managers_are_who_answers_their_numbers() -> None:
    for manager in demo_data.MANAGERS:
        for way in (way for way in manager.ways if way.address):  # else at a desk
            phone = phone_at(way.address)
            assert phone.scenario != "not-in-service"
            if manager.name != "Quentin":  # shares Dana's telephone, at other hours
                assert phone.name == manager.name
            assert bool(way.dtmf) == (phone.scenario == "extension")
            assert not way.dtmf or way.dtmf.endswith(scripts.CODE)


def test_stories_dial_the_demo_s_departments_from_numbers_of_their_own() -> None:
    routes = {department.number for department in demo_data.DEPARTMENTS}
    assert {story.dials for story in STORIES} <= routes
    assert len({story.number for story in STORIES}) == len(STORIES) >= 6
    assert all(FICTIONAL.fullmatch(story.number) for story in STORIES)
    assert not {story.number for story in STORIES} & {phone.number for phone in PHONES}


def test_the_phones_command_lists_them(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("phones")
    assert re.search(r"^\+12025550113 +extension +Yara: a switchboard", capsys.readouterr().out, re.M)


# ── managers' ears ───────────────────────────────────────────────────────────────────────────────

QUESTIONS = (
    "Press 1 or say yes to take the call, 2 to decline.",
    "press one, or say yes to take the call. Two to decline.",
    "Will you take the call?",
)


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_question_is_known_and_the_briefing_is_none(question: str) -> None:
    assert re.search(scripts.QUESTION, normal(question))
    briefing = (
        "Patchbay for Billing, a caller is waiting. They say: I was charged twice. Account number 4 5 1 2 9."
    )
    assert not re.search(scripts.QUESTION, normal(briefing))


def test_digits_take_their_time() -> None:
    plan = keys_in_time("wwww12#w")
    assert [key for _, key in plan] == ["1", "2", "#", ""]
    assert [after for after, _ in plan] == pytest.approx([4 * PAUSE_S + DIGIT_S, DIGIT_S, DIGIT_S, PAUSE_S])
    assert PAUSE_S == 0.5
    assert keys_in_time("") == []


def test_what_managers_say_means_what_they_mean() -> None:
    assert manager_meaning("Yes, put them through.").kind == "accept"
    declined = manager_meaning("No, I am in a meeting until three.")
    assert (declined.kind, declined.reason) == ("decline", "I am in a meeting until three")


def test_the_introduction_s_goodbye_is_not_for_us() -> None:
    assert not scripts.is_farewell(normal("You are now connected. I am leaving you to it. Goodbye."))
    assert scripts.is_farewell(normal("No, that is all. Thank you. Goodbye."))


# ── callers' wits ────────────────────────────────────────────────────────────────────────────────


def story(key: str) -> Story:
    return next(one for one in STORIES if one.key == key)


def answers(wits: Wits, *heard: str) -> list[str]:
    return [wits.answer(normal(one)) for one in heard]


def test_a_caller_is_asked_held_merged_and_says_goodbye() -> None:
    wits = Wits(story("charged-twice"))
    assert answers(wits, "I see. May I have your Account number, please?") == ["It is 4 5 1 2 9."]
    assert answers(wits, HOLD_LINE, "", PROGRESS_LINE, "hm") == ["", "", "", ""]
    assert wits.holding
    joined = "You are now connected. I am leaving you to it. Goodbye."
    assert answers(wits, joined) == [""]
    hello = "Hello, this is Dana. I have read your case. How can I help?"
    assert answers(wits, hello) == [wits.story.with_manager[0]]
    assert wits.merged
    assert answers(wits, "I see it here.", "Is there anything else that I can do for you?") == [
        wits.story.with_manager[1],
        "No, that is all. Thank you. Goodbye.",
    ]
    assert wits.done


def test_a_caller_who_is_not_put_through_tries_once_again() -> None:
    wits = Wits(story("claim-manager"))
    assert answers(wits, HOLD_LINE, OFFER, HOLD_LINE) == ["", "Please try again.", ""]
    assert wits.holding
    answers(wits, OFFER)
    assert not wits.holding


def test_an_impatient_caller_speaks_on_hold_and_others_do_not() -> None:
    impatient, patient = Wits(story("impatient")), Wits(story("charged-twice"))
    for wits in (impatient, patient):
        answers(wits, HOLD_LINE)
    assert impatient.answer("") == impatient.story.on_hold
    assert patient.answer("") == ""


def test_a_caller_whom_nobody_answers_gives_up() -> None:
    wits = Wits(story("forgotten-password"))
    said = [wits.answer("") for _ in range(7)]
    assert wits.done
    assert sum(bool(line) for line in said) == 2


def test_one_hangs_up_early_without_a_word() -> None:
    wits = Wits(story("hangs-up-early"))
    assert answers(wits, "I see.", "I am asking.") == ["Please hurry up.", ""]
    assert wits.done
    assert not wits.said_goodbye


# ── how LiveKit takes a caller in ────────────────────────────────────────────────────────────────


def rule(id: str, **fields: Any) -> sip.SIPDispatchRuleInfo:
    individual = sip.SIPDispatchRule(dispatch_rule_individual=sip.SIPDispatchRuleIndividual(room_prefix="call-"))
    whole: dict[str, Any] = {"sip_dispatch_rule_id": id, "rule": individual} | fields
    return sip.SIPDispatchRuleInfo(**whole)


TRUNK = sip.SIPInboundTrunkInfo(sip_trunk_id="ST_1", numbers=["+12025550190"])


def test_the_rule_of_the_trunk_goes_before_the_rule_of_all() -> None:
    rules = [rule("all"), rule("other", trunk_ids=["ST_2"]), rule("own", trunk_ids=["ST_1"])]
    found = inbound.match([TRUNK], rules, dialled="+12025550190", caller="+12025550141")
    assert found
    assert found[1].sip_dispatch_rule_id == "own"
    assert inbound.match([TRUNK], rules, dialled="+12025550199", caller="+12025550141") is None
    picky = [rule("picky", trunk_ids=["ST_1"], numbers=["+12025550191"])]
    assert inbound.match([TRUNK], picky, dialled="+12025550190", caller="+12025550141") is None


def test_a_rule_that_hides_numbers_shows_none() -> None:
    hidden = inbound.admit(TRUNK, rule("r", hide_phone_number=True), dialled="+12025550190", caller="+12025550141")
    shown = " ".join([hidden.room, hidden.identity, hidden.name, *hidden.attributes.values()])
    assert "1202555" not in shown
    assert hidden.room.startswith("call-_0141_")
    open_rule = inbound.admit(TRUNK, rule("r"), dialled="+12025550190", caller="+12025550141")
    assert open_rule.identity == "sip_+12025550141"
    assert open_rule.attributes["sip.trunkPhoneNumber"] == "+12025550190"


# ── switches ─────────────────────────────────────────────────────────────────────────────────────


def test_sip_statuses_become_livekit_s_codes() -> None:
    found = {status: (sip_error(status).code, sip_error(status).status) for status in (486, 603, 404, 503, 488)}
    assert found == {
        486: ("resource_exhausted", 429),
        603: ("permission_denied", 403),
        404: ("not_found", 404),
        503: ("failed_precondition", 412),
        488: ("invalid_argument", 400),
    }


@pytest.mark.parametrize(
    "body",
    [
        [],
        {"scenario": "accepts"},
        {"to": "+1", "scenario": "sings"},
        {"to": "+1", "accept": "mind"},
        {"to": "+1", "press_at_answer": "12"},
        {"to": "+1", "tone_hz": "loud"},
        {"to": "+1", "chatter": "no"},
        {"to": "+1", "rings": 1},
    ],
)
def test_a_script_that_makes_no_sense_is_refused(body: Any) -> None:
    with pytest.raises(ValueError):
        options.parse(body)


def test_a_fault_is_used_up() -> None:
    faults = Faults()
    faults.add({"method": "ListRooms", "fault": "500", "times": 2})
    assert [faults.next("ListRooms") for _ in range(3)] == ["500", "500", ""]
    faults.add({"method": "ListRooms", "fault": "never", "times": 3})
    faults.add({"method": "ListRooms", "fault": "never", "times": 0})
    assert faults.next("ListRooms") == ""


def test_a_missing_setting_is_one_clear_line() -> None:
    with pytest.raises(SystemExit, match=r"needs CARRIER_TOKEN, LIVEKIT_API_SECRET; `make demo`"):
        settings.read({"CARRIER_PORT": "1", "LIVEKIT_URL": "ws://127.0.0.1:1", "LIVEKIT_API_KEY": "k"})
    assert settings.Settings(1, "t", "wss://x.example/", "k", "s").api_url == "https://x.example"
