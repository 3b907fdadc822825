"""`manage.py rehearse` beside the running product: what has to work works, and what is broken is found.

A few of its scenarios: `make rehearse ARGS="--all"` plays every one, and takes half an hour.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from tests.product import Product

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

WITHIN_S = 280


@dataclass
class Result:
    code: int
    told: dict[str, Any]
    progress: str

    def __str__(self) -> str:
        return f"{json.dumps(self.told)}\n{self.progress}"


@pytest.fixture
def rehearse(product: Product):
    def run(*arguments: str) -> Result:
        done = product.manage("rehearse", "--json", *arguments, timeout=WITHIN_S)
        assert done.stdout.count("\n") <= 1, "one object, and nothing else"
        return Result(done.returncode, json.loads(done.stdout), done.stderr)

    return run


def joined(result: Result) -> dict[str, Any]:
    """A rehearsal in which caller and manager met."""
    told = result.told
    assert (result.code, told["ok"], told["outcome"], told["leak"]) == (0, True, "connected", False), str(result)
    for said, heard in (("said_by_caller", "heard_by_manager"), ("said_by_manager", "heard_by_caller")):
        assert len(told[said]) == 6
        assert len(set(told[said]) & set(told[heard])) >= 4
    assert all(value is not None for value in told["phases"].values()), told["phases"]
    return told


def returned(result: Result, outcome: str) -> dict[str, Any]:
    """One in which the caller is with the AI again, heard why, asked something and was answered."""
    told = result.told
    assert (result.code, told["ok"], told["outcome"], told["leak"]) == (0, True, outcome, False), str(result)
    assert told["heard_after_return"]
    return told


def test_it_passes_over_the_stored_trunk(rehearse, product: Product) -> None:
    result = rehearse("--trunk", "stored")
    told = joined(result)
    assert told["carrier_request"]["trunk"] == "stored"
    assert told["carrier_request"]["to_masked"].startswith("…")
    for step in ("the caller is on hold", "the manager answers", "caller and manager are joined"):
        assert step in result.progress
    for log in ("web", "worker", "agents", "carrier"):
        assert "my words are" not in product.log(log).lower()


def test_it_passes_over_an_inline_trunk_to_a_sip_address(rehearse) -> None:
    told = joined(rehearse("--trunk", "inline", "--scenario", "sip-uri"))
    assert told["carrier_request"]["trunk"] == "inline"


def test_a_manager_who_asks_for_the_account_number_hears_it(rehearse) -> None:
    joined(rehearse("--scenario", "asks-account-number"))


def test_when_the_manager_declines_the_caller_hears_why_and_goes_on(rehearse) -> None:
    assert "meeting" in returned(rehearse("--scenario", "declines"), "declined")["heard_after_return"].lower()


def test_a_manager_gives_the_caller_back_by_key(rehearse) -> None:
    assert (
        "back with me" in returned(rehearse("--scenario", "gives-back"), "connected")["heard_after_return"].lower()
    )


def test_a_leak_is_found(rehearse) -> None:
    result = rehearse("--break", "leak")
    assert (result.code, result.told["ok"], result.told["leak"]) == (1, False, True), str(result)
    told = result.told["problems"]
    assert any("Leak during the briefing: the manager hears the caller" in one for one in told), str(result)
