"""Which numbers are never dialled, and which the rules allow: pure, for forms and before every dial."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import NamedTuple, Protocol, TypeVar

import phonenumbers
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberType, shortnumberinfo

PREFIX = re.compile(r"\+(?:[1-9]\d{0,14})?")


class Refusal(NamedTuple):
    """`detail` in a few words, for an attempt; `words` for people, after "This number is not dialled: "."""

    detail: str
    words: str | Promise


EMERGENCY = Refusal(
    "an emergency number",
    gettext_lazy("it reaches an emergency service, which Patchbay never calls"),
)
PREMIUM = Refusal(
    "a premium-rate number",
    gettext_lazy("it is a premium-rate number, which costs whoever calls it"),
)
NO_RULE = Refusal(
    "no dialling rule allows it",
    gettext_lazy(
        "no dialling rule allows it; an administrator can add its prefix under Dialling rules in the "
        "administration"
    ),
)


class Rule(Protocol):
    prefix: str
    per_hour: int | None


R = TypeVar("R", bound=Rule)


def never(address: str) -> Refusal | None:
    """Why this E.164 number or SIP address is never dialled; None if it may be."""
    user = address.partition(":")[2].partition("@")[0] if ":" in address else address
    number = _parsed(user) if user.startswith("+") else None
    if number is None:
        digits = re.sub(r"[\-.()]", "", user.partition(";")[0])
        return EMERGENCY if digits.isdecimal() and is_emergency(digits) else None
    return _never(number)


def _never(number: PhoneNumber) -> Refusal | None:
    region = phonenumbers.region_code_for_country_code(number.country_code or 0)
    national = phonenumbers.national_significant_number(number)
    if shortnumberinfo.is_emergency_number(national, region):
        return EMERGENCY
    if phonenumbers.number_type(number) == PhoneNumberType.PREMIUM_RATE:
        return PREMIUM
    # Carriers that look at the first digits only: 911 and some more.
    if shortnumberinfo.connects_to_emergency_number(national, region) and not phonenumbers.is_valid_number(number):
        return EMERGENCY
    return None


def _parsed(text: str) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(text, None)
    except NumberParseException:
        return None


@cache
def is_emergency(digits: str) -> bool:
    """Of any country: who knows where the phone system behind an address stands."""
    return any(
        shortnumberinfo.is_emergency_number(digits, region) for region in phonenumbers.SUPPORTED_SHORT_REGIONS
    )


def of_number(rules: Iterable[R], address: str) -> list[R]:
    """The rules that this number is under. SIP addresses are under none: they leave over no carrier of ours."""
    return [rule for rule in rules if address.startswith(rule.prefix)]


def refusal(address: str, rules: Iterable[Rule], used: Mapping[str, int] | None = None) -> Refusal | None:
    """Why it is not dialled; None if it is. `used`: dials of the last hour by the rule's prefix."""
    known = list(rules)
    why = never(address)
    if why or not address.startswith("+") or not known:
        return why
    mine = of_number(known, address)
    for rule in mine:
        if used and rule.per_hour and used.get(rule.prefix, 0) >= rule.per_hour:
            words = gettext("%(count)s calls an hour to %(prefix)s are allowed, and so many were made")
            return Refusal(
                f"limit of {rule.per_hour} calls an hour to {rule.prefix}",
                words % {"count": rule.per_hour, "prefix": rule.prefix},
            )
    return None if mine else NO_RULE
