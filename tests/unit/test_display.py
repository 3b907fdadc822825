from __future__ import annotations

from datetime import timedelta

import pytest

from calls.access import Sight
from calls.display import clock, masked
from calls.templatetags.console import ticking


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (14, "0:14"), (130, "2:10"), (3723, "1:02:03"), (-5, "0:00")]
)
def test_clock(seconds, text):
    assert clock(timedelta(seconds=seconds)) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("+12025550144", "…0144"),
        ("sip_+12025550144", "sip_…0144"),
        ("12025550144", "…0144"),
        ("+1 (202) 555-0144", "…0144"),
        ("call-831feb0a-9999-4281-b4f8-9ac28ec834a8", "call-831feb0a-9999-4281-b4f8-9ac28ec834a8"),
        ("transfer-0199a1b2-1234-7123-8123-123456789012", "transfer-0199a1b2-1234-7123-8123-123456789012"),
        ("support", "support"),
        ("sip:+12025550144@carrier.example", "sip:…0144@carrier.example"),
    ],
)
def test_numbers_are_masked_and_ids_are_not(text, shown):
    assert masked(text, Sight()) == shown
    assert masked(text, Sight(full_number=True)) == text


def test_the_remaining_seconds_of_a_sentence_tick():
    html = ticking("Rings Dana for 20 s more, then <Omar> for 25 s.")
    assert "data-seconds=" in html
    assert "&lt;Omar&gt; for 25 s." in html
    assert ticking("Rings Dana for 25 s, then Omar.") == "Rings Dana for 25 s, then Omar."
