"""The TransferAgent's job: waits for the answer, holds the consultation, becomes the line."""

from __future__ import annotations

import asyncio

from livekit import rtc

from calls.agents import protocol as p
from calls.agents.audio import audio_track
from transfers.agents.bridge import Bridge
from transfers.agents.consultation import Consultation
from transfers.agents.line import LineJob


class TransferJob(LineJob):
    consultation: Consultation | None = None
    bridge: Bridge | None = None  # once it is in both rooms
    _joining: asyncio.Task[None] | None = None
    _merged = False
    _by_phone = True

    async def begin(self) -> None:
        self._answered = asyncio.Event()
        self.room.on("sip_dtmf_received", self._key)
        self.room.on("participant_attributes_changed", lambda *_: self._look())
        self.room.on("participant_connected", lambda *_: self._look())
        self.room.on("track_subscribed", lambda *_: self._look())
        snapshot = await self.told()
        if snapshot is None or snapshot.transfer is None:
            await self.leave("the console does not know this attempt")
            return
        self.barging = set(snapshot.barging)
        self.consultation = Consultation(snapshot, self.link, manager=self.manager, run=self.run)
        self.link.serve(self.handle)
        self.run(self._consult(self.consultation))
        self._look()

    def _look(self) -> None:
        """Answered: a phone's status says so (its track comes before), a browser's microphone is there."""
        who = self.room.remote_participants.get(self.manager)
        if who is None:
            return
        if who.kind == rtc.ParticipantKind.PARTICIPANT_KIND_SIP:
            here = who.attributes.get("sip.callStatus") == "active"
        else:
            self._by_phone = False
            here = audio_track(self.room, self.manager) is not None
        if here:
            self._answered.set()

    async def _consult(self, consultation: Consultation) -> None:
        await consultation.prepare(self.room)
        await self._answered.wait()
        self.link.report(p.SipStatus(identity=self.manager, status="active"))
        self._join_call_room()
        await consultation.hold(by_phone=self._by_phone)

    def _join_call_room(self) -> asyncio.Task[None]:
        """The one that is under way, or a new one: a second in the same name would put out the first."""
        if self._joining is None or (self._joining.done() and self.bridge is None):
            self._joining = self.run(self._join())
        return self._joining

    async def _join(self) -> None:
        if not self.metadata.bridge_token:
            return
        bridge = self.new_bridge()
        await bridge.join()
        self.bridge = bridge

    def _key(self, event: rtc.SipDTMF) -> None:
        if event.participant is None or event.participant.identity != self.manager or not self._answered.is_set():
            return
        self.link.report(p.KeyPressed(identity=self.manager, digit=event.digit))
        if self._joined:
            self.manager_key(event)
        elif self.consultation:
            self.run(self.consultation.pressed(event.digit))

    # ── what the console says ────────────────────────────────────────────────────────────────────

    async def handle(self, body: p.DirectiveBody) -> None:
        assert self.consultation
        if self._joined and await self.obey(self.bridge, body):
            return
        match body:
            case p.Barge():
                await self.joins_in(self.bridge, body)
            case p.Brief():
                self.consultation.briefing = body.text
            case p.Accepted():  # what is then said takes a while, and is not waited for
                self.run(self.consultation.accepted())
            case p.Asked():
                self.run(self.consultation.asked(body.text))
            case p.Merge():
                await self._merge(body)
            case p.Say():
                await self.consultation.talk.say(body.text, interruptible=body.interruptible)
            case p.Leave():
                if body.words and self._answered.is_set():
                    await self.consultation.last_words(body.words)
                await self.leave("the consultation is over")
            case _:
                raise ValueError(f"a transfer job cannot {body.kind}")

    @property
    def _joined(self) -> bool:
        return self.bridge is not None and self._merged

    async def _merge(self, body: p.Merge) -> None:
        """The line first: the agent's own end takes longer and is heard by nobody."""
        if body.strategy == "relay":
            await self._join_call_room()
            if self.bridge is None:
                raise RuntimeError("there is no line to the caller's room")
            await self.join_up(self.bridge)
            self._merged = True
        if self.consultation:
            await self.consultation.close()

    async def close(self) -> None:
        if self.bridge:
            await self.bridge.close()
        if self.consultation:
            await self.consultation.close()
