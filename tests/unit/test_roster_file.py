"""A CSV file of managers: how cells are written, and what is said about those that cannot be read."""

from __future__ import annotations

from datetime import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transfers import roster_file as f
from transfers.hours import Change
from transfers.roster_file import Exceptional, Hours, Way

BERLIN = "Europe/Berlin"
NINE, FIVE = time(9), time(17)


@pytest.mark.parametrize(
    ("text", "way"),
    [
        ("phone +12025550101", Way("phone", "+12025550101")),
        ("+1 202 555 0101", Way("phone", "+1 202 555 0101")),  # the form's own check makes it E.164
        ("Phone +12025550101 ext ww12# ring 30", Way("phone", "+12025550101", "ww12#", 30)),
        ("phone +12025550101 ring 30 s line Front desk", Way("phone", "+12025550101", "", 30, "Front desk")),
        ("sip:dana@example.com;transport=tcp", Way("sip_uri", "sip:dana@example.com;transport=tcp")),
        ("sip sip:dana@example.com ring 10", Way("sip_uri", "sip:dana@example.com", "", 10)),
        ("browser ring 40", Way("browser", "", "", 40)),
    ],
)
def test_a_way(text: str, way: Way) -> None:
    assert f.ways(text, {"Front desk"}) == (way,)
    assert f.ways(f.shown_ways([way]), {"Front desk"}) == (way,)


@pytest.mark.parametrize(
    "text", ["fax 12", "dana@example.com", "line Front desk", "phone +12025550101 line Back door"]
)
def test_what_is_no_way(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no way to reach somebody|There is no phone line"):
        f.ways(text, {"Front desk"})


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Mon-Fri 9:00-17:00 Europe/Berlin", "Mon-Fri 09:00-17:00 Europe/Berlin"),
        ("sat 22:00–06:00 UTC | MON 09:00-17:00 UTC", "Mon 09:00-17:00 UTC | Sat 22:00-06:00 UTC"),
        ("Fri-Mon 09:00-17:00 UTC", "Mon 09:00-17:00 UTC | Fri-Sun 09:00-17:00 UTC"),
        ("", ""),
        ("always", ""),
    ],
)
def test_shifts(text: str, shown: str) -> None:
    assert f.shown_shifts(f.shifts(text)) == shown


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Mon 09:00-17:00", "is no shift"),
        ("Moo 09:00-17:00 UTC", "is no shift"),
        ("Mon 09:00-25:00 UTC", "a time that no clock shows"),
        ("Mon 09:00-17:00 Europe/Atlantis", "no time zone of this name"),
    ],
)
def test_what_is_no_shift(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        f.shifts(text)


minutes = st.integers(0, 24 * 60 - 1).map(lambda at: time(at // 60, at % 60))
hours = st.builds(Hours, st.integers(0, 6), minutes, minutes, st.sampled_from(("UTC", BERLIN)))


@given(st.sets(hours, max_size=12))
def test_shifts_are_read_as_they_were_written(some: set[Hours]) -> None:
    assert f.shifts(f.shown_shifts(some)) == tuple(sorted(some))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2026-12-24 OFF", "2026-12-24 off"),
        (
            "2026-12-31 other 9:00-12:00 Europe/Berlin note New Year | 2026-12-24 off note Eve, all day",
            "2026-12-24 off note Eve, all day | 2026-12-31 other 09:00-12:00 Europe/Berlin note New Year",
        ),
        ("2027-01-02 extra 22:00–02:00 note note", "2027-01-02 extra 22:00-02:00 note note"),
        ("", ""),
    ],
)
def test_exceptions(text: str, shown: str) -> None:
    assert f.shown_exceptions(f.exceptions(text)) == shown
    assert f.exceptions(shown) == f.exceptions(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("24.12.2026 off", "is no exception"),
        ("2026-12-24", "is no exception"),
        ("2026-02-30 off", "a date that no calendar shows"),
        ("2026-12-24 off 09:00-12:00", "off is all day"),
        ("2026-12-24 other", "lacks its hours"),
        ("2026-12-24 other 09:00-24:30", "a time that no clock shows"),
        ("2026-12-24 off Christmas", "no time zone of this name"),
        (f"2026-12-24 off note {'a' * 81}", "longer than 80 characters"),
    ],
)
def test_what_is_no_exception(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        f.exceptions(text)


notes = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_characters="|"), max_size=20).map(
    lambda text: "".join(text.split())
)
zones = st.sampled_from(("", "UTC", BERLIN))
off = st.builds(Exceptional, st.dates(), st.just(Change.OFF), st.none(), st.none(), time_zone=zones, note=notes)
kinds = st.sampled_from((Change.OTHER, Change.EXTRA))
timed = st.builds(Exceptional, st.dates(), kinds, minutes, minutes, time_zone=zones, note=notes)


@given(st.sets(off | timed, max_size=6))
def test_exceptions_are_read_as_they_were_written(some: set[Exceptional]) -> None:
    assert set(f.exceptions(f.shown_exceptions(some))) == some


@given(st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF, categories=("L", "N", "P", "S")), min_size=1))
def test_a_name_is_no_formula_and_comes_back(name: str) -> None:
    shown = f.shown_name(name)
    assert not shown.startswith(("=", "+", "-", "@"))
    if len(name) <= 80 and not (name[0] == "'" and name[1:2] in f.FORMULA):
        assert f.name(shown) == name


def test_a_file_names_its_lines_as_an_editor_does() -> None:
    text = '\ufeffName;Departments\r\nDana;Billing\r\n\r\n"Omar\r\nthe second";Claims\r\nLea;\r\n'
    found = f.read(text.encode())
    assert found.columns == ("name", "departments")
    assert found.numbers == [2, 5, 6]
    assert found.rows[0] == {"name": "Dana", "departments": "Billing"}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "it is empty"),
        (b"name,departments\n", "no managers in the file"),
        (b"name,phone\nDana,1\n", "“phone” is none"),
        (b"name,name\nDana,1\n", "names a column twice"),
        (b"priority\n1\n", "needs the column name, or id"),
        (b"name\nDana,Billing\n", "Line 2 has 2 cells, and there are 1 columns"),
        ("name\nJürgen\n".encode("latin-1"), "is not UTF-8"),
        (b"name\n" + b"Dana\n" * 10_001, "more than 10000 managers"),
        (b"x" * 5_000_001, "larger than 5 MB"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(content: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        f.read(content)
