"""A server that speaks OpenAI's protocol on this machine: chat with tools, speech in, speech out.

Its models are ours: rules for the chat, told only what a model is told (instructions, conversation, tools), and
the offline recogniser and voice. Run it with `with OpenAIServer() as server`, and point OPENAI_BASE_URL at it.
"""

from __future__ import annotations

import asyncio
import io
import json
import re
import threading
import time
import wave
from collections import Counter
from types import TracebackType
from typing import Any

import numpy as np
from aiohttp import web

from calls.agents.protocol import FactField, Profile, RosterDepartment, Speaker, Turn
from calls.agents.speech import ears, voice
from calls.agents.speech.knowledge import ConsultKnowledge, SupportKnowledge
from calls.agents.speech.lines import Line, Reply
from calls.agents.speech.replies import consult_reply, support_reply

NEEDED = re.compile(r"^- (\w+): (.+?)( \(needed\))?$", re.M)
KNOWN = re.compile(r"^- ([^:]+): (.+)$", re.M)


class OpenAIServer:
    """`used` counts the requests by kind: chat, tool calls by name, transcriptions, speech."""

    def __init__(self) -> None:
        self.used: Counter[str] = Counter()
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._up = threading.Event()
        self._thread = threading.Thread(target=self._run, name="openai", daemon=True)

    @property
    def environment(self) -> dict[str, str]:
        """What makes the agents use it, by settings alone."""
        return {
            "OPENAI_BASE_URL": f"http://127.0.0.1:{self.port}/v1",
            "OPENAI_API_KEY": "of-no-importance",
            "AGENT_LLM": "openai/gpt-here",
            "AGENT_STT": "openai/whisper-here",
            "AGENT_TTS": "openai/tts-here",
        }

    def __enter__(self) -> OpenAIServer:
        self._thread.start()
        assert self._up.wait(30)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._start())
        self._up.set()
        self._loop.run_forever()

    async def _start(self) -> None:
        app = web.Application(client_max_size=32 * 2**20)
        app.router.add_post("/v1/chat/completions", self._chat)
        app.router.add_post("/v1/audio/transcriptions", self._transcribe)
        app.router.add_post("/v1/audio/speech", self._speak)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.port = runner.addresses[0][1]

    # ── speech ───────────────────────────────────────────────────────────────────────────────────

    async def _transcribe(self, request: web.Request) -> web.Response:
        self.used["transcriptions"] += 1
        form = await request.post()
        with wave.open(io.BytesIO(form["file"].file.read())) as sound:  # type: ignore[union-attr]
            samples = np.frombuffer(sound.readframes(sound.getnframes()), dtype=np.int16)
            rate = sound.getframerate()
        return web.json_response({"text": await asyncio.to_thread(ears.recognize, samples, rate)})

    async def _speak(self, request: web.Request) -> web.Response:
        self.used["speech"] += 1
        asked = await request.json()
        samples, rate = await asyncio.to_thread(voice.synthesize, asked["input"])
        sound = io.BytesIO()
        with wave.open(sound, "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(rate)
            out.writeframes(samples.tobytes())
        return web.Response(body=sound.getvalue(), content_type="audio/wav")

    # ── chat ─────────────────────────────────────────────────────────────────────────────────────

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        self.used["chat"] += 1
        asked = await request.json()
        reply = answer(asked["messages"], asked.get("tools") or [])
        if reply.tool:
            self.used[reply.tool] += 1
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for delta, finish in _deltas(reply):
            await response.write(f"data: {json.dumps(_chunk(delta, finish))}\n\n".encode())
        await response.write(b"data: [DONE]\n\n")
        return response


def answer(messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> Reply:
    """By the rules, from what stands in the messages and nothing else."""
    said = "\n".join(_text(m) for m in messages if m["role"] in ("system", "developer"))
    lines = list(_lines(messages))
    names = {tool["function"]["name"] for tool in tools}
    if not lines:
        return Reply("How can I help you?")
    if "accept_call" in names:
        return consult_reply(lines, _consult_knowledge(said))
    return _by_its_name(support_reply(lines, _support_knowledge(said, tools, lines)), names)


def _by_its_name(reply: Reply, names: set[str]) -> Reply:
    """Somebody's own agent may have another tool for a transfer, without arguments."""
    theirs = next((name for name in names if "transfer" in name), "")
    if reply.tool != "request_transfer" or reply.tool in names or not theirs:
        return reply
    return Reply(tool=theirs)


def _text(message: dict[str, Any]) -> str:
    content = message.get("content") or ""
    return content if isinstance(content, str) else " ".join(part.get("text", "") for part in content)


def _lines(messages: list[dict[str, Any]]) -> list[Line]:
    calls: dict[str, str] = {}
    lines = []
    for message in messages:
        for call in message.get("tool_calls") or []:
            calls[call["id"]] = call["function"]["name"]
        if message["role"] == "tool":
            lines.append(Line("tool", _text(message), tool=calls.get(message["tool_call_id"], "")))
        elif message["role"] in ("user", "assistant") and _text(message):
            lines.append(Line(message["role"], _text(message)))
    return lines


def _support_knowledge(said: str, tools: list[dict[str, Any]], lines: list[Line]) -> SupportKnowledge:
    facts = tuple(FactField(key=key, label=label, required=bool(n)) for key, label, n in NEEDED.findall(said))
    wanted = next((t["function"] for t in tools if t["function"]["name"] == "request_transfer"), None)
    named = wanted["parameters"]["properties"]["department"].get("enum", []) if wanted else []
    departments = tuple(RosterDepartment(name=name) for name in named if name)
    known = {fact.key: "?" for fact in facts if any(line.tool == "record_fact" for line in lines)}
    return SupportKnowledge(profile=Profile(facts=facts), departments=departments, facts=known)


def _consult_knowledge(said: str) -> ConsultKnowledge:
    known = dict(KNOWN.findall(said))
    talk = re.findall(r"^Customer: (.+)$", said, re.M)
    return ConsultKnowledge(
        profile=Profile(facts=tuple(FactField(key=label, label=label) for label in known)),
        facts=known,
        transcript=tuple(Turn(speaker=Speaker.CALLER, text=text, at=_epoch()) for text in talk),
    )


def _epoch() -> Any:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(0, tz=UTC)


def _deltas(reply: Reply) -> list[tuple[dict[str, Any], str | None]]:
    if not reply.tool:
        words = reply.text.split(" ")
        return (
            [({"role": "assistant", "content": ""}, None)]
            + [({"content": f"{word} "}, None) for word in words]
            + [({}, "stop")]
        )
    call = {
        "index": 0,
        "id": f"call_{time.monotonic_ns()}",
        "type": "function",
        "function": {"name": reply.tool, "arguments": json.dumps(reply.arguments)},
    }
    return [({"role": "assistant", "tool_calls": [call]}, None), ({}, "tool_calls")]


def _chunk(delta: dict[str, Any], finish: str | None) -> dict[str, Any]:
    return {
        "id": "chatcmpl-here",
        "object": "chat.completion.chunk",
        "created": int(time.time()),
        "model": "gpt-here",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }
