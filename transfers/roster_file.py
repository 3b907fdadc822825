"""A manager as one line of a CSV file: what its cells mean. Pure: what is known of the roster is given.

    name,departments,priority,ways,shifts,exceptions
    Dana Ito,Billing | Claims,1,phone +12025550101 | browser,Mon-Fri 09:00-17:00 Europe/Berlin,2026-12-24 off

What is wrong with a cell is a ValueError, whose words say what to do.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time
from itertools import groupby
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext

from transfers import validation
from transfers.hours import Change

COLUMNS = ("id", "name", "departments", "priority", "active", "ways", "shifts", "exceptions")
BETWEEN = " | "
MOST_LINES = 10_000
MOST_BYTES = 5_000_000
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
YES_NO: Mapping[str, bool] = {"yes": True, "no": False, "true": True, "false": False, "1": True, "0": False}
FORMULA = ("=", "+", "-", "@", "\t")  # what a spreadsheet would calculate
WAY = re.compile(
    r"(?:(?P<kind>phone|sip|browser)(?=\s|$))?\s*?(?P<address>.*?)(?:\s+ext\s+(?P<dtmf>\S+))?"
    r"(?:\s+ring\s+(?P<ring>\d+)(?:\s*s)?)?(?:\s+line\s+(?P<line>\S.*))?",
    re.IGNORECASE,
)
SHIFT = re.compile(
    r"(?P<first>[A-Za-z]{3})(?:\s*[-–]\s*(?P<last>[A-Za-z]{3}))?\s+"
    r"(?P<starts>\d{1,2}:\d{2})\s*[-–]\s*(?P<ends>\d{1,2}:\d{2})\s+(?P<zone>\S+)"
)


EXCEPTION = re.compile(
    r"(?P<day>\d{4}-\d{2}-\d{2})\s+(?P<kind>off|other|extra)\b"
    r"(?:\s+(?P<starts>\d{1,2}:\d{2})\s*[-–]\s*(?P<ends>\d{1,2}:\d{2}))?"
    r"(?:\s+(?!note\s)(?P<zone>\S+))?(?:\s+note\s+(?P<note>\S.*))?",
    re.IGNORECASE,
)
LONGEST_NOTE = 80


@dataclass(frozen=True)
class Way:
    """As an Endpoint: kind, address, extension, ring time in seconds, and the line's name or empty."""

    kind: str
    address: str = ""
    dtmf: str = ""
    ring_time_s: int = 25
    line: str = ""


@dataclass(frozen=True, order=True)
class Hours:
    weekday: int
    starts: time
    ends: time
    time_zone: str


@dataclass(frozen=True)
class Exceptional:
    """As a ShiftException: a day that is off, or has other hours, or extra ones. No zone: that of the shifts."""

    day: date
    kind: Change
    starts: time | None = None
    ends: time | None = None
    time_zone: str = ""
    note: str = ""

    @property
    def order(self) -> tuple[Any, ...]:
        return (self.day, self.starts or time.min, self.kind, self.ends or time.min, self.time_zone, self.note)


@dataclass
class Line:
    """A manager. `id` is empty for a new one."""

    id: str = ""
    name: str = ""
    departments: tuple[str, ...] = ()
    priority: int = 1
    active: bool = True
    ways: tuple[Way, ...] = ()
    shifts: tuple[Hours, ...] = ()
    exceptions: tuple[Exceptional, ...] = ()


@dataclass(frozen=True)
class File:
    """The rows as text by column; `numbers` are the lines of the file on which they end."""

    columns: tuple[str, ...]
    rows: list[dict[str, str]] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)


