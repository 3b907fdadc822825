"""Tones, words and delays as a rehearsal measures them, on sound made here."""

from __future__ import annotations

import numpy as np
import pytest

from calls.agents.speech import hold_music, voice
from calls.agents.speech.ears import resample
from transfers.rehearsal import delay, tones
from transfers.rehearsal.sound import RATE, Recording, audible_share, first_sound, of_wav, silent, without_tones
from transfers.rehearsal.speech import Ears
from transfers.rehearsal.tones import CALLER_HZ, MANAGER_HZ

BEGAN = 1_700_000_000.0  # an epoch second, as in a real run
WORDS = ["elephant", "tiger", "window", "silver", "forest", "candle"]


def recording(*parts) -> Recording:
    mixed = np.zeros(max(len(part) for part in parts))
    for part in parts:
        mixed[: len(part)] += part
    return Recording(mixed.clip(-32768, 32767).astype(np.int16), BEGAN)


def tone(hz: float, seconds: float, *, since: float = 0.0, level: float = 0.02):
    t = np.arange(int(seconds * RATE)) / RATE
    return np.where(t >= since, np.sin(2 * np.pi * hz * t) * level * 32767, 0)


def noise(seconds: float, level: float = 20.0):
    return np.random.default_rng(7).normal(0, level, int(seconds * RATE))


@pytest.fixture(scope="module")
def speech():
    said = "Patchbay for Billing, a caller is waiting. The caller is Anna Miller. They say: I was charged twice."
    return resample(voice.synthesize(said)[0], voice.RATE, RATE).astype(float)


@pytest.fixture(scope="module")
def words():
    return resample(voice.synthesize(f"My words are: {', '.join(WORDS)}.")[0], voice.RATE, RATE).astype(float)


@pytest.fixture(scope="module")
def music():
    return resample(hold_music.loop(), hold_music.RATE, RATE).astype(float)


@pytest.mark.parametrize("hz", [CALLER_HZ, MANAGER_HZ])
def test_no_tone_is_found_in_speech_or_hold_music(hz: float, speech, music) -> None:
    for heard in (recording(speech, noise(len(speech) / RATE)), recording(music), recording(music, speech)):
        assert tones.presence(heard, hz).longest < 2


@pytest.mark.parametrize("hz", [CALLER_HZ, MANAGER_HZ])
def test_a_tone_is_found_under_speech_and_under_hold_music(hz: float, speech, music) -> None:
    for heard in (speech, music):
        seconds = len(heard) / RATE
        assert tones.presence(recording(heard, tone(hz, seconds)), hz).share > 0.9


def test_the_other_party_s_tone_is_not_taken_for_this_one(music) -> None:
    assert tones.presence(recording(music, tone(MANAGER_HZ, 10)), CALLER_HZ).longest == 0


def test_a_leak_thirty_decibels_down_is_found(music) -> None:
    leaked = recording(music, tone(CALLER_HZ, 5, since=3, level=0.02 / 30))
    found = tones.presence(leaked, CALLER_HZ)
    assert found.within(BEGAN + 3.2, BEGAN + 5).share > 0.9
    assert found.within(BEGAN, BEGAN + 3).longest == 0


def test_where_a_tone_begins(speech, music) -> None:
    # The voice is another each time it speaks: a loud sound of it may hide the tone's first moments.
    for under, within_s in ((noise(5), 0.03), (speech[: 5 * RATE], 0.1), (music[: 5 * RATE], 0.03)):
        assert tones.begins(recording(under, tone(CALLER_HZ, 5, since=2.345)), CALLER_HZ) == pytest.approx(
            BEGAN + 2.345, abs=within_s
        )
    assert tones.begins(recording(speech), CALLER_HZ) is None
    assert tones.begins(recording(np.zeros(100)), CALLER_HZ) is None


def test_sound_is_found_beside_a_tone() -> None:
    loud = np.concatenate([np.zeros(2 * RATE), noise(3, 1000)])
    heard = recording(loud, tone(CALLER_HZ, 5), noise(5))
    clean = without_tones(heard, (CALLER_HZ, MANAGER_HZ))
    assert first_sound(clean) == pytest.approx(BEGAN + 2, abs=0.06)
    assert silent(clean.part(BEGAN, BEGAN + 1.9))
    assert first_sound(clean.part(BEGAN, BEGAN + 1.9)) is None
    assert audible_share(clean) == pytest.approx(0.6, abs=0.02)


def test_a_part_is_cut_by_the_clock() -> None:
    part = recording(np.arange(RATE)).part(BEGAN + 0.25, BEGAN + 0.5)
    assert (part.began, len(part.samples), part.samples[0]) == (BEGAN + 0.25, RATE // 4, RATE // 4)
    assert len(recording(np.arange(RATE)).part(BEGAN + 3, BEGAN + 5).samples) == 0


def test_a_recording_survives_being_a_wav() -> None:
    before = recording(noise(0.5))
    after = of_wav(before.wav(), BEGAN)
    assert (after.samples == before.samples).all()
    assert after.began == BEGAN


def test_how_much_later_the_same_words_are_heard(words) -> None:
    direct = recording(np.concatenate([np.zeros(RATE), words]), noise(7))
    late = np.concatenate([np.zeros(RATE + 1300), words * 0.5])
    relayed = recording(late, np.random.default_rng(9).normal(0, 20, 7 * RATE), tone(CALLER_HZ, 7))
    assert delay.lag_s(direct, relayed) == pytest.approx(1300 / RATE, abs=0.001)


def test_no_delay_between_sounds_that_are_not_the_same(words, speech) -> None:
    assert delay.lag_s(recording(words), recording(noise(5, 500))) is None
    assert delay.lag_s(recording(noise(0.2)), recording(noise(0.2))) is None


def test_the_words_of_two_sentences_are_recognised_under_a_tone(words, speech) -> None:
    both = np.concatenate([speech, np.zeros(RATE), words])
    began, ends = BEGAN + len(speech) / RATE, BEGAN + len(both) / RATE
    ears = Ears(recording(both, tone(MANAGER_HZ, len(both) / RATE)))
    assert "caller" in ears.text()
    assert "caller" not in ears.text(began)
    assert ears.utterances[-1].ended_at == pytest.approx(ends, abs=0.6)
    assert len(ears.words(WORDS, began, ends)) >= 4
    assert ears.words(WORDS, BEGAN, began) == []
