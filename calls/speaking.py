"""A text as sound, by the voice that callers hear: for whoever wants to listen before a caller does."""

from __future__ import annotations

import asyncio
import io
import logging
import os
import threading
import wave

from django.utils.translation import gettext

from calls.errors import Refused
from calls.loop_thread import LoopThread

logger = logging.getLogger(__name__)

RATE = 24_000
MOST_CHARACTERS = 1000
WITHIN_S = 30.0
AT_ONCE = 2  # a voice takes a core while it speaks, and its listener a connection to the database
WAITS_S = 10.0

_thread = LoopThread("voice")
_turns = threading.BoundedSemaphore(AT_ONCE)


def prepare() -> None:
    """Load what only a process's main thread may: the plugin of models on somebody's own server."""
    names = [name for name in ("AGENT_TTS", "AGENT_LLM") if os.environ.get(name, "").startswith("openai/")]
    if names:
        from calls.agents.speech import models

        models.prewarm_plugins(*names)


def wav_of(text: str) -> bytes:
    """`text` as a WAV file, mono, 16 bit, at `RATE` Hz. Waits for the voice, which has a thread of its own.

    Raises Refused with words for whoever asked.
    """
    text = " ".join(text.split())
    if not text:
        raise Refused(gettext("There is nothing to say: the text is empty."))
    if len(text) > MOST_CHARACTERS:
        raise Refused(
            gettext("At most %(most)s characters can be listened to, and this has %(count)s.")
            % {"most": MOST_CHARACTERS, "count": len(text)}
        )
    if not _turns.acquire(timeout=WAITS_S):
        raise Refused(
            gettext("Others are listening at the moment. Nothing was changed: try again in a few seconds.")
        )
    try:
        return _file(_thread.submit(_spoken(text)).result())
    except Exception as error:  # whatever a voice's own library raises
        logger.warning("a text could not be spoken", extra={"error": type(error).__name__})
        raise Refused(
            gettext(
                "The voice could not speak this now. Callers may not hear it either: see Status, then try again."
            )
        ) from error
    finally:
        _turns.release()


async def _spoken(text: str) -> bytes:
    """Its samples. The voice's libraries take seconds to load, and are only where somebody has listened."""
    from livekit.agents.utils import http_context

    from calls.agents.audio import spoken
    from calls.agents.speech.models import build_tts

    async with asyncio.timeout(WITHIN_S), http_context.open():
        voice = build_tts()
        try:
            frames = [bytes(frame.data) async for frame in spoken(voice, text, rate=RATE)]
        finally:
            await voice.aclose()
    if not any(frames):
        raise ValueError("the voice made no sound")
    return b"".join(frames)


def _file(samples: bytes) -> bytes:
    made = io.BytesIO()
    with wave.open(made, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(samples)
    return made.getvalue()