def read(content: bytes) -> File:
    """Raises ValueError with what is wrong with the file as a whole."""
    if len(content) > MOST_BYTES:
        raise ValueError(gettext("The file is larger than %(most)s MB.") % {"most": MOST_BYTES // 1_000_000})
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(gettext("The file is not UTF-8. Save it as “CSV UTF-8”.")) from None
    first = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=";" if ";" in first and "," not in first else ",")
    try:
        found = File(_columns(next(reader, [])))
        for cells in reader:
            if any(cell.strip() for cell in cells):
                _add(found, cells, reader.line_num)
    except csv.Error as error:
        raise ValueError(
            gettext("Line %(line)s cannot be read: %(error)s.") % {"line": reader.line_num, "error": error}
        ) from None
    if not found.rows:
        raise ValueError(gettext("There are no managers in the file, only its first line."))
    return found


def _add(file: File, cells: Sequence[str], number: int) -> None:
    columns = file.columns
    if len(cells) > len(columns):
        raise ValueError(
            gettext("Line %(line)s has %(cells)s cells, and there are %(columns)s columns.")
            % {"line": number, "cells": len(cells), "columns": len(columns)}
        )
    if len(file.rows) == MOST_LINES:
        raise ValueError(
            gettext("There are more than %(most)s managers in the file. Divide it.") % {"most": MOST_LINES}
        )
    texts = [cell.strip() for cell in cells] + [""] * (len(columns) - len(cells))
    file.rows.append(dict(zip(columns, texts, strict=True)))
    file.numbers.append(number)


def _columns(cells: Sequence[str]) -> tuple[str, ...]:
    columns = tuple(cell.strip().lower() for cell in cells)
    unknown = [name for name in columns if name not in COLUMNS]
    if unknown or not columns:
        words = (
            gettext("The first line names the columns: %(columns)s. “%(unknown)s” is none.")
            if unknown
            else gettext("The first line names the columns: %(columns)s. it is empty.")
        )
        raise ValueError(words % {"columns": ", ".join(COLUMNS), "unknown": unknown[0] if unknown else ""})
    if len(set(columns)) < len(columns):
        raise ValueError(gettext("The first line names a column twice."))
    if not {"id", "name"} & set(columns):
        raise ValueError(gettext("The first line needs the column name, or id, to say who each line is about."))
    return columns


# ── cells ────────────────────────────────────────────────────────────────────────────────────────


def name(text: str) -> str:
    text = text.removeprefix("'") if text[1:2] in FORMULA and text[:1] == "'" else text
    if not text or len(text) > 80 or not text.isprintable():
        raise ValueError(gettext("A manager has a name, of at most 80 characters."))
    return text


def shown_name(value: str) -> str:
    return f"'{value}" if value.startswith(FORMULA) else value


def priority(text: str) -> int:
    if not text.isdecimal() or int(text) > 32_767:
        raise ValueError(gettext("Priority is a whole number from 0; 1 is called before 2."))
    return int(text)


def active(text: str) -> bool:
    if text.lower() not in YES_NO:
        raise ValueError(gettext("Active is yes or no."))
    return YES_NO[text.lower()]


def departments(text: str, known: Mapping[str, str]) -> tuple[str, ...]:
    """`known`: names of those that the person may give, by their small letters."""
    wanted = _parts(text)
    strange = [one for one in wanted if one.lower() not in known]
    if strange:
        raise ValueError(
            gettext("“%(name)s” is no department of yours. Yours are: %(known)s.")
            % {"name": strange[0], "known": ", ".join(sorted(known.values()))}
        )
    if not wanted:
        raise ValueError(gettext("A manager belongs to at least one department."))
    return tuple(sorted({known[one.lower()] for one in wanted}))


def ways(text: str, lines: Collection[str]) -> tuple[Way, ...]:
    """In the order in which they are tried; `lines`: names of the phone lines."""
    return tuple(_way(part, lines) for part in _parts(text))


def _way(text: str, lines: Collection[str]) -> Way:
    found = WAY.fullmatch(text)
    address = found["address"].strip() if found else ""
    kind = ((found["kind"] or "") if found else "").lower()
    if address.lower().startswith(("sip:", "sips:")):
        kind = "sip"
    elif address.startswith("+") or address[:1].isdecimal():
        kind = kind or "phone"
    if found is None or not kind:
        raise ValueError(
            gettext(
                "“%(text)s” is no way to reach somebody. Write phone +12025550100, sip:dana@example.com or "
                "browser; after a phone ext ww12# for an extension and ring 30 for seconds."
            )
            % {"text": text}
        )
    line = (found["line"] or "").strip()
    if line and line not in lines:
        raise ValueError(gettext("There is no phone line “%(line)s”.") % {"line": line})
    ring = int(found["ring"] or 25)
    return Way("sip_uri" if kind == "sip" else kind, address, found["dtmf"] or "", ring, line)


def shown_ways(value: Iterable[Way]) -> str:
    return BETWEEN.join(_shown_way(way) for way in value)


def _shown_way(way: Way) -> str:
    """A phone with its word: a spreadsheet takes +1202 for a number."""
    who = {"phone": f"phone {way.address}", "browser": "browser"}.get(way.kind, way.address)
    rest = (f" ext {way.dtmf}" if way.dtmf else "", f" ring {way.ring_time_s}" if way.ring_time_s != 25 else "")
    return who + "".join(rest) + (f" line {way.line}" if way.line else "")


def shifts(text: str) -> tuple[Hours, ...]:
    """None: always on shift."""
    if text.lower() == "always":
        return ()
    return tuple(sorted({hours for part in _parts(text) for hours in _hours(part)}))


def _hours(text: str) -> list[Hours]:
    found = SHIFT.fullmatch(text)
    days = [found["first"].title(), (found["last"] or found["first"]).title()] if found else []
    if found is None or not set(days) <= set(DAYS):
        raise ValueError(
            gettext("“%(text)s” is no shift. Write Mon-Fri 09:00-17:00 Europe/Berlin.") % {"text": text}
        )
    first, last = (DAYS.index(day) for day in days)
    starts, ends, zone = _clock(found["starts"], text), _clock(found["ends"], text), _zone(found["zone"])
    count = (last - first) % 7 + 1
    return [Hours((first + nth) % 7, starts, ends, zone) for nth in range(count)]


def _clock(given: str, text: str) -> time:
    try:
        return time.fromisoformat(given.zfill(5))
    except ValueError:
        raise ValueError(gettext("“%(text)s” has a time that no clock shows.") % {"text": text}) from None


def _zone(given: str) -> str:
    try:
        return validation.time_zone(given)
    except ValidationError as error:
        raise ValueError(" ".join(error.messages)) from None


def shown_shifts(value: Iterable[Hours]) -> str:
    """Days that follow each other with the same hours are one part."""

    def same(hours: Hours) -> tuple[Any, ...]:
        return (hours.starts, hours.ends, hours.time_zone)

    parts: list[tuple[int, str]] = []
    for (starts, ends, zone), of_days in groupby(sorted(value, key=lambda h: (*same(h), h.weekday)), key=same):
        for first, last in _runs([hours.weekday for hours in of_days]):
            days = DAYS[first] if first == last else f"{DAYS[first]}-{DAYS[last]}"
            parts.append((first, f"{days} {starts:%H:%M}-{ends:%H:%M} {zone}"))
    return BETWEEN.join(text for _, text in sorted(parts))


def exceptions(text: str) -> tuple[Exceptional, ...]:
    """In the order of days. None: every day is as its weekday."""
    return _in_order(_exception(part) for part in _parts(text))


def _in_order(value: Iterable[Exceptional]) -> tuple[Exceptional, ...]:
    return tuple(sorted(set(value), key=lambda one: one.order))


def _exception(text: str) -> Exceptional:
    found = EXCEPTION.fullmatch(text)
    if found is None:
        raise ValueError(
            gettext(
                "“%(text)s” is no exception. Write 2026-12-24 off, or 2026-12-31 other 09:00-12:00 Europe/Berlin, "
                "with extra for hours besides the usual ones; then note and a reason."
            )
            % {"text": text}
        )
    try:
        day = date.fromisoformat(found["day"])
    except ValueError:
        raise ValueError(gettext("“%(text)s” has a date that no calendar shows.") % {"text": text}) from None
    kind, hours = Change(found["kind"].lower()), found["starts"]
    if kind == Change.OFF and hours:
        raise ValueError(gettext("“%(text)s”: off is all day. For some hours write other.") % {"text": text})
    if kind != Change.OFF and not hours:
        raise ValueError(
            gettext("“%(text)s” lacks its hours: %(day)s %(kind)s 09:00-12:00.")
            % {"text": text, "day": found["day"], "kind": kind.value}
        )
    note = found["note"] or ""
    if len(note) > LONGEST_NOTE:
        raise ValueError(
            gettext("The note of %(day)s is longer than %(most)s characters.")
            % {"day": found["day"], "most": LONGEST_NOTE}
        )
    starts, ends = (_clock(found[name], text) if hours else None for name in ("starts", "ends"))
    return Exceptional(day, kind, starts, ends, _zone(found["zone"]) if found["zone"] else "", note)


def shown_exceptions(value: Iterable[Exceptional]) -> str:
    return BETWEEN.join(_shown_exception(one) for one in _in_order(value))


def _shown_exception(one: Exceptional) -> str:
    """A note's own bars would end it."""
    hours = f" {one.starts:%H:%M}-{one.ends:%H:%M}" if one.starts and one.ends else ""
    note = " ".join(one.note.replace("|", "/").split())
    zone = f" {one.time_zone}" if one.time_zone else ""
    return f"{one.day.isoformat()} {one.kind.value}{hours}{zone}" + (f" note {note}" if note else "")


def _runs(days: Sequence[int]) -> list[tuple[int, int]]:
    """[0, 1, 2, 5] is 0 to 2, and 5."""
    runs: list[tuple[int, int]] = []
    for day in days:
        if runs and day == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], day)
        else:
            runs.append((day, day))
    return runs


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split("|") if part.strip()]
