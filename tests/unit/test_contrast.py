"""The language of state is readable: every role on every ground it is shown on, in both themes (WCAG AA)."""

from __future__ import annotations

import re

import pytest

from config.env import ROOT

CSS = (ROOT / "static" / "css" / "patchbay.css").read_text()
ROLES = ("ai", "approval", "hold", "brief", "merged", "failed", "ended")


def tokens(selector: str) -> dict[str, str]:
    block = CSS[CSS.index(selector) :]
    return dict(re.findall(r"--pb-([a-z-]+):\s*(#[0-9a-f]{6})", block[: block.index("}")]))


THEMES = {"dark": tokens('[data-bs-theme="dark"]'), "light": tokens('[data-bs-theme="light"]')}


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one: str, two: str) -> float:
    high, low = sorted((luminance(one), luminance(two)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("role", ROLES)
def test_a_role_is_readable_on_its_tint_and_on_both_surfaces(theme, role):
    colours = THEMES[theme]
    for ground in (f"{role}-tint", "surface", "raised", "ground"):
        assert contrast(colours[role], colours[ground]) >= 4.5, (theme, role, ground)


@pytest.mark.parametrize("theme", THEMES)
def test_text_links_and_buttons_are_readable(theme):
    colours = THEMES[theme]
    for ground in ("surface", "raised", "ground", "approval-tint", "failed-tint", "brief-tint"):
        for name in ("text", "muted"):
            assert contrast(colours[name], colours[ground]) >= 4.5, (theme, name, ground)
    for ground in ("surface", "raised", "ground"):
        assert contrast(colours["accent"], colours[ground]) >= 4.5, (theme, ground)
        assert contrast(colours["line-strong"], colours[ground]) >= 3, (theme, ground)  # borders of fields
    assert contrast("#ffffff", colours["primary"]) >= 4.5
