"""What the profile says is what is spoken: a fact that is removed, and an emptied introduction, are not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.product import Product

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

WITHOUT = """
from calls.events import SYSTEM
from calls.models import AgentProfile
from calls.services.configuration import publish_profile
profile = AgentProfile.objects.filter(department__rehearsal=True).order_by("-version").first()
profile.facts = [fact for fact in profile.facts if fact["key"] != "account_number"]
profile.introduction = ""
publish_profile(profile, actor=SYSTEM)
"""


def told(product: Product) -> dict[str, Any]:
    done = product.manage("rehearse", "--json", timeout=280)
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["ok"], found["problems"]
    return found


def test_what_is_taken_out_of_the_profile_is_not_spoken_any_more(product: Product) -> None:
    before = told(product)
    assert "account number" in before["heard_by_manager_text"].lower(), json.dumps(before)
    for heard in ("heard_by_manager_text", "heard_by_caller_text"):
        assert "connected" in before[heard].lower()
    changed = product.manage("shell", "--command", WITHOUT)
    assert changed.returncode == 0, changed.stderr
    after = told(product)
    assert "account number" not in after["heard_by_manager_text"].lower()
    for heard in ("heard_by_manager_text", "heard_by_caller_text"):
        assert "connected" not in after[heard].lower()
