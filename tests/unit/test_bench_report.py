"""The bench's arithmetic and report: every name of the design's table, nothing told that was not measured."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bench import report
from tests.bench.figures import Part, Reading, percentile, spread, unmeasured
from tests.bench.measures import MEASURES

NAMES = {
    "webhook_to_dom",
    "click_to_dial",
    "accept_to_heard",
    "relay_delay",
    "resume",
    "history",
    "reports",
    "wallboard_500",
    "call_cost",
    "idle",
}


@pytest.mark.parametrize(
    ("samples", "per_cent", "found"),
    [([5], 95, 5), ([1, 2], 50, 1), ([2, 1], 51, 2), (range(1, 101), 95, 95), (range(1, 101), 99, 99)],
)
def test_a_percentile_is_a_sample_that_was_taken(samples: list[float], per_cent: float, found: float) -> None:
    assert percentile(samples, per_cent) == found


def test_no_samples_have_no_percentile() -> None:
    with pytest.raises(ValueError):
        spread([])


def test_every_name_of_the_design_is_reported_and_what_was_not_measured_says_why() -> None:
    rows = report.rows({"history": unmeasured("no time")})
    assert {row["name"] for row in rows} == NAMES
    for row in rows:
        assert (row["value"], row["ok"]) == (None, None)
        assert row["why"] == ("no time" if row["name"] == "history" else report.NOT_ASKED)
        assert row["bar"] > 0
        assert row["unit"]


@pytest.mark.parametrize(
    ("reading", "ok"),
    [
        (Reading(1.0), True),
        (Reading(1e9), False),
        (Reading(1.0, parts=(Part("p99", 2, "ms", bar=1),)), False),
        (Reading(1.0, parts=(Part("p99", 2, "ms", bar=2), Part("told only", 9, "ms"))), True),
        (Reading(1.0, judged=False, why="too few"), None),
    ],
)
def test_a_bar_holds_when_all_of_it_holds(reading: Reading, ok: bool | None) -> None:
    assert report.verdict(MEASURES[0], reading) is ok


def test_a_busy_machine_is_told() -> None:
    rows = report.rows({"idle": Reading(1.0)}, {"idle": 99.04})
    assert [row.get("load") for row in rows if row["name"] == "idle"] == [99.0]
    assert any("the machine was busy" in line for line in report.lines(rows))


def test_the_file_is_a_list_and_the_table_has_a_line_for_each_name(tmp_path: Path) -> None:
    made = report.rows({"idle": Reading(3.14159, spread([1.0, 3.14159]), (Part("memory", 900, "MB", 2560),))})
    report.write(tmp_path / "build" / "bench.json", made)
    assert json.loads((tmp_path / "build" / "bench.json").read_text()) == made
    told = "\n".join(report.lines(made))
    assert all(name in told for name in NAMES)
    assert "3.142" in told
    assert "memory" in told
