"""What the rule-based brain takes for a yes, what it never says, and how long a briefing is."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.agents.protocol import FactField, Profile, RosterDepartment, Speaker, Turn
from calls.agents.speech.intent import caller_meaning, manager_meaning, normal, spoken_digits, spoken_name
from calls.agents.speech.knowledge import ConsultKnowledge, SupportKnowledge
from calls.agents.speech.lines import Line
from calls.agents.speech.replies import consult_reply, support_reply
from calls.agents.speech.summary import briefing_draft, hide, problem_of

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
TARGETS = (
    RosterDepartment(name="Claims", people=("Ines Ott", "Karl")),
    RosterDepartment(name="Billing", people=("Dana", "Omar")),
)
OPEN = FactField(key="account_number", label="Account number", required=True)
HIDDEN = FactField(key="account_number", label="Account number", required=True, may_be_spoken=False)


def turn(speaker: Speaker, text: str) -> Turn:
    return Turn(speaker=speaker, text=text, at=AT)


def caller(*texts: str) -> list[Turn]:
    return [turn(Speaker.CALLER, text) for text in texts]


YES = (
    "Yes.", "yeah sure", "Okay", "Sure, put them through.", "Yes please", "I'll take it.", "I will take the call",
    "Yes, put them three.", "Yes, put them to you.",
    "go ahead", "No problem, put him through.", "Absolutely", "OK, thank you", "Alright, I'll take it",
)  # fmt: skip
NOT_YES = (
    "Put them on hold.", "Yes, put them to voicemail.",
    "Yes, who is this?", "Yes?", "Okay, but what is it about?", "Sure, one moment", "Hold on", "What's the name?",
    "Yes, you have reached the voicemail of Dana, please leave a message after the tone.",
    "For yes press 1, for no press 2.", "Press one to leave a message.", "Hello?", "Maybe.", "I'm not sure",
    "yes yes I know the story about the caller from last week and I would rather talk about something else",
    "don't put them through", "I can't take it", "I cannot accept", "Yes, leave it with me", "", "...", "Mhm",
    "If it is quick, yes", "Accept? Why?", "The person you are calling is unavailable. Yes.",
)  # fmt: skip


@pytest.mark.parametrize("text", YES)
def test_a_clear_yes_accepts(text: str) -> None:
    assert manager_meaning(text, TARGETS).kind == "accept"


@pytest.mark.parametrize("text", NOT_YES)
def test_anything_else_does_not(text: str) -> None:
    assert manager_meaning(text, TARGETS).kind != "accept"


@pytest.mark.parametrize("text", ["What is the account no", "What's the account no?", "Which invoice, no?"])
def test_a_no_within_a_question_is_no_refusal(text: str) -> None:
    assert manager_meaning(text, TARGETS).kind == "question"


VOICEMAIL = (
    "Hi, you've reached Dana. Yes, I am away. Please leave a message after the tone.",
    "You have reached the mailbox of 2 0 2 5 5 5. Press 1 to page this person.",
    "Dana is not available to take your call. At the beep, say yes.",
    "To accept this call, press one.",
    "Yes! This is the voicemail of Omar.",
)


@pytest.mark.parametrize("text", VOICEMAIL)
def test_a_greeting_is_a_machine_whatever_it_says(text: str) -> None:
    assert manager_meaning(text, TARGETS).kind == "voicemail"


@given(st.sampled_from(VOICEMAIL), st.sampled_from(YES), st.booleans())
def test_no_yes_beside_a_greeting_accepts(greeting: str, yes: str, first: bool) -> None:
    text = f"{yes} {greeting}" if first else f"{greeting} {yes}"
    assert manager_meaning(text, TARGETS).kind != "accept"


@pytest.mark.parametrize(
    ("text", "kind", "reason"),
    [
        ("No, I am in a meeting.", "decline", "I am in a meeting"),
        ("I can't, the system is down", "decline", "the system is down"),
        ("No because it is not mine", "decline", "it is not mine"),
        ("Not now", "decline", ""),
        ("Not today.", "not_today", ""),
        ("Say that again", "repeat", ""),
        ("Tell me more", "details", ""),
        ("What is the account number?", "question", ""),
        ("banana", "unclear", ""),
    ],
)
def test_other_answers_are_told_apart(text: str, kind: str, reason: str) -> None:
    meaning = manager_meaning(text, TARGETS)
    assert (meaning.kind, meaning.reason) == (kind, reason)


@pytest.mark.parametrize(
    ("text", "department", "person"),
    [
        ("Ask Ines, please.", "Claims", "Ines Ott"),
        ("This belongs to claims", "Claims", ""),
        ("Send them to Omar", "Billing", "Omar"),
    ],
)
def test_a_redirect_names_somebody_of_the_roster(text: str, department: str, person: str) -> None:
    meaning = manager_meaning(text, TARGETS)
    assert (meaning.kind, meaning.department, meaning.person) == ("redirect", department, person)


def test_a_redirect_to_nobody_we_know_is_none() -> None:
    assert manager_meaning("Ask Zoe", TARGETS).kind != "redirect"


@pytest.mark.parametrize(
    ("text", "kind", "department", "person"),
    [
        ("Can I talk to a person?", "person", "", None),
        ("Put me through to claims", "person", "Claims", None),
        ("I want to speak to Dana", "person", "Billing", "Dana"),
        ("I don't need a manager", "other", "", None),
        ("Goodbye", "goodbye", "", None),
        ("yes please", "yes", "", None),
        ("nothing else, thanks", "goodbye", "", None),
        ("My invoice is wrong", "other", "", None),
    ],
)
def test_what_a_caller_wants(text: str, kind: str, department: str, person: str | None) -> None:
    meaning = caller_meaning(text, TARGETS)
    assert (meaning.kind, meaning.department, meaning.person) == (kind, department, person)


@pytest.mark.parametrize(
    ("text", "digits"),
    [("four five one two", "4512"), ("it is 45 12", "4512"), ("for the order 5521", "5521"), ("hello", "")],
)
def test_digits_are_heard_spoken_or_written(text: str, digits: str) -> None:
    assert spoken_digits(text) == digits


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("My name is Ann Lee.", "Ann Lee"),
        ("Ann Lee", "Ann Lee"),
        ("my name is ann", "Ann"),
        ("I'm Ann Lee and my bill is wrong", "Ann Lee"),
        ("I'm calling about my bill", ""),
        ("It is about my bill now", ""),
    ],
)
def test_a_name_is_heard(text: str, name: str) -> None:
    assert spoken_name(text) == name


@given(st.text())
def test_normal_words_stay_as_they_are(text: str) -> None:
    assert normal(normal(text)) == normal(text)


# ── the briefing ─────────────────────────────────────────────────────────────────────────────────

SAYINGS = (
    "my account number is 4512",
    "it is 45 12",
    "4-5-1-2",
    "4 5 1 2",
    "four five one two",
    "Four, five, one two",
)


@pytest.mark.parametrize("saying", SAYINGS)
@pytest.mark.parametrize("reason", ["", "the account 4512 was charged twice"])
def test_what_may_not_be_spoken_is_hidden_in_the_caller_s_own_words_too(saying: str, reason: str) -> None:
    turns = caller(f"I was charged twice and I want my money back because {saying} and that is not right")
    draft = briefing_draft(
        turns=turns, facts={"account_number": "4512"}, profile=Profile(facts=(HIDDEN,)), reason=reason
    )
    assert "4512" not in spoken_digits(draft)
    assert "charged twice" in draft


def test_what_may_be_spoken_is_digit_by_digit() -> None:
    draft = briefing_draft(turns=[], facts={"account_number": "4512"}, profile=Profile(facts=(OPEN,)))
    assert "4 5 1 2" in draft


def test_a_hidden_word_is_hidden_as_a_word_and_no_other() -> None:
    field = FactField(key="city", label="City", may_be_spoken=False)
    profile, facts = Profile(facts=(field,)), {"city": "Ulm"}
    assert hide("Sent from Ulm to ulmer Street", facts, profile) == "Sent from … to ulmer Street"


@given(st.lists(st.text(min_size=1, max_size=200), max_size=6), st.integers(min_value=1, max_value=60), st.text())
def test_a_briefing_is_never_longer_than_its_limit(texts: list[str], limit: int, reason: str) -> None:
    profile = Profile(word_limit=limit, facts=(OPEN,))
    draft = briefing_draft(turns=caller(*texts), facts={"account_number": "4512"}, profile=profile, reason=reason)
    assert 0 < len(draft.split()) <= max(limit, 6)


def test_the_sections_come_in_the_profile_s_order() -> None:
    name = FactField(key="name", label="Name")
    profile, turns = Profile(facts=(name,)), caller("The parcel never came to my door")
    drafts = [
        briefing_draft(turns=turns, facts={"name": "Ann"}, profile=profile, sections=sections)
        for sections in (("who", "reason"), ("reason", "who"))
    ]
    assert drafts == [
        "The caller is Ann. They say: The parcel never came to my door.",
        "They say: The parcel never came to my door. The caller is Ann.",
    ]


def test_the_problem_is_told_in_the_caller_s_words_not_the_wish_for_a_person() -> None:
    turns = [
        *caller("Hello, yes, my parcel was stolen from the porch."),
        *caller("Can I talk to a manager please?"),
    ]
    assert problem_of([turn(Speaker.AI, "How can I help you with your very long question?"), *turns]) == (
        "my parcel was stolen from the porch"
    )


# ── the replies ──────────────────────────────────────────────────────────────────────────────────


def consult(text: str, knowledge: ConsultKnowledge) -> tuple[str, str]:
    reply = consult_reply([Line("assistant", "Will you take the call?"), Line("user", text)], knowledge)
    return reply.tool, reply.text


@pytest.mark.parametrize(
    ("text", "tool"),
    [
        ("Yes", "accept_call"),
        ("No, I'm busy", "decline_call"),
        ("Ask Ines", "redirect_call"),
        ("Repeat that", "repeat_briefing"),
        ("You have reached my voicemail", "report_voicemail"),
        ("Not today", "not_today"),
    ],
)
def test_a_manager_s_answer_calls_its_tool(text: str, tool: str) -> None:
    assert consult(text, ConsultKnowledge(targets=TARGETS))[0] == tool


@pytest.mark.parametrize(
    "question", ["What is the account number?", "Tell me more", "Why are they calling?", "What did they say?"]
)
def test_no_answer_to_a_manager_says_what_may_not_be_spoken(question: str) -> None:
    knowledge = ConsultKnowledge(
        profile=Profile(facts=(HIDDEN,)),
        facts={"account_number": "4512"},
        transcript=tuple(caller("I was charged twice and my account number is four five one two you know")),
        reason="account 4512",
    )
    tool, text = consult(question, knowledge)
    assert tool == ""
    assert "4512" not in spoken_digits(text)


def test_a_name_that_may_not_be_spoken_is_not_told() -> None:
    field = FactField(key="name", label="Name", may_be_spoken=False)
    knowledge = ConsultKnowledge(profile=Profile(facts=(field,)), facts={"name": "Ann Lee"})
    assert "Ann" not in consult("Who is calling?", knowledge)[1]


def test_what_is_not_known_is_said_not_to_be() -> None:
    assert consult("What colour is the car?", ConsultKnowledge())[1].startswith(
        ("I do not know", "They only asked")
    )


def test_a_caller_who_asks_for_a_person_is_asked_for() -> None:
    reply = support_reply(
        [Line("user", "I was charged twice."), Line("user", "A person, please")], SupportKnowledge()
    )
    assert (reply.tool, reply.arguments["reason"]) == ("request_transfer", "I was charged twice.")


def test_a_fact_that_was_asked_for_is_recorded_once() -> None:
    knowledge = SupportKnowledge(profile=Profile(facts=(OPEN,)))
    asked = Line("assistant", "May I have your Account number, please?")
    reply = support_reply([asked, Line("user", "four five one two")], knowledge)
    assert (reply.tool, reply.arguments) == ("record_fact", {"key": "account_number", "value": "4512"})
    knowledge.facts["account_number"] = "4512"
    assert support_reply([asked, Line("user", "four five one two")], knowledge).tool == ""
