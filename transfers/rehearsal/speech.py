"""What was said in a recording, by offline recognition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from livekit.local_inference import VAD_WINDOW_SAMPLES

from calls.agents.speech import ears
from calls.telephony.simulator.hearing import Segmenter, Utterance
from transfers.rehearsal import words
from transfers.rehearsal.sound import RATE, Recording, without_tones
from transfers.rehearsal.tones import CALLER_HZ, MANAGER_HZ

TONES = (CALLER_HZ, MANAGER_HZ)


@dataclass
class Ears:
    """A recording with what was said in it; each stretch of speech is recognised once, by itself."""

    recording: Recording
    _known: list[Utterance] | None = field(default=None, repr=False)

    @property
    def utterances(self) -> list[Utterance]:
        if self._known is None:
            self._known = _utterances(self.recording)
        return self._known

    def text(self, since: float | None = None, until: float | None = None) -> str:
        """What was said by whoever began in that time (epoch seconds)."""
        begins = self.recording.began if since is None else since
        ends = self.recording.ended if until is None else until
        return " ".join(one.text for one in self.utterances if begins <= one.started_at < ends)

    def words(self, said: Sequence[str], since: float, until: float) -> list[str]:
        """Which of the words `said` were recognised in that time; after few, it is listened to as a whole."""
        found = words.recognised(said, self.text(since, until))
        if len(found) >= words.ENOUGH * len(said):
            return found
        again = without_tones(self.recording.part(since, until), TONES).samples
        whole = ears.recognize(again, RATE) if len(again) else ""
        return max(found, words.recognised(said, whole), key=len)


def _utterances(recording: Recording) -> list[Utterance]:
    clean = without_tones(recording, TONES)
    samples = np.concatenate([clean.samples, np.zeros(RATE, dtype=np.int16)])  # a silence ends the last one
    segmenter, found = Segmenter(), []
    for start in range(0, len(samples) - VAD_WINDOW_SAMPLES + 1, VAD_WINDOW_SAMPLES):
        segment = segmenter.push(samples[start : start + VAD_WINDOW_SAMPLES], clean.began + start / RATE)
        if segment and (text := ears.recognize(segment.samples, RATE)):
            found.append(Utterance(text, segment.started_at, segment.ended_at))
    return found
