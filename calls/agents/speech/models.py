"""Which models a session uses: by settings alone, `offline` unless they say otherwise.

A name like `deepgram/nova-3` goes to LiveKit's inference gateway; `openai/<model>` with an OPENAI_BASE_URL to
that server.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from livekit.agents import inference, llm, stt, tts, vad

from calls.agents.speech import activity, hold_music
from calls.agents.speech.activity import OfflineVAD
from calls.agents.speech.brain import OfflineBrain
from calls.agents.speech.knowledge import Knowledge

OFFLINE = "offline"


@dataclass(frozen=True)
class Models:
    """What `AgentSession` takes."""

    stt: stt.STT[Any]
    tts: tts.TTS[Any]
    llm: llm.LLM[Any]
    vad: vad.VAD


def choice(name: str) -> str:
    return os.environ.get(name, "").strip() or OFFLINE


def scripted() -> bool:
    """Tones and keys instead of words: for tests of many calls."""
    return os.environ.get("SPEECH", "") == "scripted"


def build_models(knowledge: Knowledge) -> Models:
    """New plugin objects for one session; the models behind them are shared in the process."""
    return Models(stt=build_stt(), tts=build_tts(), llm=build_llm(knowledge), vad=build_vad())


def build_vad() -> vad.VAD:
    return OfflineVAD()


def build_stt() -> stt.STT[Any]:
    name = choice("AGENT_STT")
    if name == OFFLINE:
        from calls.agents.speech.stt import DeafSTT, OfflineSTT

        return DeafSTT() if scripted() else OfflineSTT()
    own = _openai(name)
    return own.STT(model=_bare(name)) if own else inference.STT.from_model_string(name)


def build_tts() -> tts.TTS[Any]:
    name = choice("AGENT_TTS")
    if name == OFFLINE:
        from calls.agents.speech.tts import OfflineTTS, ToneTTS

        return ToneTTS() if scripted() else OfflineTTS()
    own = _openai(name)
    if own:
        voiced: tts.TTS[Any] = own.TTS(model=_bare(name), voice=os.environ.get("AGENT_VOICE") or "alloy")
        return voiced
    return inference.TTS.from_model_string(name)


def build_llm(knowledge: Knowledge) -> llm.LLM[Any]:
    name = choice("AGENT_LLM")
    if name == OFFLINE:
        return OfflineBrain(knowledge)
    own = _openai(name)
    return own.LLM(model=_bare(name)) if own else inference.LLM.from_model_string(name)


def _openai(name: str) -> Any | None:
    """The OpenAI plugin for `openai/<model>` with an OPENAI_BASE_URL of one's own."""
    if not (name.startswith("openai/") and os.environ.get("OPENAI_BASE_URL")):
        return None
    from livekit.plugins import openai

    return openai


def _bare(name: str) -> str:
    return name.split("/", 1)[1]


def prewarm_plugins(*names: str) -> None:
    """Import what these settings choose: in the main thread, and seconds that nobody is to wait for."""
    for name in names:
        _openai(choice(name))


def prewarm() -> None:
    """Load what this process will need, once, before its first call."""
    hold_music.loop()
    activity.prewarm()
    if scripted():
        return
    prewarm_plugins("AGENT_STT", "AGENT_LLM", "AGENT_TTS")
    if choice("AGENT_STT") == OFFLINE:
        from calls.agents.speech import ears

        ears.prewarm()
    if choice("AGENT_TTS") == OFFLINE:
        from calls.agents.speech import voice

        voice.prewarm()
