"""Our WarmTransferTask takes what LiveKit Agents' takes, and gives back what it gives back."""

from __future__ import annotations

import inspect
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from livekit import api
from livekit.agents import llm
from livekit.agents.beta.workflows import WarmTransferResult
from livekit.agents.beta.workflows import WarmTransferTask as Stock
from livekit.agents.beta.workflows.utils import WorkflowInstructions
from livekit.agents.llm import ToolError

from calls.agents import protocol as p
from calls.agents.caller_requests import OUT_OF_REACH, CallerRequests, Refused
from transfers.agents import warm_transfer
from transfers.agents.drafting import draft
from transfers.agents.warm_transfer import WarmTransferTask

SUPERVISOR = "+12025550101"


def test_its_parameters_are_those_of_the_pinned_version() -> None:
    assert inspect.signature(WarmTransferTask) == inspect.signature(Stock)


async def test_what_the_code_says_of_the_dial_goes_to_the_console() -> None:
    connection = api.SIPOutboundConfig(hostname="sip.example.com", auth_username="u", auth_password="secret")
    task = WarmTransferTask(
        SUPERVISOR,
        sip_connection=connection,
        sip_number="+12025550199",
        sip_headers={"X-Account": "7"},
        dtmf="1234#",
        ringing_timeout=20.0,
    )
    target = task._target
    assert target == p.DialTarget(
        to=SUPERVISOR,
        hostname="sip.example.com",
        sip_number="+12025550199",
        headers={"X-Account": "7"},
        dtmf="1234#",
        ringing_timeout_s=20.0,
    )
    assert "secret" not in target.model_dump_json()


async def test_the_trunk_of_the_environment_is_used_as_livekit_s_task_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LIVEKIT_SIP_OUTBOUND_TRUNK", "ST_env")
    assert WarmTransferTask(SUPERVISOR)._target.trunk_id == "ST_env"
    assert WarmTransferTask(target_phone_number=SUPERVISOR)._target.to == SUPERVISOR
    assert WarmTransferTask(SUPERVISOR, sip_trunk_id=None)._target.trunk_id == ""
    by_host = WarmTransferTask(SUPERVISOR, sip_connection=api.SIPOutboundConfig(hostname="h.example"))
    assert by_host._target.trunk_id == ""


async def test_without_a_number_it_is_not_made() -> None:
    with pytest.raises(ValueError, match="sip_call_to"):
        WarmTransferTask()


# ── what comes of it ─────────────────────────────────────────────────────────────────────────────


class Console:
    """A desk whose console answers as it is told to."""

    def __init__(self, answer: p.Answer | Exception) -> None:
        self.answer, self.asked, self.withdrawn, self.said = answer, [], [], []
        self.requests: Any = SimpleNamespace(
            transfer=self._transfer, withdraw=self.withdrawn.append, is_spoken_for=self._spoken_for
        )
        self.talk: Any = SimpleNamespace(say=self._say)
        self.hold_audio: Any = None
        self.waiting: Any = None
        self.snapshot = p.Snapshot(call_id=uuid4(), room="call-1")

    async def _transfer(self, request: p.TransferRequested) -> p.Answer:
        self.asked.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def _spoken_for(self, within_s: float) -> bool:
        return False

    async def _say(self, words: str) -> None:
        self.said.append(words)


async def entered(
    monkeypatch: pytest.MonkeyPatch, answer: p.Answer | Exception
) -> tuple[WarmTransferTask, Console]:
    desk = Console(answer)

    async def attach(session: Any, ctx: Any) -> Console:
        return desk

    monkeypatch.setattr(warm_transfer, "attach", attach)
    monkeypatch.setattr(warm_transfer, "get_job_context", lambda: None)
    monkeypatch.setattr(WarmTransferTask, "session", None)
    task = WarmTransferTask(SUPERVISOR)
    await task.on_enter()
    return task, desk


def result_of(task: WarmTransferTask) -> Any:
    """What awaiting it gives, or raises."""
    return task._AgentTask__fut.result()  # type: ignore[attr-defined]


def accepted() -> p.Answer:
    return p.Answer(request_id=uuid4())


async def test_the_caller_hears_that_somebody_is_asked_and_then_who_is_joined(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    task, desk = await entered(monkeypatch, accepted())
    assert desk.waiting is task
    assert len(desk.said) == 1
    assert not task.done()
    task.joined("bridge-1")
    assert result_of(task) == WarmTransferResult(human_agent_identity="bridge-1")
    await task.on_exit()
    assert desk.withdrawn == []


async def test_a_refusal_of_the_console_is_a_tool_error_that_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    task, desk = await entered(monkeypatch, Refused("Nobody is called: this address is no phone of the roster."))
    with pytest.raises(ToolError, match="no phone of the roster"):
        result_of(task)
    assert desk.waiting is None


async def test_a_caller_who_comes_back_is_a_tool_error_with_what_they_were_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    task, _ = await entered(monkeypatch, accepted())
    task.returned("declined", "Nobody can come to the phone now.")
    with pytest.raises(ToolError, match=r"declined.*Nobody can come to the phone now"):
        result_of(task)


async def test_breaking_it_off_takes_the_request_back(monkeypatch: pytest.MonkeyPatch) -> None:
    task, desk = await entered(monkeypatch, accepted())
    await task.on_exit()
    assert desk.withdrawn == [desk.asked[0].request_id]
    task.joined("bridge-1")  # too late, and nobody waits
    assert desk.waiting is None


# ── asking ───────────────────────────────────────────────────────────────────────────────────────


async def test_a_console_out_of_reach_is_not_asked_later_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("calls.agents.caller_requests.ANSWERED_WITHIN_SECONDS", 0.01)
    reports: list[p.UpBody] = []
    link: Any = SimpleNamespace(report=reports.append)
    request = p.TransferRequested(request_id=uuid4(), reason="")
    with pytest.raises(Refused, match=OUT_OF_REACH):
        await CallerRequests(link, lambda: None).transfer(request)
    assert reports == [request, p.TransferWithdrawn(request_id=request.request_id)]


# ── the briefing ─────────────────────────────────────────────────────────────────────────────────


class Writer(llm.LLM[Any]):
    """Keeps what it is asked; its answer comes in two pieces."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: llm.ChatContext | None = None

    def chat(self, *, chat_ctx: llm.ChatContext, **_: Any) -> Any:
        self.asked = chat_ctx
        return Pieces()


class Pieces:
    async def __aenter__(self) -> Any:
        return self._chunks()

    async def __aexit__(self, *_: object) -> None:
        pass

    async def _chunks(self) -> Any:
        for text in ("Anna was ", "charged twice."):
            yield llm.ChatChunk(id="1", delta=llm.ChoiceDelta(role="assistant", content=text))


def history() -> llm.ChatContext:
    context = llm.ChatContext.empty()
    context.add_message(role="system", content="be nice")
    context.add_message(role="user", content="I was charged twice.")
    context.add_message(role="assistant", content="I am sorry.")
    return context


async def test_a_model_writes_the_briefing_from_the_conversation_and_the_code_s_wishes() -> None:
    writer = Writer()
    assert await draft(writer, history(), wishes="Name the product.", words=30) == "Anna was charged twice."
    assert writer.asked
    system, said = writer.asked.messages()
    assert "30 words" in (system.text_content or "")
    assert "Name the product." in (system.text_content or "")
    assert said.text_content == "Caller: I was charged twice.\nAssistant: I am sorry."


async def test_without_a_language_model_the_console_s_own_draft_stands() -> None:
    assert await draft(object(), history(), wishes="", words=30) == ""


async def test_instructions_of_either_form_are_wishes_for_the_briefing() -> None:
    parts = WorkflowInstructions(persona="You are brief.", extra="Say the order number.")
    assert WarmTransferTask(SUPERVISOR, instructions=parts)._wishes == "You are brief.\n\nSay the order number."
    assert WarmTransferTask(SUPERVISOR, instructions="Plain.")._wishes == "Plain."
    assert WarmTransferTask(SUPERVISOR, extra_instructions="Extra.")._wishes == "Extra."
