"""What the rule-based brain says or does next: pure functions of the conversation."""

from __future__ import annotations

import re
from collections.abc import Sequence

from calls.agents.protocol import FactField
from calls.agents.speech.callback_talk import callback_reply
from calls.agents.speech.intent import caller_meaning, manager_meaning, normal, spoken_digits, spoken_name
from calls.agents.speech.knowledge import ConsultKnowledge, SupportKnowledge
from calls.agents.speech.lines import Line, Reply, last_said
from calls.agents.speech.summary import fact_lines, hide, problem_of

ANSWERS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("charged twice", "double charge", "charged two"), "A double charge is usually returned within five days."),
    (("refund", "money back"), "A refund takes up to five working days once it is approved."),
    (("opening hours", "open", "hours"), "We are here from eight to six, Monday to Friday."),
    (("password", "log in", "login"), "You can set a new password with the link on the log in page."),
    (("claim",), "A claim is decided within ten working days after we have all papers."),
    (("cancel",), "You can cancel at the end of any month."),
    (("invoice", "bill"), "You find every invoice in your account under documents."),
    (("lost", "stolen"), "I can have a lost card blocked at once."),
    (("address", "moved", "move"), "You can change your address in your account under profile."),
)
MAX_QUESTIONS = 3
DONE = "anything else i can"  # how the question whether there is anything else is known
AT_ONCE = re.compile(r"\b(transfer|connect|put) me (on |through )?(directly|right away without|straight)")


def support_reply(lines: Sequence[Line], knowledge: SupportKnowledge) -> Reply:
    """The SupportAgent's next reply to a conversation whose last line is the caller's or a tool's."""
    last = lines[-1]
    if last.role == "tool":
        return _after_tool(last, lines, knowledge)
    agreed = callback_reply(lines, knowledge)
    if agreed:
        return agreed
    meaning = caller_meaning(last.text, knowledge.departments)
    asked = last_said(lines).lower()
    if knowledge.may_refer and AT_ONCE.search(normal(last.text)):
        return _request(lines, meaning.department, meaning.person, cold=True)
    if meaning.kind == "person":
        return _request(lines, meaning.department, meaning.person)
    if DONE in asked and meaning.kind == "no":
        return Reply(tool="say_goodbye")
    if "try again" in asked and meaning.kind == "yes":
        return _request(lines, "", None)
    if meaning.kind == "goodbye":
        return Reply(tool="say_goodbye")
    fact = _fact_in(last.text, asked, knowledge)
    if fact:
        return Reply(tool="record_fact", arguments=fact)
    return Reply(_answer(last.text, lines, knowledge))


def _request(lines: Sequence[Line], department: str, person: str | None, *, cold: bool = False) -> Reply:
    said = [line.text for line in lines if line.role == "user"]
    reason = max(said, key=lambda text: len(text.split()), default="The caller asks for a person.")
    arguments = {"reason": reason[:300], "department": department}
    if person:
        arguments["person"] = person
    if cold:
        arguments["without_briefing"] = "true"
    return Reply(tool="request_transfer", arguments=arguments)


def _after_tool(last: Line, lines: Sequence[Line], knowledge: SupportKnowledge) -> Reply:
    if last.tool in ("request_transfer", "request_callback"):
        return Reply(last.text)
    if last.tool == "say_goodbye":
        return Reply("Thank you for calling. Goodbye.")
    question = _question(lines, knowledge)
    return Reply(f"Thank you, I have noted that. {question or 'What else can I do for you?'}")


def _answer(text: str, lines: Sequence[Line], knowledge: SupportKnowledge) -> str:
    said = normal(text)
    known = next((answer for keys, answer in ANSWERS if any(key in said for key in keys)), "")
    question = _question(lines, knowledge)
    if known:
        return f"I understand. {known} {question}".strip()
    if caller_meaning(text).kind == "no":
        return "All right. How can I help you?"
    if question:
        return f"I see. {question}"
    return "I see. I can answer questions about bills, refunds and accounts, or connect you with a colleague."


