"""The typed messages of the agent link: one WebSocket a job, both sides import this module.

Every frame is one JSON object. Up frames (agent → console) and down frames (console → agent) carry a
sequence of their own, counted from 1 for the life of the job. A side stores a frame before it sends it,
keeps it until the other has acknowledged it, and applies what it receives in order and once.
Times are aware and in UTC; durations name their unit. This module imports neither Django nor LiveKit.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

HEARTBEAT_SECONDS = 1.0
DEAD_AFTER_SECONDS = 2.5


class Strict(BaseModel):
    """Immutable, and refuses a field it does not know, and a number that JSON cannot say."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Role(StrEnum):
    """What a job does; the one agent name serves all three."""

    SUPPORT = "support"
    TRANSFER = "transfer"
    BRIDGE = "bridge"


class DispatchMetadata(Strict):
    """The JSON in a dispatch's metadata: tells a job its role.

    A job without metadata (a dispatch rule that is not ours made it) is a support job.
    """

    role: Role = Role.SUPPORT
    attempt_id: UUID | None = None
    call_room: str = ""
    bridge_token: str = ""  # join token for `call_room`, identity `bridge-<attempt_id>`


# ── what a job is told about its call ────────────────────────────────────────────────────────────


class Speaker(StrEnum):
    CALLER = "caller"
    AI = "ai"
    MANAGER = "manager"
    TRANSFER_AGENT = "transfer_agent"
    SUPERVISOR = "supervisor"


class Turn(Strict):
    """One finished utterance. `side` tells the caller's room from the consultation."""

    speaker: Speaker
    text: str
    at: datetime
    side: Literal["call", "consultation"] = "call"


class FactField(Strict):
    """One fact the profile asks the AI to collect."""

    key: str
    label: str
    required: bool = False
    may_be_spoken: bool = True


class Profile(Strict):
    """The agent profile version in force for this call."""

    version: int = 1
    department: str = ""
    greeting: str = ""
    persona: str = ""
    facts: tuple[FactField, ...] = ()
    instructions: str = ""
    word_limit: int = 45
    introduction: str = ""  # spoken to both at the merge; empty: none
    disclosure: tuple[str, ...] = ()  # lines said at the start of the call
    transcribe_consultation: bool = True
    transcribe_after_merge: bool = True


class RosterDepartment(Strict):
    """A department the AI may name in `request_transfer`, with the people it may name. Never a number."""

    name: str
    people: tuple[str, ...] = ()


class HoldPlan(Strict):
    """How the caller is held: spoken once, then music with a progress line every `progress_every_s`."""

    line: str
    progress_line: str
    progress_every_s: float = 20.0


class CallerWith(StrEnum):
    AI = "ai"
    HOLD = "hold"
    MANAGER = "manager"
    SUPERVISOR = "supervisor"


class TransferSnapshot(Strict):
    """The transfer this job belongs to (transfer and bridge), or the newest one of the call (support)."""

    transfer_id: UUID
    state: str
    reason: str = ""
    end_reason: str = ""
    words_for_caller: str = ""  # what the AI is to say about how it ended
    attempt_id: UUID | None = None
    attempt_state: str = ""
    manager_name: str = ""
    department: str = ""
    briefing: str = ""  # exactly what is to be spoken, at most `Profile.word_limit` words
    since_then: tuple[Turn, ...] = ()  # words said after the briefing was saved
    answer_timeout_s: float = 45.0  # from the question to `silent`
    redirect_targets: tuple[RosterDepartment, ...] = ()
    accepted_on_screen: bool = False  # see `Accepted`
    # A manager learns the keys. Left out elsewhere: an agent of an earlier version would not know it.
    practice: bool = Field(default=False, exclude_if=lambda value: not value)


class Snapshot(Strict):
    """Everything a new job needs; sent once, in `Welcome`, instead of history."""

    call_id: UUID
    room: str
    caller_identity: str = ""
    caller_with: CallerWith = CallerWith.AI
    greet: bool = True
    rehearsal: bool = False
    profile: Profile = Profile()
    transcript: tuple[Turn, ...] = ()
    facts: dict[str, str] = Field(default_factory=dict)  # by FactField.key
    departments: tuple[RosterDepartment, ...] = ()
    hold: HoldPlan | None = None  # set if the caller is on hold now
    opening: str = ""  # said first, instead of the greeting: somebody waits for it
    asks_whether_done: bool = False  # see `Resume`
    caller_last4: str = ""  # of the number that a callback would go to; empty: not known
    offers_callback: bool = False
    may_refer: bool = False  # cold transfers: the department allows them, and the caller is on a telephone
    transfer: TransferSnapshot | None = None
    # Left out where there is nobody: an agent of an earlier version would not know them.
    barging: tuple[str, ...] = Field(default=(), exclude_if=lambda value: not value)  # supervisors' identities
    taken_over_by: str = Field(default="", exclude_if=lambda value: not value)


