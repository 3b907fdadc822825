"""The console's words and clocks in templates."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext, gettext_noop

from calls.display import Display
from calls.display import clock as clock_text
from calls.timing import now

register = template.Library()

DOT = mark_safe('<span class="dot" aria-hidden="true">·</span>')


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


@register.simple_tag
def since(at: datetime | None) -> SafeString | str:
    """A clock that counts up in the browser."""
    if at is None:
        return ""
    return format_html('<time class="clock" data-since="{}">{}</time>', _ms(at), clock_text(now() - at))


@register.simple_tag
def until(at: datetime | None) -> SafeString | str:
    """A clock that counts down to zero."""
    if at is None:
        return ""
    return format_html('<time class="clock" data-until="{}">{}</time>', _ms(at), clock_text(at - now()))


TIMES = {  # as the browser shows them, too: see `local` in static/js/page.js
    "time": "%H:%M:%S",
    "minute": "%H:%M",
    "day": "%-d %b, %H:%M",
    "shift": "%a %H:%M",
    "date": "%-d %b %Y",
    "whole": "%-d %b %Y, %H:%M:%S",
    "exact": "%H:%M:%S",  # and its milliseconds
}


@register.simple_tag
def at(moment: datetime | None, kind: str = "time") -> SafeString | str:
    """A moment, which the browser turns into its own zone; until it has, or without scripts, it is told in UTC."""
    if moment is None:
        return ""
    text = moment.astimezone(UTC).strftime(TIMES[kind])
    if kind == "exact":
        text += f".{moment.microsecond // 1000:03}"
    return format_html('<time datetime="{}" data-at="{}">{} UTC</time>', moment.isoformat(), kind, text)


@register.simple_tag
def catalogue() -> str:
    """Where the scripts' words are: each language has its own address, so that a browser may keep them."""
    return f"{reverse('jsi18n')}?{get_language() or ''}"


@register.simple_tag
def icon(name: str) -> SafeString:
    return format_html('<i class="ti ti-{}" aria-hidden="true"></i>', name)


@register.simple_tag
def badge(display: Display) -> SafeString:
    """The state as a pill: colour, icon, words and its clock."""
    clock: Any = display.fixed or (since(display.since) if display.since else until(display.until))
    dot = DOT if clock else ""
    return format_html(
        '<span class="state state-{}{}"><i class="ti ti-{}" aria-hidden="true"></i><span>{}</span>{}{}</span>',
        display.role,
        " pulses" if display.pulses else "",
        display.icon,
        display.words,
        dot,
        clock,
    )


# Translators: a regular expression that finds the seconds which count down in a sentence, and no others: “Rings
# Dana for 12 s more, then …”, “Waits 30 s for a supervisor”. Its first group is the number.
REMAINING = gettext_noop(r"(\d+) s (?:more|for a supervisor)")


@register.filter
def ticking(sentence: str) -> SafeString:
    """A sentence of what happens next, its remaining seconds counting down in the browser."""
    found = re.search(gettext(REMAINING), sentence)
    if not found:
        return format_html("{}", sentence)
    until = _ms(now() + timedelta(seconds=int(found.group(1))))
    before, after = sentence[: found.start(1)], sentence[found.end(1) :]
    return format_html('{}<span class="num" data-seconds="{}">{}</span>{}', before, until, found.group(1), after)


@register.filter
def ms(at: datetime | None) -> int | str:
    return _ms(at) if at else ""


@register.filter
def span(value: timedelta | None) -> str:
    return clock_text(value) if value is not None else "–"