def _question(lines: Sequence[Line], knowledge: SupportKnowledge) -> str:
    """Ask for the next required fact; the same one at most twice, and not for ever."""
    asked = [line.text.lower() for line in lines if line.role == "assistant"]
    for fact in _wanted(knowledge):
        if sum(fact.label.lower() in text and "?" in text for text in asked) < 2:
            return f"May I have your {fact.label}, please?"
    return ""


def _wanted(knowledge: SupportKnowledge) -> list[FactField]:
    return [f for f in knowledge.profile.facts if f.required and not knowledge.facts.get(f.key)][:MAX_QUESTIONS]


def _fact_in(text: str, asked: str, knowledge: SupportKnowledge) -> dict[str, str] | None:
    """A fact the caller just gave: the one asked for, or a number they named by its label."""
    said = normal(text)
    for fact in knowledge.profile.facts:
        label = fact.label.lower()
        was_asked = label in asked and "?" in asked
        named = label in said or (label.endswith("number") and label.split()[0] in said)
        value = ""
        if "number" in label and (was_asked or named):
            digits = spoken_digits(text)
            value = digits if len(digits) >= 3 else ""
        elif fact.key == "name" and (was_asked or "my name is" in said):
            value = spoken_name(text)
        elif was_asked and len(text.split()) <= 12:
            value = text.strip().rstrip(".")
        if value and knowledge.facts.get(fact.key) != value:
            return {"key": fact.key, "value": value}
    return None


# ── the consultation ─────────────────────────────────────────────────────────────────────────────

TOOL_OF_MEANING = {
    "accept": "accept_call",
    "decline": "decline_call",
    "redirect": "redirect_call",
    "repeat": "repeat_briefing",
    "voicemail": "report_voicemail",
    "not_today": "not_today",
}


def consult_reply(lines: Sequence[Line], knowledge: ConsultKnowledge) -> Reply:
    """The TransferAgent's next reply to a manager."""
    last = lines[-1]
    if last.role == "tool":
        return Reply(last.text)
    meaning = manager_meaning(last.text, knowledge.targets)
    tool = TOOL_OF_MEANING.get(meaning.kind)
    if tool == "decline_call":
        return Reply(tool=tool, arguments={"reason": meaning.reason})
    if tool == "redirect_call":
        return Reply(tool=tool, arguments={"department": meaning.department, "person": meaning.person})
    if tool:
        return Reply(tool=tool)
    return Reply(f"{_from_record(normal(last.text), meaning.kind, knowledge)} Will you take the call?")


def _may_say(key: str, knowledge: ConsultKnowledge) -> str:
    hidden = any(fact.key == key and not fact.may_be_spoken for fact in knowledge.profile.facts)
    return "" if hidden else knowledge.facts.get(key, "")


def _from_record(said: str, kind: str, knowledge: ConsultKnowledge) -> str:
    """Answer from the facts and the conversation, or say that it is not known."""
    for fact in knowledge.profile.facts:
        words = [w for w in fact.label.lower().split() if w not in ("number", "the")]
        if fact.label.lower() in said or any(word in said for word in words):
            value = knowledge.facts.get(fact.key)
            if not value or not fact.may_be_spoken:
                return f"I do not know the {fact.label}."
            return f"The {fact.label} is {' '.join(value) if value.isdigit() else value}."
    if "who" in said:
        name = _may_say("name", knowledge)
        return f"The caller is {name}." if name else "The caller did not give a name."
    if kind == "details" or any(word in said for word in ("why", "what", "about", "problem", "say", "details")):
        problem = hide(problem_of(knowledge.transcript) or knowledge.reason, knowledge.facts, knowledge.profile)
        extra = "; ".join(fact_lines(knowledge.facts, knowledge.profile))
        return f"They said: {problem}. {extra}".strip() if problem else "They only asked for a person."
    if kind == "unclear":
        return "I did not understand."
    return "I do not know that."