# ── up: facts an agent reports ───────────────────────────────────────────────────────────────────


class JobStarted(Strict):
    kind: Literal["job_started"] = "job_started"
    identity: str


class CallerHere(Strict):
    """The caller as the agent finds them in the room: whose call it is follows, and is told by `Know`."""

    kind: Literal["caller_here"] = "caller_here"
    identity: str
    sid: str
    participant_kind: str = "standard"  # sip, standard
    attributes: dict[str, str]


class Utterance(Strict):
    """What a recogniser or an agent's voice produced. A partial (`final=False`) is shown, never stored."""

    kind: Literal["utterance"] = "utterance"
    speaker: Speaker
    side: Literal["call", "consultation"] = "call"
    text: str
    started_at: datetime
    final: bool = True
    after_merge: bool = False


class AgentState(Strict):
    kind: Literal["agent_state"] = "agent_state"
    state: Literal["initializing", "listening", "thinking", "speaking", "holding", "silent"]


class Speaking(Strict):
    """Voice activity that reaches no model: the caller on hold. Shown, not transcribed."""

    kind: Literal["speaking"] = "speaking"
    speaker: Speaker
    active: bool


class FactLearned(Strict):
    kind: Literal["fact_learned"] = "fact_learned"
    key: str
    value: str


class DialTarget(Strict):
    """Whom code (never a model) wants to be called: must be of the roster, or allowed by TASK_DIAL_ALLOW.

    The password of a trunk by host name is the console's own, never sent.
    """

    to: str  # E.164 or sip:
    trunk_id: str = ""  # stored on LiveKit; this or the host name, else the console's own line
    hostname: str = ""
    sip_number: str = ""  # shown to who is called
    headers: dict[str, str] = Field(default_factory=dict)  # of SIP
    dtmf: str = ""  # pressed after the answer, w is a pause of 0.5 s
    ringing_timeout_s: float | None = None


class TransferRequested(Strict):
    """`request_id` makes a repeated tool call one request. Answered by an `Answer` of the same id."""

    kind: Literal["transfer_requested"] = "transfer_requested"
    request_id: UUID
    reason: str
    department: str = ""  # a name of `Snapshot.departments`; empty: the call's own
    person: str | None = None
    briefing: str = ""  # the AI's draft, empty if it comes later
    cold: bool = False  # without a briefing: the caller's own carrier calls the colleague
    target: DialTarget | None = None


class TransferWithdrawn(Strict):
    """Who asked for it goes on without: nobody is to be rung any more."""

    kind: Literal["transfer_withdrawn"] = "transfer_withdrawn"
    request_id: UUID


class CallbackRequested(Strict):
    """The caller wants to be called back; answered by an `Answer` of the same id."""

    kind: Literal["callback_requested"] = "callback_requested"
    request_id: UUID
    number: str = ""  # as the caller said and confirmed it; empty: the one they call from
    preferred: str = ""  # when it suits them, in their words


class HandedOver(Strict):
    """The manager's `*0` (back to the AI) or `*1` (another manager) while joined."""

    kind: Literal["handed_over"] = "handed_over"
    to: Literal["back", "another"]


class BriefingDrafted(Strict):
    kind: Literal["briefing_drafted"] = "briefing_drafted"
    transfer_id: UUID
    text: str


class SipStatus(Strict):
    """A leg's `sip.callStatus` as the agent in its room sees it."""

    kind: Literal["sip_status"] = "sip_status"
    identity: str
    status: str  # dialing, ringing, automation, active, hangup


class LegLeft(Strict):
    """A leg left the room the agent is in. `reason` is LiveKit's DisconnectReason name."""

    kind: Literal["leg_left"] = "leg_left"
    identity: str
    reason: str = ""


class KeyPressed(Strict):
    kind: Literal["key_pressed"] = "key_pressed"
    identity: str
    digit: str


class BriefingStep(Strict):
    """`started` and `spoken` time the briefing; `asked` opens the manager's answer."""

    kind: Literal["briefing_step"] = "briefing_step"
    step: Literal["started", "spoken", "asked"]


class DecisionKind(StrEnum):
    ACCEPT = "accept"
    DECLINE = "decline"
    REDIRECT = "redirect"
    NOT_TODAY = "not_today"
    VOICEMAIL = "voicemail"
    SILENT = "silent"


