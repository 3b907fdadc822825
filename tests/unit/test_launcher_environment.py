"""The children's environment, and what the launcher refuses to run with."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.launcher import environment, state

FOREIGN = {
    "LIVEKIT_URL": "wss://somebody.livekit.cloud",
    "LIVEKIT_API_KEY": "APIx",
    "LIVEKIT_API_SECRET": "s" * 40,
}


def plan(tmp_path: Path, given: dict[str, str], *, demo: bool = False) -> environment.Plan:
    kept = state.installation(tmp_path)
    return environment.plan(given, demo=demo, state=tmp_path, kept=kept, port=8000)


def test_the_demo_keeps_away_from_a_real_livekit() -> None:
    with pytest.raises(SystemExit, match=r"somebody\.livekit\.cloud.*YES=1"):
        environment.refuse_foreign_livekit(FOREIGN)
    environment.refuse_foreign_livekit(FOREIGN | {"YES": "1"})
    environment.refuse_foreign_livekit({"LIVEKIT_URL": "ws://127.0.0.1:7880"})
    environment.refuse_foreign_livekit({})


def test_a_livekit_of_your_own_needs_its_keys_and_starts_no_other(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="LIVEKIT_API_SECRET"):
        plan(tmp_path, FOREIGN | {"LIVEKIT_API_SECRET": ""})
    made = plan(tmp_path, FOREIGN)
    assert not made.own_livekit
    assert made.own_postgres
    assert made.env["LIVEKIT_API_KEY"] == "APIx"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PATCHBAY_SECRET_KEY", "django-insecure-" + "x" * 50),
        ("PATCHBAY_SECRET_KEY", "short"),
        ("LIVEKIT_API_SECRET", "secret"),
        ("LIVEKIT_API_KEY", "devkey"),
    ],
)
def test_a_real_start_refuses_default_secrets(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(SystemExit, match=name):
        plan(tmp_path, FOREIGN | {name: value})
    plan(tmp_path, FOREIGN | {name: value}, demo=True)


def test_only_the_demo_gets_the_carrier_and_its_own_database(tmp_path: Path) -> None:
    demo, real = plan(tmp_path, {}, demo=True).env, plan(tmp_path, {"PATCHBAY_DEMO": "1"}).env
    assert demo["PATCHBAY_DEMO"] == "1"
    assert demo["LIVEKIT_API_URL"] == demo["CARRIER_URL"]
    assert "PATCHBAY_DEMO" not in real
    assert "CARRIER_URL" not in real
    assert demo["DATABASE_URL"] != real["DATABASE_URL"]


def test_the_saved_lines_let_a_second_terminal_find_the_product(tmp_path: Path) -> None:
    made = plan(tmp_path, {"HOME": "/home/x", "SIP_TRUNK_ID": "ST_1"})
    saved = dict(line.split("=", 1) for line in made.saved.splitlines())
    assert saved["DATABASE_URL"] == made.env["DATABASE_URL"]
    assert saved["SIP_TRUNK_ID"] == "ST_1"
    assert "HOME" not in saved
