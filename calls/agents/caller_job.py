"""The caller's side of a call as the console steers it: held, given back, joined, written down.

Whose agent talks is the business of a subclass: ours (`support`) or anybody's (`attach`).
"""

from __future__ import annotations

import asyncio
import time
from abc import abstractmethod
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from livekit import rtc
from livekit.agents import JobContext, tts

from calls.agents import protocol as p
from calls.agents.audio import audio_track, voice_activity
from calls.agents.caller import caller_here
from calls.agents.caller_requests import CallerRequests
from calls.agents.conversation import Conversation
from calls.agents.hold import HoldPlayer
from calls.agents.instructions import said_meanwhile
from calls.agents.job import Job
from calls.agents.keys import StarKeys
from calls.agents.speech.models import build_vad
from calls.agents.transcriber import Transcriber

CONSOLE_SECONDS = 3.0  # without a console the agent talks all the same
CALLER_SECONDS = 60.0
KNOWN_WITHIN_SECONDS = 1.5
SILENCE_SECONDS = 8.0  # after the question whether there is anything else
CALLER_BACK_SECONDS = 15.0  # who was cut off may come back; the console ends the call long before
PROGRESS = "Thank you for holding."
JOINED_IN = "A supervisor who has joined in said to the caller, which you are not to answer:"
GOODBYE = "Thank you for calling. Goodbye."


