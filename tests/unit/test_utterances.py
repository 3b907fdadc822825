"""What 200 managers and machines say to the question: only a yes takes the call."""

from __future__ import annotations

import sys

import pytest

from calls.agents.protocol import RosterDepartment
from calls.agents.speech.intent import manager_meaning
from transfers.agents.answer import AnswerGate, Verdict

TARGETS = (RosterDepartment(name="Claims", people=("Ines Ott", "Karl")), RosterDepartment(name="Billing"))
SHORT, LONG = 1.5, 6.0  # seconds; a machine's greeting is not short

YES = """
Yes. | Yes please. | Yeah. | Yep. | Yup. | Sure. | Okay. | OK. | Absolutely. | Certainly. | Yes, sure.
Yeah, okay. | Yes, thank you. | Sure, thanks. | Okay, please. | Yes, of course. | Alright, yes. | Oh yes.
Okay then. | Yes, fine. | Put them through. | Yes, put them through. | Sure, put them through please.
Okay, put him through. | Put her through. | Put the caller through. | Yeah, put the caller through.
Connect me. | Yes, connect us. | Okay, connect them. | I'll take it. | I will take it. | I'll take the call.
I will take the call. | I can take it. | I can take the call. | Yes, I'll take it.
Sure, I will take the call. | Go ahead. | Yes, go ahead. | Okay, go ahead please. | I accept. | Accept.
Yes, I accept. | Patch them through. | Yeah, patch them through. | No problem, put them through.
No problem, I'll take it. | Yes, put them three. | Yes, put them to you. | Put them true.
OK, put him threw. | Of course. | Of course, put them through. | Yes, absolutely. | Okay, sure.
Yup, put them through. | Yes, connect me. | Sure, I can take it. | Yeah, go ahead. | Yep, connect us.
Okay, patch them through. | Yes, I will take the call. | Certainly, put her through. | Absolutely, go ahead.
Sure thing, put them through. | I can take the call, thanks. | Well, okay. | Oh, sure. | Um, yes.
Fine, put them through. | Alright, I'll take it. | Yes yes.
"""
NOT_YES = """
No. | No thanks. | Nope. | I can't. | I cannot. | I can not take it. | Not now. | Not right now. | I'm busy.
I am busy. | I'm in a meeting. | I decline. | Decline. | I am not available. | Don't put them through.
Do not put them through. | Who is this? | Yes, who is this? | Who's calling? | What is it about?
Okay, but what is it about? | Why me? | What's the name? | What is the account number?
How long have they waited? | When did they call? | Where is it? | Can you repeat that?
Could you say that again? | Tell me more. | More details please. | Hello? | Yes, hello?
Hello, Dana speaking. | This is Dana. | Yes, this is Dana. | Dana here. | Good morning. | Speaking. | Mhm.
Hm. | Uh. | Maybe. | I'm not sure. | Not sure, maybe. | Hold on. | Yes, hold on. | Sure, one moment.
Okay, one second. | Wait. | Yes, just a second. | Wait, who? | First tell me the name.
If it is quick, yes. | Yes, if it is urgent. | Accept? Why? | Yes? | Okay? | Sure? | Put them on hold.
Yes, put them to voicemail. | Ask Karl. | Try Claims. | Send it to Claims. | That belongs to Claims.
Give it to Ines. | Transfer it to Billing. | Not today. | Please, not today. | Repeat.
You have reached the voicemail of Dana. | Yes, you have reached the mailbox of Dana Reed.
Please leave a message. | Leave a message after the tone. | Sure, leave your name after the tone.
I am not available to take your call. | Press 1 to leave a message. | For yes press 1, for no press 2.
Press one to be connected. | Press pound for more. | At the beep, please say yes.
The person you are calling is unavailable. Yes. | The mailbox is full.
Welcome to the voicemail of Billing, say yes to go on. | Hi, you have reached Dana, yes, I am out.
Sure, I am away, at the beep tell me who you are. | Your call cannot be taken at the moment.
yes I know that caller from last week and I would rather talk about something else with you today
Yes, leave it with me. | I will take it tomorrow, not now. | I can't take it. | I cannot accept.
I don't accept. | I won't take the call | Never put them through. | Connect me with somebody else first?
Okay, when? | Sure, how? | Yes, but who? | Go ahead and tell me more.
I'll take it if it's short, but first, who is it? | Go ahead, who is it?
The number you have dialled is not in service. | Please hold. | Your call is important to us.
All lines are busy. | Of course not. | Well. | Oh. | Then. | Thanks. | Please. | You are welcome.
Say that again, please. | Once more? | Is it about the refund? | Does she have an account? | Which order?
Did you tell them? | Are they angry? | How so? | I would, but I can't. | Okay so what happened?
Yes and what do they want? | Sure if you tell me the name first. | Thank you for watching. | You. | Bye.
... | 1-80 | Okay Google. | yes no | yes no maybe
"""


def listed(text: str) -> list[str]:
    return [said.strip() for said in text.replace("\n", "|").split("|") if said.strip()]


def takes_the_call(said: str, seconds: float) -> bool:
    """As the agent decides: what it means, and whether it was short and came after the question."""
    gate = AnswerGate()
    gate.asked(10.0)
    accepts = manager_meaning(said, TARGETS).kind == "accept"
    return accepts and gate.spoken_yes(11.0, 11.0 + seconds) == Verdict.COUNTS


def test_there_are_two_hundred() -> None:
    assert len(listed(YES)) + len(listed(NOT_YES)) >= 200
    assert len(set(listed(YES)) & set(listed(NOT_YES))) == 0


@pytest.mark.parametrize("said", listed(NOT_YES))
def test_nothing_else_takes_a_call(said: str) -> None:
    assert not takes_the_call(said, SHORT)


@pytest.mark.parametrize("said", listed(YES))
def test_a_yes_does_unless_it_comes_early_or_takes_long(said: str) -> None:
    assert not takes_the_call(said, LONG)
    early = AnswerGate()
    assert early.spoken_yes(1.0, 2.0) == Verdict.TOO_EARLY


def test_most_who_agree_are_understood(capsys: pytest.CaptureFixture[str]) -> None:
    understood = [said for said in listed(YES) if takes_the_call(said, SHORT)]
    recall = len(understood) / len(listed(YES))
    with capsys.disabled():
        sys.stdout.write(f"[recall {recall:.0%} of {len(listed(YES))}] ")
    assert recall >= 0.95, sorted(set(listed(YES)) - set(understood))
