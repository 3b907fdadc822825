"""A minute of `make soak`: every way once or so, with kills, late and forged webhooks, beside an open page."""

from __future__ import annotations

import json

import pytest

from tests.soak.promises import PROMISES
from tests.soak.run import soak

pytestmark = [pytest.mark.e2e, pytest.mark.alone, pytest.mark.timeout(420)]


def test_a_minute_of_it_breaks_no_promise() -> None:
    tally = soak(1.0, seed=7, at_least=4)
    assert tally.ok, json.dumps(vars(tally), default=dict)
    assert tally.kills
    assert tally.pages_compared
    assert tally.late_webhooks
    assert set(tally.violations) == set(PROMISES)
