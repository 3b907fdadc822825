"""`manage.py rehearse` beside the running product: what has to work works, and what is broken is found.

A few of its scenarios: `make rehearse ARGS="--all"` plays every one, and takes three quarters of an hour.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from tests.product import Product

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(300)]

WITHIN_S = 280
PUBLISH = """
from calls.events import SYSTEM
from calls.models import AgentProfile
from calls.services.configuration import publish_profile
from transfers.rehearsal.house import own_department
profile = AgentProfile.objects.filter(department=own_department()).order_by("-version")[{nth}]
{change}
publish_profile(profile, actor=SYSTEM)
"""
LESS = """
profile.facts = [fact for fact in profile.facts if fact["key"] != "account_number"]
profile.introduction = ""
"""
WITHOUT, AS_BEFORE = PUBLISH.format(nth=0, change=LESS), PUBLISH.format(nth=1, change="")


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


def spoken(told: dict[str, Any], words: str) -> bool:
    """Whether caller and manager both heard these words."""
    return all(words in told[heard].lower() for heard in ("heard_by_manager_text", "heard_by_caller_text"))


def test_over_the_stored_trunk_a_manager_hears_what_they_ask_for(rehearse, product: Product) -> None:
    result = rehearse("--trunk", "stored", "--scenario", "asks-account-number")
    told = joined(result)
    assert told["carrier_request"]["trunk"] == "stored"
    assert told["carrier_request"]["to_masked"].startswith("…")
    for step in ("the caller is on hold", "the manager answers", "caller and manager are joined"):
        assert step in result.progress
    for log in ("web", "worker", "agents", "carrier"):
        assert "my words are" not in product.log(log).lower()
    assert "account" in told["heard_by_manager_text"].lower(), str(result)
    assert spoken(told, "connected"), str(result)


def test_a_leak_is_found_and_what_was_taken_out_of_the_profile_is_not_told(rehearse, product: Product) -> None:
    """Over an inline trunk to a SIP address. A fact that is removed is asked for and told by nobody, an emptied
    introduction is not spoken; and the manager hears the caller during the briefing."""
    change(product, WITHOUT)
    try:
        result = rehearse("--trunk", "inline", "--scenario", "sip-uri", "--break", "leak")
    finally:
        change(product, AS_BEFORE)  # for the tests that come later
    told = result.told
    assert (result.code, told["ok"], told["leak"], told["outcome"]) == (1, False, True, "connected"), str(result)
    assert any("Leak during the briefing: the manager hears the caller" in one for one in told["problems"]), told
    assert told["carrier_request"]["trunk"] == "inline"
    for heard in ("heard_by_manager_text", "heard_by_caller_text"):
        assert "account" not in told[heard].lower(), str(result)
        assert "connected" not in told[heard].lower(), str(result)


def change(product: Product, script: str) -> None:
    done = product.manage("shell", "--command", script)
    assert done.returncode == 0, done.stderr
