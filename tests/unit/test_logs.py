"""Log lines as JSON: what they are about, and nothing that a library says of a caller."""

from __future__ import annotations

import ast
import json
import logging
import logging.config
import sys
from typing import Any
from uuid import UUID

import pytest

from calls.agents import logs
from config import env

TRANSFER = UUID("0199c0de-0000-7000-8000-000000000001")


def line(record: logging.LogRecord) -> dict[str, Any]:
    logs.WithIds().filter(record)
    found: dict[str, Any] = json.loads(logs.Json().format(record))
    return found


def record(name: str = "calls.effects", **extra: Any) -> logging.LogRecord:
    return logging.makeLogRecord({"name": name, "levelname": "INFO", "msg": "said %s", "args": ("so",), **extra})


def test_a_line_says_when_who_and_what() -> None:
    told = line(record(effect="dial"))
    assert told.pop("time").endswith("+00:00")
    assert told == {"level": "INFO", "logger": "calls.effects", "message": "said so", "effect": "dial"}


def test_a_line_says_what_it_is_about_and_whose_trace_that_is_in() -> None:
    with logs.about(call="c", transfer=TRANSFER), logs.about(attempt="a", job=None):
        told = line(record())
    assert (told["call"], told["attempt"]) == ("c", "a")
    assert (told["transfer"], told["trace_id"]) == (str(TRANSFER), TRANSFER.hex)
    assert "job" not in told
    assert "call" not in line(record())


def test_what_a_line_says_of_itself_is_not_overruled() -> None:
    with logs.about(transfer=TRANSFER):
        assert line(record(transfer="another"))["transfer"] == "another"


@pytest.mark.parametrize("library", ["livekit.agents", "livekit", "celery.worker", "callsigns"])
def test_a_librarys_fields_are_not_shown_for_they_hold_rooms_and_speech(library: str) -> None:
    with logs.about(call="c"):
        told = line(record(library, room="call-_+12025550144_x", user_transcript="my name is", job="AJ_1"))
    assert set(told) == {"time", "level", "logger", "message", "call", "job"}


def test_what_livekit_agents_adds_to_our_lines_is_not_shown() -> None:
    told = line(record("patchbay.agents", room="call-_+12025550144_x", room_id="RM_1", pid=1, error="OSError"))
    assert set(told) == {"time", "level", "logger", "message", "error"}


def test_whatever_our_lines_say_besides_is_shown() -> None:
    said = set()
    for app in ("calls", "transfers", "config"):
        for path in (env.ROOT / app).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.keyword) and node.arg == "extra" and isinstance(node.value, ast.Dict):
                    said |= {key.value for key in node.value.keys if isinstance(key, ast.Constant)}
    assert "error" in said
    assert said - logs.FIELDS - set(logs.IDS) == set()


def test_an_exceptions_lines_are_kept() -> None:
    try:
        raise KeyError("nothing")
    except KeyError:
        told = line(record(exc_info=sys.exc_info()))
    assert "KeyError: 'nothing'" in told["exc_info"]


@pytest.mark.parametrize("form", ["text", "json"])
def test_all_processes_are_configured_alike(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    try:
        logging.config.dictConfig(logs.configuration(level="INFO", form=form))
        with logs.about(call="c-1"):
            logging.getLogger("patchbay.agents").warning("something is so")
    finally:
        root.handlers[:], root.level = before
    said = capsys.readouterr().err
    if form == "json":
        told = json.loads(said)
        assert (told["message"], told["call"], told["level"]) == ("something is so", "c-1", "WARNING")
    else:
        assert said.endswith("WARNING patchbay.agents something is so\n")
