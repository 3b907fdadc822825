"""Calls and transfers as rows, in every state a page can show: for tests of pages, written without services."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from calls.agents.protocol import Role
from calls.events import SYSTEM, Actor, record
from calls.models import AgentJob, AgentProfile, Call, CallFact, Department, Leg, LegKind, Room, Utterance
from calls.states import CallerWith, CallState
from calls.timing import now
from transfers.models import Attempt, BriefingVersion, Callback, Endpoint, Manager, Policy, Presence, Transfer
from transfers.states import AttemptState, EndReason, Outcome, TransferState
from transfers.transfer_events import TransferMoved, TransferRequested

FACTS = [
    {"key": "name", "label": "Name", "required": True, "may_be_spoken": True},
    {"key": "account_number", "label": "Account number", "required": True, "may_be_spoken": True},
    {"key": "callback", "label": "Best time to call back", "required": False, "may_be_spoken": False},
]


def ago(seconds: float) -> datetime:
    return now() - timedelta(seconds=seconds)


def department(name: str, *, approval: Policy.Approval = Policy.Approval.AUTO) -> Department:
    made = Department.objects.create(name=name)
    AgentProfile.objects.create(department=made, greeting=f"Hello, this is {name}.", facts=FACTS)
    Policy.objects.create(department=made, approval=approval, hold_limit_s=600)
    return made


def manager(name: str, *departments: Department, priority: int = 1, **fields: object) -> Manager:
    made = Manager.objects.create(name=name, priority=priority, **fields)
    made.departments.set(departments)
    Endpoint.objects.create(manager=made, address="+12025550101")
    return made


def call(
    where: Department | None,
    number: str = "+12025550144",
    *,
    seconds: float = 60,
    caller_with: CallerWith = CallerWith.AI,
    **fields: object,
) -> Call:
    states = {CallerWith.AI: CallState.ACTIVE}
    profile = AgentProfile.objects.filter(department=where).first() if where else None
    defaults = {
        "room_name": f"call-{uuid4()}",
        "department": where,
        "profile": profile,
        "caller_with": caller_with,
        "state": states.get(caller_with, CallState.ESCALATED),
        "caller_since": ago(seconds / 2),
        "started_at": ago(seconds),
        "last_fact_at": now(),
        "caller_identity": "caller-1",
        "caller_number": number,
        "caller_last4": number[-4:],
    }
    return Call.objects.create(**(defaults | fields))


def agent(of: Call) -> AgentJob:
    """The AI's job in a call's room."""
    return agents([of])[0]


def agents(of: Iterable[Call]) -> list[AgentJob]:
    return AgentJob.objects.bulk_create(
        AgentJob(
            pk=f"AJ_{uuid4()}",
            call=call,
            role=Role.SUPPORT,
            room_name=call.room_name,
            started_at=call.started_at,
            last_seen_at=now(),
        )
        for call in of
    )


def say(of: Call, speaker: str, text: str, *, seconds: float, attempt: Attempt | None = None) -> Utterance:
    return Utterance.objects.create(
        call=of,
        speaker=speaker,
        text=text,
        started_at=ago(seconds),
        side="consultation" if attempt else "call",
        attempt_id=attempt.pk if attempt else None,
    )


def transfer(of: Call, state: TransferState, *, seconds: float = 30, **fields: object) -> Transfer:
    defaults = {
        "state": state,
        "request_key": uuid4(),
        "department": of.department,
        "reason": "charged twice, wants a person",
        "profile": of.profile,
        "requested_at": ago(seconds),
        "briefing": "A caller for Billing was charged twice for one order and wants the money back.",
    }
    made = Transfer.objects.create(call=of, **(defaults | fields))
    record(
        TransferRequested(kind="warm", by="ai", department_id=made.department_id),
        actor=Actor("ai"),
        call_id=of.pk,
        transfer_id=made.pk,
    )
    BriefingVersion.objects.create(
        transfer=made,
        nth=1,
        author=BriefingVersion.Author.EXTRACTION,
        text=made.briefing,
        saved_at=made.requested_at,
    )
    return made


def attempt(
    of: Transfer, who: Manager, state: AttemptState, *, seconds: float = 20, nth: int = 1, **fields: object
):  # type: ignore[no-untyped-def]
    defaults = {
        "state": state,
        "reserved_at": ago(seconds),
        "dialed_at": ago(seconds - 0.2),
        "ranking": [{"name": who.name, "priority": 1, "passed_over": ""}],
    }
    return Attempt.objects.create(transfer=of, manager=who, nth=nth, **(defaults | fields))


def callback(of: Call, *, due_in_s: float, **fields: object) -> Callback:
    """A promise to call; overdue when `due_in_s` is negative."""
    defaults = {
        "request_key": uuid4(),
        "department": of.department,
        "number": of.caller_number,
        "number_last4": of.caller_last4,
        "preferred": "tomorrow morning",
        "briefing": "Wants to know why the old plan is still on the invoice.",
        "asked_at": ago(7200),
        "due_at": ago(-due_in_s),
    }
    return Callback.objects.create(call=of, **(defaults | fields))


def phone_leg(of: Call) -> Leg:
    """The caller's telephone in the call's room."""
    return Leg.objects.create(
        call=of,
        kind=LegKind.CALLER,
        identity=of.caller_identity,
        participant_sid=f"PA_{uuid4()}",
        room_name=of.room_name,
        by_phone=True,
        joined_at=of.started_at,
    )


@dataclass(frozen=True)
class Floor:
    """A floor with something in every state, where only `waiting` needs a supervisor."""

    billing: Department
    claims: Department
    waiting: Transfer
    briefing: Transfer
    merged: Transfer
    completed: Transfer
    returned: Transfer


def floor() -> Floor:
    billing, claims = department("Billing", approval=Policy.Approval.APPROVE), department("Claims")
    people = {n: manager(n, billing, priority=i) for i, n in enumerate(("Dana", "Omar", "Noor"), 1)}
    people["Lea"] = manager("Lea", billing, claims, presence=Presence.AWAY, presence_reason="lunch")
    people["Ines"] = manager("Ines", claims)
    people["Karl"] = manager("Karl", claims, last_call_ended_at=ago(540))
    waiting = _waiting(billing)
    briefing = _briefing(billing, people["Dana"], people["Noor"])
    merged = _merged(claims, people["Ines"])
    _plain(billing, claims)
    returned = _returned(billing, people["Omar"])
    completed = _completed(billing, people["Omar"])
    _rooms(briefing.call)
    agents(Call.objects.exclude(state=CallState.INACTIVE))
    return Floor(billing, claims, waiting, briefing, merged, completed, returned)


def _waiting(billing: Department) -> Transfer:
    asking = call(billing, "+12025554417", seconds=95, agent_state="speaking")
    say(asking, "ai", "Hello, this is Billing. You are talking to an AI. How can I help?", seconds=92)
    say(asking, "caller", "I was charged twice for order 5521 and I want my money back.", seconds=80)
    say(asking, "ai", "I am sorry about that. What name is the account under?", seconds=74)
    say(asking, "caller", "Alex Romero. Look, can I just talk to a person, please?", seconds=40)
    say(asking, "ai", "Of course. I am asking a colleague whether they can take your call.", seconds=32)
    CallFact.objects.create(call=asking, key="name", value="Alex Romero", learned_at=ago(60))
    return transfer(asking, TransferState.REQUESTED, seconds=21)


def _briefing(billing: Department, dana: Manager, noor: Manager) -> Transfer:
    held = call(billing, "+12025550935", seconds=180, caller_with=CallerWith.HOLD, caller_speaking=True)
    say(held, "ai", "Hello, this is Billing. How can I help?", seconds=178)
    say(held, "caller", "My last invoice is wrong, it still has the old plan on it.", seconds=160)
    say(held, "caller", "Could somebody call me back, or better, can I talk to someone now?", seconds=90)
    CallFact.objects.create(call=held, key="name", value="Sam Okafor", learned_at=ago(120))
    CallFact.objects.create(call=held, key="account_number", value="88 21 40 17", learned_at=ago(110))
    made = transfer(held, TransferState.CONSULTING, seconds=62, held_at=ago(61))
    attempt(
        made,
        noor,
        AttemptState.FAILED,
        seconds=60,
        outcome=Outcome.NO_ANSWER,
        sip_status=480,
        ended_at=ago(35),
        ringing_at=ago(59),
    )
    second = attempt(
        made, dana, AttemptState.SUMMARIZING, seconds=34, nth=2, ringing_at=ago(33), answered_at=ago(18)
    )
    say(held, "transfer_agent", "Patchbay for Billing, a caller is waiting.", seconds=17, attempt=second)
    say(
        held,
        "transfer_agent",
        "Sam Okafor says the last invoice still has the old plan. Press 1 to take the call, 2 to decline.",
        seconds=13,
        attempt=second,
    )
    say(held, "manager", "Which invoice is that?", seconds=5, attempt=second)
    return made


def _merged(claims: Department, ines: Manager) -> Transfer:
    talking = call(claims, "+12025552210", seconds=400, caller_with=CallerWith.MANAGER)
    say(talking, "ai", "Hello, this is Claims. How can I help?", seconds=395)
    say(talking, "caller", "I need to change the address on my claim.", seconds=380)
    made = transfer(talking, TransferState.MERGED, seconds=190, held_at=ago(188), merged_at=ago(130))
    first = attempt(
        made,
        ines,
        AttemptState.MERGED,
        seconds=186,
        ringing_at=ago(185),
        answered_at=ago(170),
        merged_at=ago(130),
    )
    say(talking, "transfer_agent", "Patchbay for Claims, a caller is waiting.", seconds=168, attempt=first)
    say(talking, "manager", "Yes, put them through.", seconds=132, attempt=first)
    say(talking, "manager", "Hello, Ines here. You would like to change an address?", seconds=126)
    say(talking, "caller", "Yes, thank you for taking this so quickly.", seconds=118)
    return made


def _plain(billing: Department, claims: Department) -> None:
    for number, where, words, seconds in (
        ("+12025551880", claims, "my policy number is on the letter, one moment", 44),
        ("+12025556003", billing, "I would like to pay by card instead", 131),
        ("+12025557719", None, "is this the right number for deliveries?", 12),
    ):
        made = call(where, number, seconds=seconds, agent_state="speaking")
        say(made, "caller", words, seconds=seconds / 2)
    call(claims, "", seconds=4, source=Call.Source.TEST, agent_state="speaking")


def _returned(billing: Department, omar: Manager) -> Transfer:
    back = call(billing, "+12025553301", seconds=240, agent_state="speaking", caller_since=ago(9))
    say(back, "caller", "nobody ever answers, do they", seconds=6)
    made = transfer(
        back,
        TransferState.FAILED,
        seconds=60,
        held_at=ago(58),
        ended_at=ago(9),
        end_reason=EndReason.NO_MANAGER,
    )
    attempt(made, omar, AttemptState.FAILED, seconds=57, outcome=Outcome.BUSY, sip_status=486, ended_at=ago(10))
    return made


def _completed(billing: Department, omar: Manager) -> Transfer:
    ended = call(
        billing,
        "+12025559052",
        seconds=1900,
        state=CallState.INACTIVE,
        ended_at=ago(1500),
        end_reason="caller_left",
    )
    say(ended, "caller", "I would like to close my account.", seconds=1880)
    made = transfer(
        ended,
        TransferState.COMPLETED,
        seconds=1800,
        held_at=ago(1798),
        merged_at=ago(1760),
        ended_at=ago(1500),
        end_reason=EndReason.CONNECTED,
    )
    attempt(
        made,
        omar,
        AttemptState.ENDED,
        seconds=1797,
        answered_at=ago(1785),
        merged_at=ago(1760),
        ended_at=ago(1500),
    )
    for before, after in (("requested", "queued"), ("queued", "connecting"), ("connecting", "consulting")):
        record(
            TransferMoved(from_state=before, to_state=after), actor=SYSTEM, call_id=ended.pk, transfer_id=made.pk
        )
    return made


def _rooms(held: Call) -> None:
    caller = {
        "identity": "caller-1",
        "kind": "sip",
        "state": "active",
        "tracks": [{"kind": "audio", "source": "microphone", "muted": False}],
        "sip": {"sip.callStatus": "active", "sip.phoneNumber": held.caller_number, "sip.trunkID": "ST_demo"},
    }
    agent = {"identity": "support", "kind": "agent", "state": "active", "tracks": [], "sip": {}}
    rooms = (
        (held.room_name, Room.Kind.CALL, held, [caller, agent]),
        (f"consult-{uuid4()}", Room.Kind.CONSULT, held, [agent | {"identity": "transfer-1"}]),
        ("standup-with-the-team", Room.Kind.FOREIGN, None, [{"identity": "jo", "kind": "standard", "tracks": []}]),
    )
    for name, kind, of, participants in rooms:
        Room.objects.create(
            name=name, kind=kind, call=of, created_at=ago(170), seen_at=now(), participants=participants
        )
