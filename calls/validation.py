"""What people type into forms, checked with words that say what is wrong: numbers, profiles, addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import phonenumbers
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext, gettext_noop
from phonenumbers import NumberParseException, ValidationResult
from pydantic import BaseModel, ConfigDict

E164 = re.compile(r"\+[1-9]\d{6,14}")
TYPED = re.compile(r"[+0-9A-Za-z ().\-/\u00a0\u202f]+")  # what people write numbers with
LONGEST_LINE = 500

_UNPARSED = {
    NumberParseException.INVALID_COUNTRY_CODE: gettext_noop(
        "begin with + and a country code, for example +12025550100"
    ),
    NumberParseException.NOT_A_NUMBER: gettext_noop("this is not a phone number"),
    NumberParseException.TOO_SHORT_AFTER_IDD: gettext_noop("it is too short"),
    NumberParseException.TOO_SHORT_NSN: gettext_noop("it is too short"),
    NumberParseException.TOO_LONG: gettext_noop("it is too long"),
}
_IMPOSSIBLE = {
    ValidationResult.INVALID_COUNTRY_CODE: gettext_noop("no country has this code"),
    ValidationResult.TOO_SHORT: gettext_noop("it is too short for its country"),
    ValidationResult.TOO_LONG: gettext_noop("it is too long for its country"),
    ValidationResult.INVALID_LENGTH: gettext_noop("no number of its country is that long"),
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: gettext_noop("the area code is missing"),
}


@contextmanager
def of_field(name: str) -> Iterator[None]:
    """What is wrong inside the block is wrong with the field `name`: for `clean` of models and forms."""
    try:
        yield
    except ValidationError as error:
        raise ValidationError({name: error.error_list}) from None


def phone_number(text: str) -> str:
    """The number in E.164 ("+12025550100"). Raises ValidationError with the reason."""
    text = text.strip()
    if not text:
        raise ValidationError(gettext("Enter a phone number, for example +12025550100."), code="missing")
    if not TYPED.fullmatch(text):
        raise _refused(gettext("there are characters in it that no phone number has"))
    try:
        parsed = phonenumbers.parse(text, None)
    except NumberParseException as error:
        raise _refused(gettext(_UNPARSED.get(error.error_type, "this is not a phone number"))) from None
    if parsed.extension:
        raise _refused(gettext("the extension does not belong here; leave it out"))
    reason = phonenumbers.is_possible_number_with_reason(parsed)
    if reason != ValidationResult.IS_POSSIBLE:
        raise _refused(gettext(_IMPOSSIBLE.get(reason, gettext_noop("no country has such a number"))))
    number = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    if not E164.fullmatch(number):
        raise _refused(gettext("it is too short or too long"))
    return number


def _refused(why: str) -> ValidationError:
    return ValidationError(gettext("This number cannot be called: %(why)s."), code="invalid", params={"why": why})


# ── profiles ─────────────────────────────────────────────────────────────────────────────────────

SECTIONS = {
    "who": gettext_noop("Who is calling"),
    "reason": gettext_noop("Why they call"),
    "tried": gettext_noop("What was tried"),
    "facts": gettext_noop("Facts collected"),
}
FACT_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
FACT_LABEL_LENGTH = 60
MOST_FACTS = 20
MOST_LINES = 10


class Fact(BaseModel):
    """One fact that the AI collects, as it is kept in a profile."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    key: str
    label: str
    required: bool = False
    may_be_spoken: bool = True


def fact_key(label: str) -> str:
    """ "Account number" → "account_number"."""
    return re.sub(r"[^a-z0-9]+", "_", label.lower()).strip("_")[:40]


def profile_facts(value: Any) -> list[dict[str, Any]]:
    """A list of {key, label, required, may_be_spoken}, each key once. Raises ValidationError."""
    if not isinstance(value, list):
        raise ValidationError(gettext("Facts are a list."))
    if len(value) > MOST_FACTS:
        raise ValidationError(
            gettext("%(count)s facts are too many for one call: %(most)s at most.")
            % {"count": len(value), "most": MOST_FACTS}
        )
    problems, facts = [], []
    for nth, row in enumerate(value, start=1):
        try:
            facts.append(_fact(row))
        except ValueError as error:
            problems.append(gettext("Fact %(nth)s: %(error)s") % {"nth": nth, "error": error})
    keys = [fact["key"] for fact in facts]
    problems += [
        gettext("Two facts have the key “%(key)s”.") % {"key": key}
        for key in sorted({k for k in keys if keys.count(k) > 1})
    ]
    if problems:
        raise ValidationError(problems)
    return facts


def _fact(row: Any) -> dict[str, Any]:
    if not isinstance(row, Mapping) or not set(row) <= set(Fact.model_fields):
        raise ValueError(gettext("it has key, label, required and may_be_spoken, and nothing else."))
    label, key = row.get("label", ""), row.get("key", "")
    if not isinstance(label, str) or not label.strip() or len(label) > FACT_LABEL_LENGTH:
        raise ValueError(
            gettext("give it a label of at most %(longest)s characters.") % {"longest": FACT_LABEL_LENGTH}
        )
    if not isinstance(key, str) or not FACT_KEY.fullmatch(key):
        raise ValueError(gettext("its key begins with a small letter and has only small letters, digits and _."))
    flags = {name: row.get(name, default) for name, default in (("required", False), ("may_be_spoken", True))}
    if not all(isinstance(flag, bool) for flag in flags.values()):
        raise ValueError(gettext("required and may be spoken are yes or no."))
    return Fact(key=key, label=label.strip(), **flags).model_dump()


def profile_sections(value: Any) -> list[str]:
    """Sections of the briefing in order, each at most once; empty: the usual order."""
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise ValidationError(gettext("Sections are a list of names."))
    unknown = [name for name in value if name not in SECTIONS]
    if unknown:
        raise ValidationError(
            gettext("There is no section “%(name)s”: choose from %(sections)s.")
            % {"name": unknown[0], "sections": ", ".join(SECTIONS)}
        )
    if len(set(value)) != len(value):
        raise ValidationError(gettext("Each section appears once."))
    return value


def profile_lines(value: Any) -> list[str]:
    """Lines said one after the other."""
    if not isinstance(value, list) or not all(isinstance(line, str) for line in value):
        raise ValidationError(gettext("Lines are a list of texts."))
    lines: Sequence[str] = [line.strip() for line in value if line.strip()]
    if len(lines) > MOST_LINES or any(len(line) > LONGEST_LINE for line in lines):
        raise ValidationError(
            gettext("At most %(most)s lines of at most %(longest)s characters each.")
            % {"most": MOST_LINES, "longest": LONGEST_LINE}
        )
    return list(lines)


# ── webhooks ─────────────────────────────────────────────────────────────────────────────────────


def webhook_address(text: str) -> str:
    """An https address; plain http only where private addresses are allowed. Raises ValidationError."""
    text = text.strip()
    try:
        parts = urlsplit(text)
        port_is_one = parts.port is None or parts.port > 0
    except ValueError:
        raise ValidationError(gettext("This is not an address. Begin with https://.")) from None
    if parts.scheme not in ("https", "http") or not parts.hostname or not port_is_one:
        raise ValidationError(gettext("This is not an address. Begin with https://."))
    if parts.scheme == "http" and not settings.PRIVATE_WEBHOOKS:
        raise ValidationError(gettext("Use https: what is sent over http can be read on the way."))
    if parts.username or parts.password or parts.fragment:
        raise ValidationError(gettext("Leave out user, password and #: the signature proves who sends."))
    return text
