"""What a manager who accepts on screen, or types, means to the agent on the line."""

from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from livekit.agents import StopResponse

from calls.agents import protocol as p
from transfers.agents import consultation as module
from transfers.agents import lines
from transfers.agents.consultation import Consultation

A = p.DecisionKind


class Talk:
    """A line on which everything is said to its end at once."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.speaking = False
        self.last_turn = (0.0, 0.0)

    async def say(self, text: str, *, interruptible: bool = False) -> bool:
        self.said.append(text)
        return True

    async def hush(self) -> None:
        self.said.append("…")


class Switch:
    on = True

    def set_audio_enabled(self, on: bool) -> None:
        self.on = on


class Session:
    def __init__(self) -> None:
        self.input, self.output = Switch(), Switch()
        self.agent_state = "listening"
        self.replies: list[tuple[str, bool]] = []  # to what, and whether it was to be heard
        self.on_reply: Any = None

    async def generate_reply(self, user_input: str) -> None:
        self.replies.append((user_input, self.output.on))
        if self.on_reply:
            await self.on_reply()


class Line:
    """A consultation that is prepared, and what it tells the console."""

    def __init__(self, *, accepted: bool = False, practice: bool = False) -> None:
        transfer = p.TransferSnapshot(
            transfer_id=uuid4(),
            state="connecting",
            briefing="They say: charged twice.",
            accepted_on_screen=accepted,
            practice=practice,
        )
        snapshot = p.Snapshot(call_id=uuid4(), room="call-1", transfer=transfer)
        self.reports: list[Any] = []
        self.tasks: list[asyncio.Task[Any]] = []
        link: Any = SimpleNamespace(report=self.reports.append)
        self.consultation = Consultation(snapshot, link, manager="manager-1", run=self.run)
        self.talk, self.session = Talk(), Session()
        self.consultation.talk, self.consultation.session = self.talk, self.session  # type: ignore[assignment]
        self.consultation._prepared.set()

    def run(self, work: Any) -> asyncio.Task[Any]:
        self.tasks.append(asyncio.create_task(work))
        return self.tasks[-1]

    async def answered(self, *, by_phone: bool = True) -> None:
        self.run(self.consultation.hold(by_phone=by_phone))
        await turns()

    def hears(self, text: str, *, seconds: float = 1.0, began_ago: float = 0.0) -> bool:
        began = time.time() - began_ago
        return self.consultation.takes_turn(text, (began, began + seconds))

    @property
    def decisions(self) -> list[tuple[str, str]]:
        return [(one.decision, one.via) for one in self.reports if isinstance(one, p.ManagerDecision)]

    async def over(self) -> None:
        self.consultation.decided = True
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


async def turns() -> None:
    for _ in range(8):
        await asyncio.sleep(0)


async def test_who_has_accepted_is_not_briefed_and_is_taken_at_their_word() -> None:
    line = Line(accepted=True)
    await line.answered()
    assert line.talk.said == [f"Patchbay, a caller is waiting. {lines.SAY_HELLO}"]
    assert line.hears("Hello, Dana here.")
    assert line.decisions == [(A.ACCEPT, "screen")]
    await line.over()


async def test_what_was_said_into_our_first_line_is_no_person_yet() -> None:
    line = Line(accepted=True)
    await line.answered()
    assert line.hears("Hello?", began_ago=5)
    assert line.decisions == []
    await line.over()


async def test_a_long_turn_is_a_machine() -> None:
    line = Line(accepted=True)
    await line.answered()
    assert line.hears("This is the phone of Dana and I am out today, so", seconds=6)
    assert line.decisions == [(A.VOICEMAIL, "voice")]
    await line.over()


async def test_and_so_is_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HELLO_SECONDS", 0.0)
    line = Line(accepted=True)
    await line.answered()
    assert line.decisions == [(A.VOICEMAIL, "timer")]
    await line.over()


async def test_a_no_on_the_phone_is_still_a_no() -> None:
    line = Line(accepted=True)
    await line.answered()
    assert not line.hears("No, I can't, I am driving.")
    assert line.decisions == []
    await line.over()


async def test_a_key_takes_the_call_as_ever() -> None:
    line = Line(accepted=True)
    await line.answered()
    await line.consultation.pressed("1")
    assert line.decisions == [(A.ACCEPT, "key")]
    await line.over()


async def test_in_the_browser_the_microphone_is_enough() -> None:
    line = Line(accepted=True)
    await line.answered(by_phone=False)
    assert line.decisions == [(A.ACCEPT, "screen")]
    assert line.talk.said == []
    await line.over()


async def test_who_has_been_heard_already_needs_no_hello() -> None:
    line = Line()
    await line.answered()
    assert line.talk.said[-1] == lines.QUESTION
    line.hears("Which order is that?")
    await line.consultation.accepted()
    assert line.decisions == [(A.ACCEPT, "screen")]
    await line.over()


async def test_who_has_not_is_asked_for_one_in_the_middle_of_the_briefing() -> None:
    line = Line()
    await line.answered()
    await line.consultation.accepted()
    assert line.talk.said[-2:] == ["…", lines.SAY_HELLO]
    assert line.decisions == []
    assert line.hears("Yes, hello.")
    assert line.decisions == [(A.ACCEPT, "screen")]
    await line.over()


async def test_a_typed_question_is_answered_in_writing_until_they_are_on_the_line() -> None:
    line = Line()
    await line.consultation.asked("Which order?")
    await line.answered()
    await line.consultation.asked("Since when?")
    assert line.session.replies == [("Which order?", False), ("Since when?", True)]
    await line.over()


async def test_a_typed_yes_is_a_click_and_no_voice() -> None:
    line = Line()

    async def model_takes_it_for_a_yes() -> None:
        with pytest.raises(StopResponse):
            await line.consultation.accept()

    line.session.on_reply = model_takes_it_for_a_yes
    await line.consultation.asked("Yes, put them through.")
    await line.answered()
    assert line.decisions == []
    assert line.talk.said == [f"Patchbay, a caller is waiting. {lines.SAY_HELLO}"]
    await line.over()


@pytest.mark.parametrize("key", ["2", "5", "9"])
async def test_in_a_rehearsal_a_key_that_would_end_it_is_explained(key: str) -> None:
    line = Line(practice=True)
    await line.answered()
    await line.consultation.pressed(key)
    assert line.talk.said[-2:] == ["…", lines.LESSONS[key]]
    spoken = {
        "2": line.consultation.decline("I am driving"),
        "5": line.consultation.redirect("Claims", ""),
        "9": line.consultation.not_today(),
    }
    assert await spoken.pop(key) == lines.LESSONS[key]
    for other in spoken.values():
        other.close()
    assert line.decisions == []
    await line.consultation.pressed("1")
    assert line.decisions == [(A.ACCEPT, "key")]
    await line.over()


async def test_a_call_is_no_rehearsal_and_its_snapshot_does_not_speak_of_one() -> None:
    line = Line()
    await line.answered()
    await line.consultation.pressed("9")
    assert line.decisions == [(A.NOT_TODAY, "key")]
    assert "practice" not in line.consultation.transfer.model_dump()
    await line.over()


def test_a_snapshot_of_an_earlier_console_is_understood() -> None:
    made = p.TransferSnapshot.model_validate({"transfer_id": str(uuid4()), "state": "consulting"})
    assert not made.accepted_on_screen
