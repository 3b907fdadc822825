"""`WarmTransferTask`: LiveKit Agents' prebuilt task, by the console.

Takes the parameters of `livekit.agents.beta.workflows.WarmTransferTask` (1.8.9), returns its result or raises its
`ToolError`. The console asks for approval, calls, briefs, joins and records, on self-hosted servers too. Who is
called comes from code, never from a model: a phone of the roster, or one that the console's TASK_DIAL_ALLOW
allows.
"""

from __future__ import annotations

import asyncio
import logging
import os
from typing import TypeVar
from uuid import UUID, uuid4

from livekit import api
from livekit.agents import NOT_GIVEN, AgentTask, NotGiven, NotGivenOr, get_job_context, llm, stt, tts, vad
from livekit.agents.beta.workflows import WarmTransferResult
from livekit.agents.beta.workflows.utils import WorkflowInstructions
from livekit.agents.llm import ToolError
from livekit.agents.llm.chat_context import Instructions
from livekit.agents.utils import is_given
from livekit.agents.voice.background_audio import AudioConfig, AudioSource
from livekit.agents.voice.turn import TurnDetectionMode, TurnHandlingOptions

from calls.agents import protocol as p
from calls.agents.attach import Attachment, attach
from calls.agents.caller_requests import ASKING, DECIDED_WITHIN_SECONDS, Refused
from transfers.agents.drafting import draft

logger = logging.getLogger("patchbay.agents")

WAITING = (
    "A colleague is being asked whether they can take this call. Until then keep the caller company: answer "
    "briefly, and promise nothing about the transfer."
)
TOLD = "The transfer did not happen ({outcome}). The caller was told this already, do not repeat it: {words}"
UNTOLD = "The transfer did not happen ({outcome}). The caller is with you."


