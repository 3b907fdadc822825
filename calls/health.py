"""How the house is: typed checks for `/status` and `manage.py doctor`, and the banner that says what is ill.

A check says what it found and, where it is not well, what to do. Apps register theirs.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.template.loader import render_to_string
from django.utils.translation import gettext

logger = logging.getLogger(__name__)


class Verdict(StrEnum):
    OK = "ok"
    UNSURE = "unsure"  # not known, or well enough for now
    ILL = "ill"


@dataclass(frozen=True)
class Check:
    """One line of `doctor`. `do` is what to do, and empty when all is well."""

    name: str
    verdict: Verdict
    says: str
    do: str = ""

    @property
    def ok(self) -> bool:
        return self.verdict != Verdict.ILL


@dataclass(frozen=True)
class Ailment:
    """One line of the banner: what happened, what it means for callers, what to do."""

    part: str
    says: str


CheckFunction = Callable[[], Check]
AilmentFunction = Callable[[], Ailment | None]

_checks: list[tuple[str, CheckFunction]] = []
_ailments: list[AilmentFunction] = []
_banner: tuple[float, str] = (0.0, "")
_ill: frozenset[str] = frozenset()  # the parts that were ill at the last look


def register(name: str, check: CheckFunction) -> None:
    _checks.append((name, check))


def register_ailment(ailment: AilmentFunction) -> None:
    """`ailment` is asked every 2 s and must answer within a second."""
    _ailments.append(ailment)


def run_all() -> Sequence[Check]:
    """Every check in order; one that breaks is an ill line, not an error."""
    return [_run(name, check) for name, check in _checks]


def _run(name: str, check: CheckFunction) -> Check:
    try:
        return check()
    except Exception as error:
        logger.warning("a check broke", extra={"check": name, "error": type(error).__name__})
        return Check(
            gettext(name),
            Verdict.ILL,
            gettext("This check itself failed: %(error)s.") % {"error": type(error).__name__},
            gettext("See the console's log."),
        )


def ailments() -> Sequence[Ailment]:
    found = []
    for ask in _ailments:
        try:
            ailment = ask()
        except Exception as error:
            logger.warning("a check of the banner broke", extra={"error": type(error).__name__})
            continue
        if ailment:
            found.append(ailment)
    return found


def banner() -> str:
    """The banner's HTML as things are now; empty when all is well.

    What is ill for one look only is not told: a busy machine answers late, and is not down.
    """
    global _banner, _ill
    found = ailments()
    html = render_banner([one for one in found if one.part in _ill])
    _ill = frozenset(one.part for one in found)
    _banner = (time.monotonic(), html)
    return html


def last_banner() -> str:
    """The newest banner of this process, for a page's load; empty if it is old."""
    at, html = _banner
    return html if time.monotonic() - at < 10 else ""


def render_banner(found: Sequence[Ailment]) -> str:
    return render_to_string("parts/ailments.html", {"ailments": found}).strip() if found else ""


def database_banner() -> str:
    """For when nothing can be read."""
    return render_banner(
        [
            Ailment(
                gettext("Database"),
                gettext(
                    "The database does not answer. Conversations go on, but nothing can be escalated, approved or "
                    "recorded until it is back."
                ),
            )
        ]
    )
