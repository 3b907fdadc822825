"""Who heard whom, by the table, from recordings made here."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from calls.telephony.hears import Party, Phase
from tests.unit.test_rehearsal_sound import BEGAN, noise, recording, tone
from transfers.rehearsal import judge
from transfers.rehearsal.report import Report, lines
from transfers.rehearsal.sound import RATE, Recording
from transfers.rehearsal.timeline import Marks, phases, spans
from transfers.rehearsal.tones import CALLER_HZ, MANAGER_HZ


def at(seconds: float) -> float:
    return BEGAN + seconds


MERGED = Marks(
    joined=at(0),
    clicked=at(5),
    held=at(5.02),
    hold_heard=at(5.4),
    dialled=at(5.06),
    answered=at(8),
    briefing=at(8.1),
    briefing_heard=at(8.5),
    decided=at(14),
    bridged=at(14.2),
    merged=at(14.25),
    caller_heard=at(14.4),
    manager_heard=at(14.5),
    ended=at(20),
)
RETURNED = Marks(
    joined=at(0), clicked=at(5), held=at(5.02), dialled=at(5.1), closed=at(11), returned=at(11.1), ended=at(20)
)


def heard(hz: float, since: float, until: float, *, before: float = 0.0) -> Recording:
    """Noise, the tone in its time, and if wanted a leak in the two seconds before."""
    sound = tone(hz, until, since=since)
    if before:
        sound = sound + tone(hz, until, since=before) * (np.arange(len(sound)) / RATE < before + 2)
    return recording(sound, noise(until))


def verdict(marks: Marks, caller: Recording, manager: Recording | None = None) -> list[str]:
    ears = {Party.CALLER: caller} | ({Party.MANAGER: manager} if manager else {})
    return [cell.words for cell in judge.cells(spans(marks), ears) if cell.words]


def test_a_merge_where_each_hears_the_other_only_then() -> None:
    assert verdict(MERGED, heard(MANAGER_HZ, 14.4, 20), heard(CALLER_HZ, 14.5, 20)) == []


def test_the_caller_s_voice_in_the_briefing_is_a_leak() -> None:
    (said,) = verdict(MERGED, heard(MANAGER_HZ, 14.4, 20), heard(CALLER_HZ, 14.5, 20, before=9))
    assert said.startswith("Leak during the briefing: the manager hears the caller for 2.")


def test_the_manager_s_voice_on_hold_is_a_leak() -> None:
    (said,) = verdict(MERGED, heard(MANAGER_HZ, 14.4, 20, before=5.5), heard(CALLER_HZ, 14.5, 20))
    assert said.startswith("Leak on hold: the caller hears the manager")


def test_an_echo_is_a_leak() -> None:
    echo = recording(tone(MANAGER_HZ, 20, since=14.4), tone(CALLER_HZ, 20, since=15), noise(20))
    (said,) = verdict(MERGED, echo, heard(CALLER_HZ, 14.5, 20))
    assert "the caller hears the caller (an echo)" in said


def test_a_deaf_caller_is_told() -> None:
    (said,) = verdict(MERGED, recording(noise(20)), heard(CALLER_HZ, 14.5, 20))
    assert said == "The caller does not hear the manager after the merge (0% of the time)."


def test_the_manager_s_voice_after_the_return_is_a_leak() -> None:
    (said,) = verdict(RETURNED, heard(MANAGER_HZ, 12, 14))
    assert said.startswith("Leak while the caller is with the AI")


def test_the_phases_of_a_merge_and_of_a_return() -> None:
    assert [span.phase for span in spans(MERGED)] == [
        Phase.WITH_AI,
        Phase.ON_HOLD,
        Phase.BRIEFING,
        Phase.MERGED,
    ]
    assert [span.phase for span in spans(RETURNED)] == [Phase.WITH_AI, Phase.ON_HOLD, Phase.WITH_AI]
    assert spans(MERGED)[-1].since == at(14.5)  # both are heard from then on
    assert spans(Marks()) == []


def test_durations() -> None:
    took = phases(MERGED, relay_delay_ms=47.123)
    assert took.click_to_hold_s == pytest.approx(0.4)
    assert took.click_to_dial_s == pytest.approx(0.06)
    assert took.answer_to_briefing_s == pytest.approx(0.5)
    assert took.accept_to_heard_s == pytest.approx(0.5)
    assert took.relay_delay_ms == 47.1
    assert phases(RETURNED).accept_to_heard_s is None
    assert phases(replace(MERGED, caller_heard=None)).accept_to_heard_s is None


def test_a_report_is_ok_without_a_problem() -> None:
    report = Report(
        "accepts", outcome="connected", said_by_caller=["tiger"], heard_by_manager=["tiger"], phases=phases(MERGED)
    )
    told = report.as_json()
    assert told["ok"] is True
    assert told["phases"]["accept_to_heard_s"] == pytest.approx(0.5)
    assert lines(report)[-1] == "Rehearsal passed."
    report.problems.append("The manager was not dialled.")
    assert report.as_json()["ok"] is False
    assert "  problem: The manager was not dialled." in lines(report)