class WarmTransferTask(AgentTask[WarmTransferResult]):
    def __init__(
        self,
        sip_call_to: NotGivenOr[str] = NOT_GIVEN,
        *,
        sip_trunk_id: NotGivenOr[str | None] = NOT_GIVEN,
        sip_connection: NotGivenOr[api.SIPOutboundConfig] = NOT_GIVEN,
        sip_number: NotGivenOr[str] = NOT_GIVEN,
        sip_headers: NotGivenOr[dict[str, str]] = NOT_GIVEN,
        dtmf: NotGivenOr[str | None] = NOT_GIVEN,
        ringing_timeout: NotGivenOr[float | None] = NOT_GIVEN,
        hold_audio: NotGivenOr[AudioSource | AudioConfig | list[AudioConfig] | None] = NOT_GIVEN,
        instructions: NotGivenOr[WorkflowInstructions | Instructions | str] = NOT_GIVEN,
        chat_ctx: NotGivenOr[llm.ChatContext] = NOT_GIVEN,
        turn_handling: NotGivenOr[TurnHandlingOptions] = NOT_GIVEN,
        turn_detection: NotGivenOr[TurnDetectionMode | None] = NOT_GIVEN,
        tools: NotGivenOr[list[llm.Tool | llm.Toolset]] = NOT_GIVEN,
        stt: NotGivenOr[stt.STT | None] = NOT_GIVEN,  # type: ignore[type-arg]
        vad: NotGivenOr[vad.VAD | None] = NOT_GIVEN,
        llm: NotGivenOr[llm.LLM | llm.RealtimeModel | None] = NOT_GIVEN,  # type: ignore[type-arg]
        tts: NotGivenOr[tts.TTS | None] = NOT_GIVEN,  # type: ignore[type-arg]
        allow_interruptions: NotGivenOr[bool] = NOT_GIVEN,
        # deprecated
        extra_instructions: str = "",
        target_phone_number: NotGivenOr[str] = NOT_GIVEN,
    ) -> None:
        """Raises ValueError without `sip_call_to`.

        Who is called, over which line (`sip_trunk_id`, or the host name of `sip_connection`, whose password is the
        console's own; without both the console's line), `sip_number`, `sip_headers`, `dtmf` and `ringing_timeout`
        (s) are as in LiveKit's task; so are `hold_audio`, `chat_ctx`, and `instructions` or `extra_instructions`,
        which say how `llm` (else the session's) is to write the briefing. The models, turn taking and tools of the
        conversation with the manager are the console's: the rest is taken and not used.
        """
        super().__init__(instructions=WAITING, chat_ctx=chat_ctx)
        to = _given(sip_call_to) or _given(target_phone_number)
        if not to:
            raise ValueError("`sip_call_to` must be set")
        connection = _given(sip_connection)
        trunk = _given(sip_trunk_id)
        if not is_given(sip_trunk_id) and connection is None:
            trunk = os.getenv("LIVEKIT_SIP_OUTBOUND_TRUNK")
        self._target = p.DialTarget(
            to=to,
            trunk_id=trunk or "",
            hostname=connection.hostname if connection else "",
            sip_number=sip_number if is_given(sip_number) else os.getenv("LIVEKIT_SIP_NUMBER", ""),
            headers=_given(sip_headers) or {},
            dtmf=_given(dtmf) or "",
            ringing_timeout_s=_given(ringing_timeout),
        )
        self._hold_audio, self._history, self._writer = hold_audio, _given(chat_ctx), _given(llm)
        self._wishes = _as_text(instructions, extra_instructions)
        self._request_id, self._desk = uuid4(), None
        self._drafting: asyncio.Task[None] | None = None

    _desk: Attachment | None

    async def on_enter(self) -> None:
        desk = self._desk = await attach(self.session, get_job_context())
        desk.hold_audio, desk.waiting = self._hold_audio, self
        request = p.TransferRequested(request_id=self._request_id, reason="", target=self._target)
        try:
            answer = await desk.requests.transfer(request)
        except Refused as no:
            self._end(ToolError(str(no)))
            return
        if answer.transfer_id:
            self._drafting = asyncio.create_task(self._brief(desk, answer.transfer_id))
        if not self.done() and not await desk.requests.is_spoken_for(DECIDED_WITHIN_SECONDS):
            await desk.talk.say(ASKING)

    async def _brief(self, desk: Attachment, transfer_id: UUID) -> None:
        """The console has one of its own already; a model's is better, if it comes before it is spoken."""
        writer = self._writer or self.session.llm
        history = self._history or self.session.history
        text = await draft(writer, history, wishes=self._wishes, words=desk.snapshot.profile.word_limit)
        if text:
            desk.link.report(p.BriefingDrafted(transfer_id=transfer_id, text=text))

    async def on_exit(self) -> None:
        """Whoever breaks this task off does not want the call any more."""
        if self._drafting:
            self._drafting.cancel()
        if self._desk and self._desk.waiting is self:
            self._desk.waiting = None
            self._desk.requests.withdraw(self._request_id)

    # ── what comes of it ─────────────────────────────────────────────────────────────────────────

    def joined(self, identity: str) -> None:
        self._end(WarmTransferResult(human_agent_identity=identity))

    def returned(self, outcome: str, words: str) -> None:
        told = (TOLD if words else UNTOLD).format(outcome=outcome or "over", words=words)
        self._end(ToolError(told))

    def _end(self, result: WarmTransferResult | ToolError) -> None:
        if self._desk and self._desk.waiting is self:
            self._desk.waiting = None
        if not self.done():
            self.complete(result)


T = TypeVar("T")


def _given(value: T | NotGiven | None) -> T | None:
    return None if isinstance(value, NotGiven) else value


def _as_text(instructions: NotGivenOr[WorkflowInstructions | Instructions | str], extra: str) -> str:
    if isinstance(instructions, NotGiven):
        return extra
    if isinstance(instructions, WorkflowInstructions):
        return "\n\n".join(str(part) for part in (instructions.persona, instructions.extra) if part)
    return str(instructions)