class ManagerDecision(Strict):
    """The manager's answer. The console keeps the first one of an attempt."""

    kind: Literal["manager_decision"] = "manager_decision"
    decision: DecisionKind
    via: Literal["voice", "key", "screen", "timer"]
    reason: str = ""
    redirect_department: str = ""
    redirect_person: str = ""


class BridgeUp(Strict):
    """Audio of both sides is being carried."""

    kind: Literal["bridge_up"] = "bridge_up"


class BridgeDown(Strict):
    kind: Literal["bridge_down"] = "bridge_down"
    reason: str = ""


class Heard(Strict):
    """First audio of `speaker` carried to the other side after the merge: ends `accept_to_heard`."""

    kind: Literal["heard"] = "heard"
    speaker: Speaker


class HoldProgress(Strict):
    """A progress line was spoken to the caller on hold; `count` is 1 for the first."""

    kind: Literal["hold_progress"] = "hold_progress"
    count: int


class CallerWantsBack(Strict):
    """Key 0 on hold."""

    kind: Literal["caller_wants_back"] = "caller_wants_back"


class CallerSaidGoodbye(Strict):
    """The conversation is over; the agent has said goodbye and the call may be ended."""

    kind: Literal["caller_said_goodbye"] = "caller_said_goodbye"


class DirectiveDone(Strict):
    kind: Literal["directive_done"] = "directive_done"
    directive_id: UUID


class DirectiveFailed(Strict):
    kind: Literal["directive_failed"] = "directive_failed"
    directive_id: UUID
    error: str


UpBody = Annotated[
    JobStarted
    | CallerHere
    | Utterance
    | AgentState
    | Speaking
    | FactLearned
    | TransferRequested
    | TransferWithdrawn
    | CallbackRequested
    | HandedOver
    | BriefingDrafted
    | SipStatus
    | LegLeft
    | KeyPressed
    | BriefingStep
    | ManagerDecision
    | BridgeUp
    | BridgeDown
    | Heard
    | HoldProgress
    | CallerWantsBack
    | CallerSaidGoodbye
    | DirectiveDone
    | DirectiveFailed,
    Field(discriminator="kind"),
]

# ── down: directives ─────────────────────────────────────────────────────────────────────────────


class Hold(Strict):
    """Support: say `plan.line` (uninterruptible), then caller audio in and out off, music.

    For a caller who is held already: only the progress line is new.
    """

    kind: Literal["hold"] = "hold"
    plan: HoldPlan


class Resume(Strict):
    """Support: stop the music, audio flags as they were before the hold, say `words`, go on talking.

    After a merge with the call as it is known now: whoever only wrote it down talks again, knowing everything.
    `asks_whether_done`: `words` ask whether there is anything else; a no, or 8 s of silence, ends the call.
    """

    kind: Literal["resume"] = "resume"
    words: str
    outcome: str = ""  # the transfer's end reason, so that the AI knows why
    snapshot: Snapshot | None = None
    asks_whether_done: bool = False


class Say(Strict):
    kind: Literal["say"] = "say"
    text: str
    interruptible: bool = True


class Answer(Strict):
    """Support: what came of a request of the AI's; `words` are what it tells the caller, or why it cannot be."""

    kind: Literal["answer"] = "answer"
    request_id: UUID
    words: str = ""
    accepted: bool = True
    transfer_id: UUID | None = None


class Carry(Strict):
    """Bridge: carry audio both ways, or, while the joined caller is on hold, none."""

    kind: Literal["carry"] = "carry"
    on: bool


class Coach(Strict):
    """A supervisor's whisper to the AI: followed, never read out."""

    kind: Literal["coach"] = "coach"
    text: str


class Barge(Strict):
    """A supervisor joins in, or leaves again. They are heard by the caller without an agent.

    Support: no music meanwhile; the AI reads what they say and does not answer it.
    Transfer and bridge: the manager hears them too while audio is carried.
    """

    kind: Literal["barge"] = "barge"
    identity: str
    on: bool


class TakeOver(Strict):
    """Support: a supervisor talks to the caller. No music, nothing said and nothing answered until `Resume`."""

    kind: Literal["take_over"] = "take_over"
    identity: str


class Brief(Strict):
    """Transfer: the briefing was saved again before it was spoken; speak this one."""

    kind: Literal["brief"] = "brief"
    text: str


