"""The theme's style sheet as the console has it: what pages use, and nothing that makes a long list slow."""

from __future__ import annotations

import re

import pytest

from config.setup.assets import VENDOR

SHEET = VENDOR / "tabler" / "tabler.min.css"
OURS = VENDOR.parent / "css" / "patchbay.css"
# With one of these, Chromium styles each row again when any row of the list is swapped: ten times the work.
OF_ALL_SIBLINGS = re.compile(r"[+~]\s*(\*|:not)|:first-of-type|:nth-|:has\([+~]")


def selectors(sheet: str) -> list[str]:
    bare = re.sub(r"/\*.*?\*/", "", sheet, flags=re.S)
    return [one.strip() for head in re.findall(r"([^{};]+)\{", bare) for one in head.split(",")]


@pytest.mark.parametrize(
    "wanted", ["btn-primary", "form-control", "form-select", "form-check-input", "visually-hidden"]
)
def test_what_pages_use_is_there(wanted: str) -> None:
    assert f".{wanted}" in SHEET.read_text()


@pytest.mark.parametrize("file", [SHEET, OURS], ids=lambda file: file.name)
def test_no_rule_looks_at_every_row_of_a_list(file) -> None:  # type: ignore[no-untyped-def]
    assert [one for one in selectors(file.read_text()) if OF_ALL_SIBLINGS.search(one)] == []
