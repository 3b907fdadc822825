"""The list of settings: whole, true to the code that reads them, and the page that is made from it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from config import env, options
from config.options import OPTIONS, Kind, Process
from config.setup import settings_page

READERS = ("text", "required", "flag", "items", "number", "choice", "time_of_day", "keys")
READS = {("env", name) for name in READERS}
NOT_OURS = {
    "CHROMIUM",
    "DEBIAN_FRONTEND",
    "DJANGO_SETTINGS_MODULE",
    "LIVEKIT_AGENTS_PRELOAD_LOCAL_INFERENCE",
    "XDG_CACHE_HOME",
}
BY_LIBRARIES = {"OPENAI_API_KEY"}


def sources() -> Iterator[tuple[Path, ast.Module]]:
    for app in ("calls", "transfers", "config"):
        for path in sorted((env.ROOT / app).rglob("*.py")):
            yield path, ast.parse(path.read_text())


def strings(tree: ast.AST) -> set[str]:
    return {
        node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def asked_of_the_environment(tree: ast.AST) -> set[str]:
    """Names in `env.text("NAME")`, `os.environ.get("NAME")`, `os.environ["NAME"]` and the like."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            of = ast.unparse(node.func.value).rsplit(".", 1)[-1]
            if (of.removeprefix("settings_"), node.func.attr) in READS or of == "environ":
                found |= {str(n.value) for n in node.args[:1] if isinstance(n, ast.Constant)}
        elif isinstance(node, ast.Subscript) and ast.unparse(node.value).endswith("environ"):
            found |= {str(node.slice.value)} if isinstance(node.slice, ast.Constant) else set()
    return found


def test_whatever_the_code_asks_the_environment_for_is_listed() -> None:
    asked = {name: path for path, tree in sources() for name in asked_of_the_environment(tree)}
    assert len(asked) > 30
    assert {name: str(path) for name, path in asked.items() if name not in {*OPTIONS, *NOT_OURS}} == {}


def test_whatever_is_listed_is_read_somewhere() -> None:
    read = set().union(*(strings(tree) for path, tree in sources() if path != Path(options.__file__)))
    assert set(OPTIONS) - read == BY_LIBRARIES


def test_the_agents_need_neither_the_database_nor_the_consoles_secrets() -> None:
    secrets = {name for name, option in options.of(Process.AGENTS).items() if option.kind == Kind.SECRET}
    assert secrets == {"LIVEKIT_API_KEY", "LIVEKIT_API_SECRET", "OPENAI_API_KEY"}


def test_the_page_says_what_the_list_says() -> None:
    page = settings_page.page()
    assert settings_page.PAGE.read_text() == page
    for name in OPTIONS:
        assert f"| `{name}` |" in page


def test_a_setting_that_is_not_listed_cannot_be_read() -> None:
    with pytest.raises(KeyError, match="NO_SUCH_SETTING"):
        env.text("NO_SUCH_SETTING")


def test_what_cannot_be_is_one_line_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENT_DRAIN_SECONDS", "ten")
    with pytest.raises(SystemExit, match=r"AGENT_DRAIN_SECONDS must be a whole number, not “ten”\."):
        env.number("AGENT_DRAIN_SECONDS")
    monkeypatch.setenv("PATCHBAY_ENCRYPTION_KEYS", f"{'k' * 32},short")
    with pytest.raises(SystemExit, match=r"PATCHBAY_ENCRYPTION_KEYS has a key of less than 32 characters\."):
        env.keys("PATCHBAY_ENCRYPTION_KEYS")
    monkeypatch.setenv("MERGE_STRATEGY", "glue")
    with pytest.raises(SystemExit, match=r"MERGE_STRATEGY must be auto or relay, not “glue”\."):
        env.choice("MERGE_STRATEGY", "auto", "relay")


def test_a_made_default_stands_back_for_what_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AGENT_NAME", raising=False)
    assert env.text("AGENT_NAME", "made") == "made"
    monkeypatch.setenv("AGENT_NAME", " set ")
    assert env.text("AGENT_NAME", "made") == "set"
    monkeypatch.setenv("ALLOWED_HOSTS", "a.example, b.example,")
    assert env.items("ALLOWED_HOSTS") == ["a.example", "b.example"]