class Merge(Strict):
    """Join caller and manager.

    Transfer and bridge jobs (relay): carry audio both ways, report `BridgeUp`; the agent falls silent.
    Support: stop the music, say `introduction` to both (empty: none), then only transcribe, or leave.
    """

    kind: Literal["merge"] = "merge"
    strategy: Literal["move", "rejoin", "relay"] = "relay"
    introduction: str = ""
    transcribe: bool = True
    manager_identity: str = ""
    bridge_identity: str = ""  # the line that carries the manager in the call room under `relay`
    words_for_manager: str = ""


class Accepted(Strict):
    """Transfer: the manager accepted on screen. On the telephone it counts by a key, or by a short turn after our
    first line: an answering machine may have picked up. In the browser, when the microphone is there."""

    kind: Literal["accepted"] = "accepted"


class Asked(Strict):
    """Transfer: the manager's question, typed on screen. Answered aloud once they are on the line, else in writing
    alone."""

    kind: Literal["asked"] = "asked"
    text: str


class Leave(Strict):
    """Say `words` if there are any, then leave the room; the job ends."""

    kind: Literal["leave"] = "leave"
    words: str = ""


class End(Strict):
    """Support: say `words`, then leave; the console ends the call."""

    kind: Literal["end"] = "end"
    words: str = ""


class Hear(Strict):
    """A typed caller's turn in a test call: handled as if it had been recognised."""

    kind: Literal["hear"] = "hear"
    text: str


class Know(Strict):
    """Support: the call as it is known now; comes before the first word to the caller."""

    kind: Literal["know"] = "know"
    snapshot: Snapshot


DirectiveBody = Annotated[
    Hold
    | Resume
    | Say
    | Answer
    | Carry
    | Coach
    | Barge
    | TakeOver
    | Brief
    | Merge
    | Accepted
    | Asked
    | Leave
    | End
    | Hear
    | Know,
    Field(discriminator="kind"),
]

# ── the envelope ─────────────────────────────────────────────────────────────────────────────────


class Hello(Strict):
    """First frame of every connection. `received` is the last down sequence that the job has (0: a new job).

    The room's sid and metadata are as its dispatch told them: an agent may be faster than every webhook.
    """

    type: Literal["hello"] = "hello"
    job_id: str
    role: Role
    room: str
    room_sid: str = ""
    room_metadata: str = ""
    agent_name: str = ""  # under which the job was dispatched; a replacement is asked for by the same
    attempt_id: UUID | None = None
    received: int = 0


class Welcome(Strict):
    """Answer to `Hello`. `received` is the last up sequence committed; `snapshot` only for a new job."""

    type: Literal["welcome"] = "welcome"
    epoch: int
    received: int = 0
    snapshot: Snapshot | None = None


class Up(Strict):
    type: Literal["up"] = "up"
    seq: int
    at: datetime
    body: UpBody


class Down(Strict):
    """`traceparent` (W3C) is of the transfer that this is about, while the console is traced.

    Left out otherwise: an agent of an earlier version would not know it.
    """

    type: Literal["down"] = "down"
    seq: int
    directive_id: UUID
    body: DirectiveBody
    traceparent: str = Field(default="", exclude_if=lambda value: not value)


class Ack(Strict):
    """Everything up to `seq` is safe: committed (console) or applied (agent)."""

    type: Literal["ack"] = "ack"
    seq: int


class Heartbeat(Strict):
    type: Literal["heartbeat"] = "heartbeat"


class Superseded(Strict):
    """A newer connection of the same job, or a replacement job, owns this link: close, do not retry."""

    type: Literal["superseded"] = "superseded"


# ── what is only worth knowing now: neither stored nor acknowledged ──────────────────────────────


class Watched(Strict):
    """Somebody has the call's page open: for so long `Levels` are worth telling."""

    type: Literal["watched"] = "watched"
    seconds: float


class Level(Strict):
    """How loud a participant is as this job receives them: 0 is silence, 1 the loudest there is."""

    identity: str
    level: float = Field(ge=0.0, le=1.0)
    muted: bool


class Levels(Strict):
    """Only ever sent to a console that has said `Watched`: an older one cannot read it."""

    type: Literal["levels"] = "levels"
    people: tuple[Level, ...]


AgentFrame = Annotated[Hello | Up | Ack | Heartbeat | Levels, Field(discriminator="type")]
ConsoleFrame = Annotated[Welcome | Down | Ack | Heartbeat | Superseded | Watched, Field(discriminator="type")]

agent_frames: TypeAdapter[AgentFrame] = TypeAdapter(AgentFrame)
console_frames: TypeAdapter[ConsoleFrame] = TypeAdapter(ConsoleFrame)
