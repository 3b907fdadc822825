"""What the TransferAgent says by itself, and what a language model in its place is told."""

from __future__ import annotations

from calls.agents import protocol as p

QUESTION = "Press 1 or say yes to take the call, 2 to decline. Will you take the call?"
ASKS = "take the call?"  # how our question is known in a reply
WHY = "Tell me why, so that I can tell the caller."
WHERE_TO = "Who should take it? Say a name or a department."
NOT_UNDERSTOOD = "I did not catch a name that I know. Will you take the call?"


SAY_HELLO = "You took the call on screen. Say hello, or press 1, and I connect you."


# What a key or an answer would have done: in a rehearsal with a manager it is told instead.
LESSONS = {
    "2": "On a real call, 2 declines, and you may say why: the caller is told. Now nothing has happened.",
    "5": "On a real call, 5 asks you who should take it, and calls them. Now nothing has happened.",
    "9": "On a real call, 9 means that you are not called any more today. Now nothing has happened.",
}


def opening(transfer: p.TransferSnapshot) -> str:
    where = f" for {transfer.department}" if transfer.department else ""
    return f"Patchbay{where}, a caller is waiting."


def instructions(snapshot: p.Snapshot) -> str:
    transfer, profile = snapshot.transfer, snapshot.profile
    assert transfer is not None
    spoken = {f.key: f.label for f in profile.facts if f.may_be_spoken}
    facts = "\n".join(
        f"- {label}: {snapshot.facts[key]}" for key, label in spoken.items() if key in snapshot.facts
    )
    talk = "\n".join(
        f"{'Customer' if turn.speaker == p.Speaker.CALLER else 'Assistant'}: {turn.text}"
        for turn in snapshot.transcript
        if turn.side == "call" and turn.text.strip()
    )
    targets = "; ".join(f"{t.name}: {', '.join(t.people)}" for t in transfer.redirect_targets)
    return "\n\n".join(
        (
            "You are on the telephone with a manager who was called because a customer waits on hold. You have "
            "told them why; now you answer their questions in one or two short sentences, and find out whether "
            "they take the call. End every answer with: Will you take the call?",
            "Answer only from what stands here. If it does not, say that you do not know.",
            f"Why they were called: {transfer.reason}" if transfer.reason else "",
            f"Known of the customer:\n{facts}" if facts else "",
            f"The conversation so far:\n{talk}" if talk else "",
            f"They may send the customer to somebody else, of these only: {targets}" if targets else "",
            "Call accept_call only if they clearly agree, decline_call with their reason if they refuse, "
            "redirect_call if they name somebody else, report_voicemail if this is an answering machine.",
        )
    )
