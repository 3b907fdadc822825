"""What was said in a recording, by offline recognition."""

from __future__ import annotations

import numpy as np
from livekit.local_inference import VAD_WINDOW_SAMPLES

from calls.agents.speech import ears
from calls.telephony.simulator.hearing import Segmenter, Utterance
from transfers.rehearsal import words
from transfers.rehearsal.sound import RATE, Recording, without_tones
from transfers.rehearsal.tones import CALLER_HZ, MANAGER_HZ

TONES = (CALLER_HZ, MANAGER_HZ)


def utterances(recording: Recording) -> list[Utterance]:
    """Each stretch of speech, recognised by itself."""
    clean = without_tones(recording, TONES)
    samples = np.concatenate([clean.samples, np.zeros(RATE, dtype=np.int16)])  # a silence ends the last one
    segmenter, found = Segmenter(), []
    for start in range(0, len(samples) - VAD_WINDOW_SAMPLES + 1, VAD_WINDOW_SAMPLES):
        segment = segmenter.push(samples[start : start + VAD_WINDOW_SAMPLES], clean.began + start / RATE)
        if segment and (text := ears.recognize(segment.samples, RATE)):
            found.append(Utterance(text, segment.started_at, segment.ended_at))
    return found


def text_of(recording: Recording) -> str:
    return " ".join(one.text for one in utterances(recording))


def best_text(recording: Recording, said: list[str]) -> str:
    """Of two ways to listen, utterance by utterance or all at once, the one that recognised more of `said`."""
    whole = ears.recognize(without_tones(recording, TONES).samples, RATE) if len(recording.samples) else ""
    return max((text_of(recording), whole), key=lambda text: words.share(said, text))