class CallerJob(Job):
    """`session` is None while nobody talks to the caller."""

    session: Any = None
    player: HoldPlayer | None = None
    talk: Conversation
    caller = ""
    _silent_since = datetime.max.replace(tzinfo=UTC)
    _ears: asyncio.Task[Any] | None = None

    def __init__(self, ctx: JobContext, metadata: p.DispatchMetadata) -> None:
        super().__init__(ctx, metadata)
        self.requests = CallerRequests(self.link, self._goodbye)
        self._writers: list[asyncio.Task[Any]] = []
        self._stars = StarKeys()
        self._known, self._ready = asyncio.Event(), asyncio.Event()
        self._joined = False  # with a person: the agent does not talk
        self._barging: dict[str, asyncio.Task[Any]] = {}  # supervisors who joined in, and their writers

    # ── whose agent talks ────────────────────────────────────────────────────────────────────────

    @abstractmethod
    async def start_talking(self) -> None:
        """`session` and `talk` are there, with what `snapshot` says."""

    @abstractmethod
    async def stop_talking(self) -> None:
        """The two are joined: no agent speaks any more, and none listens."""

    @abstractmethod
    def voice(self) -> tts.TTS[Any]:
        """For the lines on hold."""

    def silence(self, silent: bool) -> None:
        """Nothing of the caller is heard, and nothing is said to them; or both again."""
        self.session.input.set_audio_enabled(not silent)
        self.session.output.set_audio_enabled(not silent)

    def transcriber(self, identity: str, speaker: p.Speaker) -> Transcriber:
        """Who writes down what a person says whom no session listens to."""
        return Transcriber(self.room, identity, self.link, speaker=speaker)

    async def nothing_to_do(self) -> None:
        """The two are joined, and nobody wants to have it written down."""
        await self.leave("the two are joined")

    # ── who calls ────────────────────────────────────────────────────────────────────────────────

    async def told(self) -> p.Snapshot:
        """What the console knows of the call; a console that is away is told later."""
        try:
            return await asyncio.wait_for(asyncio.shield(self.link.snapshot), CONSOLE_SECONDS)
        except TimeoutError:
            return p.Snapshot(
                call_id=uuid4(),
                room=self.room.name,
                profile=p.Profile(greeting="Hello, you are talking to an AI. How can I help?"),
            )

    async def attend(self, caller: str) -> None:
        """From now on the caller's keys, and their going, are told. Waits a moment for what the console makes of
        who they are."""
        self.caller = caller
        self.room.on("sip_dtmf_received", self._key)
        self.room.on("participant_disconnected", self._somebody_left)
        here = caller_here(self.room, caller)
        if here is None:
            return
        self.link.report(here)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._known.wait(), KNOWN_WITHIN_SECONDS)

    def knows(self, snapshot: p.Snapshot) -> None:
        self.snapshot = snapshot

    # ── what the console says ────────────────────────────────────────────────────────────────────

    async def handle(self, body: p.DirectiveBody) -> None:
        if isinstance(body, p.Know):
            if not self._ready.is_set():
                self.snapshot = body.snapshot
            self._known.set()
            return
        await self._ready.wait()
        match body:
            case p.Hold():
                await self.hold(body.plan)
            case p.Resume():
                await self.resume(body)
            case p.Merge():
                await self.merge(body)
            case p.Say():
                await self._say(body)
            case p.Answer():
                self.requests.answered(body)
            case p.Barge():
                self.joins_in(body.identity, on=body.on)
            case p.TakeOver():
                await self.taken_over(body.identity)
            case p.Coach():
                await self._coach(body.text)
            case p.Hear():
                await self._hear(body.text)
            case p.End() | p.Leave():
                await self._end(body.words)
            case _:
                raise ValueError(f"a support job cannot {body.kind}")

    async def _say(self, body: p.Say) -> None:
        """A line of the console's; what the AI was saying gives way if the line must be heard."""
        if self.session is None:
            return
        self.requests.spoken_for()
        if not body.interruptible:
            await self.talk.hush()
        await self.talk.say(body.text, interruptible=body.interruptible)

    async def say_and_listen(self, words: str, *, asks: bool) -> None:
        """To its end, for they must hear it. `asks` whether there is anything else: silence then ends the call."""
        await self.talk.say(words)
        if asks:
            self.run(self._goodbye_in_silence())

    async def _goodbye_in_silence(self) -> None:
        """Whoever says something is answered, and it is their conversation again."""
        asked_at, quiet_since = time.time(), time.monotonic()
        while time.monotonic() - quiet_since < SILENCE_SECONDS:
            await asyncio.sleep(0.2)
            if self.session is None or self._joined or self.player or self.talk.last_turn[0] > asked_at:
                return
            if self.talk.speaking or self.session.agent_state != "listening":
                quiet_since = time.monotonic()
        self._goodbye()

    def _goodbye(self) -> None:
        self.run(self._last_words())

    async def _last_words(self) -> None:
        await self.talk.say(GOODBYE)
        self.link.report(p.CallerSaidGoodbye())

    # ── hold ─────────────────────────────────────────────────────────────────────────────────────

    async def hold(self, plan: p.HoldPlan) -> None:
        """One line to its end; then nothing of the caller is heard and nothing but music is played."""
        if self.player:
            self.player.progress_line = plan.progress_line
            return
        self.requests.spoken_for()
        self._stop_writing()
        if self.session is not None and not self._joined:  # nobody talks to a joined caller
            await self.talk.hush()
            await self.talk.say(plan.line)
            self.silence(True)
            self.talk.turn_began = None
        self.player = await self.hold_player(plan)
        self.player.quiet = bool(self._barging)
        await self.player.start()
        self.link.report(p.AgentState(state="holding"))
        self._ears = self.run(self._watch_caller())

    async def hold_on(self) -> None:
        """A new job whose caller is on hold already."""
        await self.hold(self.snapshot.hold or p.HoldPlan(line="", progress_line=PROGRESS))

    async def hold_player(self, plan: p.HoldPlan) -> HoldPlayer:
        return HoldPlayer(
            self.room, self.voice(), plan, lambda count: self.link.report(p.HoldProgress(count=count))
        )

    async def _watch_caller(self) -> None:
        """Whether the caller speaks on hold: shown, heard by nobody, written down nowhere."""
        track = audio_track(self.room, self.caller)
        if track:
            tell = lambda active: self.link.report(p.Speaking(speaker=p.Speaker.CALLER, active=active))  # noqa: E731
            await voice_activity(track, build_vad(), tell)

    async def _music_off(self) -> None:
        if self._ears:
            self._ears.cancel()
            self._ears = None
        player, self.player = self.player, None
        if player:
            await player.stop()

    async def resume(self, body: p.Resume) -> None:
        await self._music_off()
        self.requests.spoken_for()
        self._joined = False
        if body.snapshot:
            self._stop_writing()
            self.knows(body.snapshot)
        if self.session is None:
            await self.start_talking()
        elif body.snapshot:
            await self._tell_model(said_meanwhile(body.snapshot.transcript, self._silent_since))
        self.silence(False)
        self.session.clear_user_turn()
        if body.outcome:
            await self._tell_model(f"The transfer ended: {body.outcome}. You are with the caller again.")
        await self.say_and_listen(body.words, asks=body.asks_whether_done)

    # ── joined ───────────────────────────────────────────────────────────────────────────────────

    async def merge(self, body: p.Merge) -> None:
        """The bridge carries already: introduce them if the profile says so, then fall silent for good."""
        await self._music_off()
        self._with_a_person()
        if self.session:
            await self.introduce(body)
            await self.stop_talking()
        if body.transcribe:
            self.write_down(body.bridge_identity if body.strategy == "relay" else body.manager_identity)
        else:
            await self.nothing_to_do()

    def _with_a_person(self) -> None:
        """From now on, if they are not with one already, the agent neither hears nor speaks."""
        if not self._joined:
            self._joined, self._silent_since = True, datetime.now(tz=UTC)

    async def introduce(self, body: p.Merge) -> None:
        """Whatever was being said to a caller who waited with the AI is broken off."""
        with suppress(RuntimeError):
            self.session.input.set_audio_enabled(False)
        await self.talk.hush()
        if body.introduction:
            self.session.output.set_audio_enabled(True)
            await self.talk.say(body.introduction)

    async def only_write(self) -> None:
        """A new job in the middle of a joined call."""
        self._with_a_person()
        transfer = self.snapshot.transfer
        if self.snapshot.profile.transcribe_after_merge and transfer:
            self.write_down(f"bridge-{transfer.attempt_id}", f"manager-{transfer.attempt_id}")
        else:
            await self.nothing_to_do()

    def write_down(self, *people: str, speaker: p.Speaker = p.Speaker.MANAGER) -> None:
        """What the caller and these people say to each other."""
        self.link.report(p.AgentState(state="silent"))
        self._stop_writing()
        legs = [(identity, speaker) for identity in people] + [(self.caller, p.Speaker.CALLER)]
        self._writers = [self.run(self.transcriber(identity, who).run()) for identity, who in legs]

    def _stop_writing(self) -> None:
        for writer in self._writers:
            writer.cancel()
        self._writers = []

    # ── supervisors ──────────────────────────────────────────────────────────────────────────────

    async def taken_over(self, supervisor: str) -> None:
        """Caller and supervisor are alone: no music, no agent's voice and no agent's ears, until `resume`."""
        self.requests.spoken_for()
        talked = self.session is not None and not self._joined
        if talked and not self.player:
            await self.talk.hush()
        await self._music_off()
        self._with_a_person()
        if talked:
            self.silence(True)
            self.talk.turn_began = None
            await self.stop_talking()
        self._stop_writing()
        if self.snapshot.profile.transcribe_after_merge:
            self.write_down(supervisor, speaker=p.Speaker.SUPERVISOR)

    def joins_in(self, supervisor: str, *, on: bool) -> None:
        """The caller hears them anyway: no music meanwhile, and the agent reads what they say."""
        if on and supervisor not in self._barging:
            self._barging[supervisor] = self.run(self._follow(supervisor))
        elif not on and (writer := self._barging.pop(supervisor, None)):
            writer.cancel()
        if self.player:
            self.player.quiet = bool(self._barging)

    async def _follow(self, supervisor: str) -> None:
        """Written down; an agent that talks knows it, and answers the caller alone."""
        ears = self.transcriber(supervisor, p.Speaker.SUPERVISOR)
        ears.after_merge = lambda: self._joined
        ears.told = self._supervisor_said
        await ears.run()

    async def _supervisor_said(self, text: str) -> None:
        if self.session is not None and not self._joined:
            with suppress(RuntimeError):  # the session is closing
                await self._tell_model(f"{JOINED_IN} {text}")

    # ── what the agent is told ───────────────────────────────────────────────────────────────────

    async def _coach(self, text: str) -> None:
        """Raises RuntimeError when no agent talks to the caller: then it did not reach one."""
        if self.session is None or self._joined:
            raise RuntimeError("no agent talks to the caller")
        await self._tell_model(f"Your supervisor says, for you alone, never to be read out: {text}")

    async def _tell_model(self, text: str) -> None:
        agent = self.session.current_agent
        context = agent.chat_ctx.copy()
        context.add_message(role="system", content=text)
        await agent.update_chat_ctx(context)

    async def _hear(self, text: str) -> None:
        """Returns when the answer has begun: what is typed next may interrupt it."""
        await self.talk.hush()
        self.session.generate_reply(user_input=text)

    async def _end(self, words: str) -> None:
        if self.session and words:
            await self.talk.hush()
            await self.talk.say(words)
        await self.leave("the call is ended")

    # ── the room ─────────────────────────────────────────────────────────────────────────────────

    def _key(self, event: rtc.SipDTMF) -> None:
        if event.participant is None:
            return
        if event.participant.identity.startswith("manager-"):  # joined in this room, without a bridge
            self._manager_key(event.digit)
            return
        if event.participant.identity != self.caller:
            return
        self.link.report(p.KeyPressed(identity=self.caller, digit=event.digit))
        if self.player and event.digit == "0":
            self.link.report(p.CallerWantsBack())

    def _manager_key(self, digit: str) -> None:
        meant = self._stars.pressed(digit)
        if meant:
            self.link.report(meant)

    def _somebody_left(self, who: rtc.RemoteParticipant) -> None:
        if who.identity == self.caller:
            self.run(self._leave_unless_back())

    async def _leave_unless_back(self) -> None:
        """For the case that the console is away; otherwise it ends the call at once."""
        await asyncio.sleep(CALLER_BACK_SECONDS)
        if self.caller not in self.room.remote_participants:
            await self.leave("the caller has gone")

    async def close(self) -> None:
        await self._music_off()
        self._stop_writing()
        for supervisor in list(self._barging):
            self.joins_in(supervisor, on=False)
        if self.session:
            await self.session.aclose()
