"""Text from outside as values; None where it is none: an address then asks for nothing."""

from __future__ import annotations

from datetime import date
from uuid import UUID

LARGEST = 2**31 - 1


def number(text: str, *, most: int = LARGEST) -> int | None:
    """From 0 to `most`, in ASCII digits and no more of them than that has."""
    plain = text.isascii() and text.isdecimal() and len(text) <= len(str(most))
    return int(text) if plain and int(text) <= most else None


def day(text: str) -> date | None:
    """As YYYY-MM-DD."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
