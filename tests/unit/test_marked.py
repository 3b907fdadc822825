"""Every word that a person reads in the console, and that Python or a script makes, is marked for translation."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.db.models import Choices, IntegerChoices, Model, TextChoices
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.utils.functional import Promise
from django.utils.translation import get_language, override

from calls.middleware import EnglishForPrograms
from calls.names import WORDS
from calls.views.catalogue import catalogue

ROOT = Path(__file__).parents[2]
WORD = re.compile(r"[A-Za-z]*[a-z]{2}")  # UDP is none

# ── Python ───────────────────────────────────────────────────────────────────────────────────────

MARKS = ("gettext", "gettext_lazy", "gettext_noop", "ngettext")
# What is not for a reader of the console: it is spoken, or read by engineers, by programs, or on a terminal.
ELSEWHERE = re.compile(
    r"/(agents|simulator|management|migrations|api|rehearsal|models)/"
    r"|^config/(launcher|setup)/|^config/(agents|alive|env|options)\.py"
    r"|^calls/audit/|^calls/telephony/|^transfers/code_targets\.py|^transfers/demo_data\.py"
)
NAMES = ("verbose_name", "verbose_name_plural", "label", "help_text", "description", "empty_label", "index_title")
# Calls whose literal arguments are read: nothing that looks like words stands in them by itself.
READ = (
    *("Refused", "done", "refused", "ValidationError", "message_user", "messages.success", "messages.warning"),
    *("Ailment", "Check", "Display", "Lane", "Mark", "Reason", "Segment", "Sort", "Table", "PassedOver"),
)
SEVERAL = re.compile(r"[A-Za-z] [a-z]|^[A-Z][a-z]")  # "phone-off" is the name of an icon
# A whole sentence: a capital or a quotation mark, words, a full stop.
SENTENCE = re.compile(r"^[“A-Z].*[a-z] [a-z].*[.:…]\s*$", re.DOTALL)
# Sentences that callers and managers hear, and those for engineers and programs.
UNREAD = {
    "calls/metrics.py",
    "calls/probe_app.py",
    "calls/services/ending.py",
    "calls/services/snapshot.py",
    "calls/services/supervised.py",
    "calls/webhook_app.py",
    "calls/webhooks.py",
    "transfers/audit_bundle.py",
    "transfers/callback_calls.py",
    "transfers/callbacks.py",
    "transfers/line.py",
    "transfers/link_extension.py",
    "transfers/observing.py",
    "transfers/pin.py",
    "transfers/queue_place.py",
    "transfers/refer.py",
    "transfers/requests.py",
    "transfers/words.py",
}


def _files() -> list[str]:
    found = (
        path.relative_to(ROOT).as_posix()
        for app in ("calls", "config", "transfers")
        for path in (ROOT / app).rglob("*.py")
    )
    return sorted(path for path in found if not ELSEWHERE.search(path))


def _called(node: ast.AST) -> str:
    if not isinstance(node, ast.Call):
        return ""
    if isinstance(node.func, ast.Attribute):
        of_messages = isinstance(node.func.value, ast.Name) and node.func.value.id == "messages"
        return f"messages.{node.func.attr}" if of_messages else node.func.attr
    return getattr(node.func, "id", "")


def _literals(node: ast.AST) -> Iterator[tuple[int, str]]:
    """The texts under a node with their lines, without what is marked, said in a log, or part of another call."""
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            yield node.lineno, node.value
        return
    if isinstance(node, ast.Call):
        return
    for child in ast.iter_child_nodes(node):
        yield from _literals(child)


def _unmarked(path: str) -> Iterator[str]:
    tree = ast.parse((ROOT / path).read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _called(node) in READ:
            looked, rule = [*node.args, *(word.value for word in node.keywords)], SEVERAL
        elif (isinstance(node, ast.keyword) and node.arg in NAMES) or (
            isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in NAMES
        ):
            looked, rule = [node.value], WORD
        else:
            continue
        for line, text in (found for part in looked for found in _literals(part)):
            if rule.search(text):
                yield f"{path}:{line}: {text}"


def _sentences(path: str) -> Iterator[str]:
    """Whole sentences, wherever they stand, but for those of a docstring, a log or an error of our own."""
    tree = ast.parse((ROOT / path).read_text())
    passed = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    ]
    inside = {id(one) for one in passed}
    for node in ast.walk(tree):
        if _called(node) in (
            *MARKS,
            "debug",
            "info",
            "warning",
            "error",
            "exception",
            "compile",
            "Counter",
            "Option",
        ):
            inside |= {id(one) for one in ast.walk(node)}
    for node in ast.walk(tree):
        text = node.value if isinstance(node, ast.Constant) and id(node) not in inside else None
        if isinstance(text, str) and SENTENCE.match(text):
            yield f"{path}:{node.lineno}: {text}"  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", _files())
def test_what_python_says_to_a_reader_is_marked(path: str) -> None:
    assert list(_unmarked(path)) == []
    if path not in UNREAD:
        assert list(_sentences(path)) == []


def test_no_mark_is_of_nothing() -> None:
    """gettext("") is the head of the catalogue."""
    for path in _files():
        for node in ast.walk(ast.parse((ROOT / path).read_text())):
            if _called(node) in MARKS and node.args and isinstance(node.args[0], ast.Constant):  # type: ignore[attr-defined]
                assert node.args[0].value, path  # type: ignore[attr-defined]


# ── what Django shows of models and forms ────────────────────────────────────────────────────────


def _choices(kind: type[Choices]) -> Iterator[type[Choices]]:
    for found in kind.__subclasses__():
        yield found
        yield from _choices(found)


def _own(kind: type) -> bool:
    return kind.__module__.split(".")[0] in ("calls", "transfers")


def test_the_labels_of_choices_are_marked() -> None:
    kinds = [kind for base in (TextChoices, IntegerChoices) for kind in _choices(base) if _own(kind)]
    assert len(kinds) > 30
    plain = [
        f"{kind.__qualname__}.{one.name}"
        for kind in kinds
        for one in kind
        if WORD.search(str(one.label)) and not isinstance(one.label, Promise)
    ]
    # States of effects are for `manage.py`, and a manager's own in the words of the workflow are for the API.
    assert [name for name in plain if not name.startswith(("EffectState.", "OwnerRole.", "ManagerState."))] == []


def _shown() -> list[tuple[type[Model], Any]]:
    """Every model of ours that the administration shows, with the page or inline that does."""
    pages: list[tuple[type[Model], Any]] = list(admin.site._registry.items())
    pages += [(inline.model, inline) for _, page in list(pages) for inline in page.inlines]
    return [(model, page) for model, page in pages if _own(model)]


def _plain(words: Any) -> bool:
    return bool(WORD.search(str(words or "").removeprefix("https"))) and not isinstance(words, Promise)


def test_the_names_that_the_administration_shows_are_marked() -> None:
    plain, missing = [], set()
    for model, _ in _shown():
        options: Any = model._meta
        names = [options.verbose_name, options.verbose_name_plural]
        texts = []
        for field in (*options.local_fields, *options.local_many_to_many):
            if field.editable and not field.primary_key:
                names.append(field.verbose_name)
                texts += [field.help_text, *(label for _, label in field.choices or ())]
                missing |= {str(field.verbose_name)} if field._verbose_name is None else set()
        missing |= {
            str(getattr(options, name))
            for name in ("verbose_name", "verbose_name_plural")
            if name not in options.original_attrs
        }
        plain += [f"{model.__name__}: {words}" for words in (*names, *texts) if _plain(words)]
    assert plain == []
    assert missing - set(WORDS) == set()


def test_the_labels_of_forms_are_marked() -> None:
    forms: list[type[BaseForm]] = [page.form for _, page in _shown()]
    plain = [
        f"{form.__name__}.{name}: {words}"
        for form in forms
        for name, field in form.base_fields.items()  # type: ignore[attr-defined]
        for words in (field.label, field.help_text)
        if _plain(words) and _plain(form.Meta.model._meta.get_field(name).verbose_name)  # type: ignore[attr-defined]
    ]
    assert plain == []


# ── scripts ──────────────────────────────────────────────────────────────────────────────────────

SCRIPTS = sorted(path for path in (ROOT / "static/js").glob("*.js") if path.name != "words.js")
TEXT = r"\"(?:[^\"\\\n]|\\.)*\"|`(?:[^`\\]|\\.)*`"
MARKED = re.compile(rf"\bn?gettext\((?:\s*(?:{TEXT})\s*,?)+")
COMMENT = re.compile(r"/\*.*?\*/|(?<![:\"'`])//[^\n]*", re.DOTALL)
# Two words, or one with a capital: what is neither code, nor a name, nor a selector.
WORDS_OF_SCRIPTS = re.compile(
    r"^(?=.*[A-Za-z]{2} [A-Za-z…])[A-Za-z☎](?:[\w ,;:?!'’“”()…☎⏎%]|\.(?![a-z]))*$|^[A-Z][a-z]+$"
)
# Names of the platform's: errors, keys, tags of a language.
NAMES_OF_SCRIPTS = re.compile(
    r"^(use strict|Inter Variable|Enter|Escape|AbortError|OverconstrainedError|GET|POST|Esc|"
    r"Interval|Content-Type|Patchbay)$"
)


def _texts(script: str) -> Iterator[str]:
    code = MARKED.sub("marked(", COMMENT.sub("", script))
    for text in re.findall(TEXT, code):
        words = re.sub(r"\$\{[^}]*\}", "", text[1:-1]).strip()
        if WORDS_OF_SCRIPTS.match(words) and not NAMES_OF_SCRIPTS.match(words):
            yield text


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_what_a_script_says_is_marked(path: Path) -> None:
    assert list(_texts(path.read_text())) == []


def test_the_rule_for_scripts_finds_what_is_not_marked() -> None:
    assert list(_texts('say("Nobody hears you."); say(gettext("Nobody hears you."));')) == ['"Nobody hears you."']
    assert list(_texts('badge.textContent = on ? "Mute" : gettext("Unmute");')) == ['"Mute"']


# ── the catalogue ────────────────────────────────────────────────────────────────────────────────


def test_a_browser_asks_for_the_catalogue_once_an_hour_and_then_whether_it_is_new() -> None:
    first = catalogue(RequestFactory().get("/jsi18n/"))
    assert first.status_code == 200
    assert b"gettext" in first.content  # type: ignore[attr-defined]
    assert "max-age=3600" in first["Cache-Control"]
    again = catalogue(RequestFactory().get("/jsi18n/", headers={"If-Modified-Since": first["Last-Modified"]}))
    assert again.status_code == 304
    assert catalogue.login_required is False  # type: ignore[attr-defined]


def test_programs_are_answered_in_english() -> None:
    spoken = EnglishForPrograms(lambda request: HttpResponse(get_language()))
    asked: list[tuple[HttpRequest, str]] = [
        (RequestFactory().get("/api/v1/calls"), "en"),
        (RequestFactory().get("/history"), "de"),
    ]
    with override("de"):
        assert [spoken(request).content.decode() for request, _ in asked] == [language for _, language in asked]
