"""Which numbers are refused before anything is dialled, and in which words."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from django.core.exceptions import ValidationError

from transfers import dialling
from transfers.dialling import EMERGENCY, NO_RULE, PREMIUM, Refusal, never, refusal
from transfers.models import DialRule


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("+12025550101", None),
        ("+4930901820", None),
        ("+61293744000", None),
        ("+977014720999", None),
        ("+80012345678", None),
        ("+19005550123", PREMIUM),
        ("+499001234567", PREMIUM),
        ("+449098790000", PREMIUM),
        ("+611900123456", PREMIUM),
        ("+979123456789", PREMIUM),  # of no country
        ("+19115550123", EMERGENCY),
        ("+49112", EMERGENCY),
        ("sip:dana@example.com", None),
        ("sip:4711@pbx.example.com", None),
        ("sip:112@pbx.example.com", EMERGENCY),
        ("sip:9-1-1@pbx.example.com", EMERGENCY),
        ("sips:999@pbx.example.com", EMERGENCY),
        ("sip:+19005550123@carrier.example.com", PREMIUM),
        ("sip:112;phone-context=x@pbx.example.com", EMERGENCY),
        ("", None),
    ],
)
def test_emergency_and_premium_numbers_are_never_dialled(address: str, why: Refusal | None) -> None:
    assert never(address) == why
    assert refusal(address, [DialRule(prefix="+")]) == why  # no rule allows them


GERMANY, BERLIN, AMERICA = DialRule(prefix="+49", per_hour=3), DialRule(prefix="+4930"), DialRule(prefix="+1")


@pytest.mark.parametrize(
    ("address", "rules", "used", "detail"),
    [
        ("+4930901820", (), {}, ""),
        ("+4930901820", (GERMANY,), {}, ""),
        ("+4930901820", (AMERICA,), {}, NO_RULE.detail),
        ("+4930901820", (AMERICA, BERLIN), {}, ""),
        ("+4930901820", (GERMANY,), {"+49": 2}, ""),
        ("+4930901820", (GERMANY,), {"+49": 3}, "limit of 3 calls an hour to +49"),
        ("+4930901820", (GERMANY, BERLIN), {"+49": 3}, "limit of 3 calls an hour to +49"),  # each limit counts
        ("+12025550101", (GERMANY, AMERICA), {"+49": 3}, ""),
        ("sip:dana@example.com", (AMERICA,), {}, ""),
        ("+19005550123", (AMERICA,), {}, PREMIUM.detail),
    ],
)
def test_rules_allow_prefixes_so_often_an_hour(
    address: str, rules: tuple[DialRule, ...], used: Mapping[str, int], detail: str
) -> None:
    why = refusal(address, rules, used)
    assert (why.detail if why else "") == detail


@pytest.mark.parametrize(("typed", "kept"), [("+", "+"), ("+1 202", "+1202"), ("+49", "+49")])
def test_a_prefix_is_plus_and_digits(typed: str, kept: str) -> None:
    rule = DialRule(prefix=typed)
    rule.clean()
    assert rule.prefix == kept


@pytest.mark.parametrize("typed", ["0049", "49", "+0", "+49x", "++49", ""])
def test_another_prefix_is_refused(typed: str) -> None:
    with pytest.raises(ValidationError, match="country code"):
        DialRule(prefix=typed).clean()


def test_an_extension_like_a_year_is_no_emergency() -> None:
    assert not dialling.is_emergency("2026")
