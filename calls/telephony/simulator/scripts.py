"""What people do on the phone after they picked up, each in a few lines. They decide from what they hear."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import numpy as np

from calls.agents.speech.intent import spoken_digits
from calls.telephony.simulator.options import Options
from calls.telephony.simulator.talk import Talk

QUESTION = r"\b(press|pressed) (1|one)\b|\bsay yes\b|\btake the call\b|\bto decline\b"
ASKED_BACK = r"\?|\btell me why\b|\bwho should\b"
CONNECTING = r"\bconnect"
FAREWELL = r"\b(good ?bye|bye bye|bye)\b"
INTRODUCTION = r"\b(you are|you're) now connected\b|\bleaving you\b"
ASKED_S = 90.0
QUESTION_ENDS_S = 1.1
AGREED_S = 8.0
MERGED_S = 1.5  # in which an introduction begins, if there is one
CHAT_S = 60.0
TALKS_S = 16.0  # longer than a manager has to talk to the caller before hanging up is a goodbye
ON_THE_LINE_S = 1800.0
CODE = "1234#"
REPLIES = (
    "I understand. I am looking at your account now.",
    "I see it here. I will put that right today, and you will get a message about it.",
    "Is there anything else that I can do for you?",
)


@dataclass(frozen=True)
class Scene:
    talk: Talk
    options: Options
    name: str


Script = Callable[[Scene], Awaitable[None]]


async def accepts(scene: Scene) -> None:
    await _asked(scene)
    await _agree(scene)
    await _converse(scene)


async def accepts_by_key(scene: Scene) -> None:
    await _asked(scene)
    await _agree(scene, how="key")
    await _converse(scene)


async def asks_again(scene: Scene) -> None:
    await _asked(scene)
    await scene.talk.press("3")
    await accepts(scene)


async def declines(scene: Scene) -> None:
    await _asked(scene)
    await scene.talk.say("No, I am in a meeting until three.")
    await _last_words(scene, if_asked="I am in a meeting until three.")


async def redirects(scene: Scene) -> None:
    await _asked(scene)
    await scene.talk.say("That belongs to Support. Please ask Support.")
    await _last_words(scene, if_asked="Please ask Support.")


async def names_another(scene: Scene) -> None:
    await _asked(scene)
    await scene.talk.say("Please ask Robin instead.")
    await _last_words(scene, if_asked="Please ask Robin.")


async def hesitates(scene: Scene) -> None:
    """Neither takes it nor declines."""
    await _asked(scene)
    while True:
        await scene.talk.say("Hold on, let me think about it.")
        await scene.talk.turn(15)


async def not_today(scene: Scene) -> None:
    await _asked(scene)
    await scene.talk.press("9")
    await _last_words(scene)


async def hangs_up(scene: Scene) -> None:
    """As soon as somebody has said the first sentence, while they go on."""
    await scene.talk.until(lambda: scene.talk.heard, ASKED_S)


async def drops(scene: Scene) -> None:
    await _asked(scene)
    await _agree(scene)
    await _introduced(scene)
    await scene.talk.say(f"Hello, this is {scene.name}.")
    await asyncio.sleep(4)


async def gives_back(scene: Scene) -> None:
    await _talks_then_presses(scene, "*0")


async def asks_another(scene: Scene) -> None:
    await _talks_then_presses(scene, "*1")


async def says_goodbye(scene: Scene) -> None:
    await _asked(scene)
    await _agree(scene)
    await _introduced(scene)
    await scene.talk.say(f"Hello, this is {scene.name}. I have put it right.")
    await scene.talk.until(lambda: False, TALKS_S)
    await scene.talk.say("Thank you for calling.")


async def called_back(scene: Scene) -> None:
    await scene.talk.say("Hello?")
    await scene.talk.turn(20)
    await _converse(scene)


async def asks_account_number(scene: Scene) -> None:
    talk = scene.talk
    await _asked(scene)
    for _ in range(2):
        await talk.say("What is the account number?")
        heard = re.sub(QUESTION, " ", await talk.turn(12))
        if len(spoken_digits(heard)) >= 3:
            await _agree(scene)
            return await _converse(scene)
    await talk.say("No, I cannot take it without the number.")
    return await _last_words(scene)


async def extension(scene: Scene) -> None:
    if await scene.talk.until(lambda: CODE in scene.talk.digits, 60):
        await accepts(scene)


async def silent(scene: Scene) -> None:
    await scene.talk.until(lambda: False, 120)


async def voicemail(scene: Scene) -> None:
    await scene.talk.say(
        f"You have reached the mailbox of {scene.name}. Yes, I am away from my desk. "
        "Press 1 to send a fax, or leave a message after the tone."
    )
    await scene.talk.party.play(_beep(), 16_000)
    await scene.talk.until(lambda: False, 60)


SCRIPTS: Mapping[str, Script] = {
    script.__name__: script
    for script in (
        accepts,
        accepts_by_key,
        asks_another,
        asks_account_number,
        called_back,
        asks_again,
        declines,
        drops,
        extension,
        gives_back,
        hangs_up,
        hesitates,
        names_another,
        not_today,
        redirects,
        says_goodbye,
        silent,
        voicemail,
    )
}

# ── parts of them ────────────────────────────────────────────────────────────────────────────────


async def _asked(scene: Scene) -> None:
    """Until the question has been asked, to its end: a yes to the half of it counts for nothing."""
    await scene.talk.asked(QUESTION, ASKED_S)
    await scene.talk.silence(QUESTION_ENDS_S, 15)


async def _agree(scene: Scene, how: str = "voice") -> None:
    """Again if the question comes again."""
    talk = scene.talk
    for _ in range(3):
        if (scene.options.accept or how) == "key":
            await talk.press("1")
        else:
            await talk.say("Yes, put them through.")
        heard = await talk.turn(AGREED_S)
        if re.search(CONNECTING, heard):
            talk.notes.add("merged", heard)
        if not re.search(QUESTION, heard):
            return


async def _talks_then_presses(scene: Scene, keys: str) -> None:
    await _asked(scene)
    await _agree(scene)
    await _introduced(scene)
    await scene.talk.say(f"Hello, this is {scene.name}. One moment, please.")
    for key in keys:
        await scene.talk.press(key)
    await _last_words(scene)


async def _introduced(scene: Scene) -> None:
    """Until the agent has nothing more to say, or somebody else speaks."""
    for _ in range(3):
        heard = await scene.talk.turn(MERGED_S)
        if not re.search(rf"{INTRODUCTION}|{CONNECTING}", heard):
            return


async def _converse(scene: Scene) -> None:
    """A manager's talk with the caller, until one of them says goodbye."""
    talk = scene.talk
    if not scene.options.chatter:
        await talk.until(lambda: False, ON_THE_LINE_S)
        return
    await _introduced(scene)
    await talk.say(f"Hello, this is {scene.name}. I have read your case. How can I help?")
    ends, silences, replies = time.monotonic() + CHAT_S, 0, iter(REPLIES)
    while time.monotonic() < ends and silences < 3:
        heard = await talk.turn(10)
        if is_farewell(heard):
            break
        if heard:
            if (reply := next(replies, None)) is None:
                break
            await talk.say(reply)
        else:
            silences += 1
            await talk.say("Hello, are you there?")
    await talk.say("Thank you for calling. Goodbye.")
    await talk.turn(3)


def is_farewell(heard: str) -> bool:
    """A goodbye to us; the agent's introduction ends with one to both."""
    return bool(re.search(FAREWELL, heard)) and not re.search(INTRODUCTION, heard)


async def _last_words(scene: Scene, if_asked: str = "") -> None:
    """Hears what is said to a refusal, and hangs up; answers once if that is a question."""
    heard = await scene.talk.turn(8)
    if if_asked and re.search(ASKED_BACK, heard):
        await scene.talk.say(if_asked)
        await scene.talk.turn(8)


def _beep() -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    t = np.arange(int(16_000 * 0.6)) / 16_000
    return (np.sin(2 * np.pi * 1000 * t) * 9000).astype(np.int16)
