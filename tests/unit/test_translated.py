"""Every word that a template shows or speaks is marked for translation.

Strict, and without rendering: what is left of a template when its marked words and its tags are taken away has no
letters. What is not to be translated says so itself, by `translate="no"` or by being a key cap.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.conf import settings
from django.template.base import Lexer, Token, TokenType
from django.template.loader import get_template
from django.utils.translation.template import templatize

ROOT = Path(settings.BASE_DIR) / "templates"
TEMPLATES = sorted(str(path.relative_to(ROOT)) for path in ROOT.rglob("*") if path.suffix in (".html", ".txt"))

SHOWN = {"alt", "aria-description", "aria-label", "aria-roledescription", "aria-valuetext", "placeholder", "title"}
SHOWN |= {"data-key-name", "data-lost", "data-say", "data-working"}  # by our scripts
UNSEEN = {"kbd", "script", "style", "svg"}
VOID = {"br", "hr", "img", "input", "link", "meta"}
NAMES = {"Patchbay"}
ONLY_ATTRIBUTES = {"parts/live.html"}
CLASSES = re.compile(r"{% block body_class %}[a-z ]*{% endblock %}")

DEFAULT = re.compile(r"""\|default(?:_if_none)?:(?:"[^"]*"|'[^']*')""")
LITERAL = re.compile(r"""(_\()?("[^"]*"|'[^']*')""")
FORMATTED = re.compile(r"""\|(?:date|time):("[^"]*"|'[^']*')""")
MARKING = ("translate ", "blocktranslate ")


class Words(HTMLParser):
    """The words of a page that are seen or spoken, in texts and attributes."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self.aside: list[str] = []  # the open elements within one whose words do not count

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID and (self.aside or tag in UNSEEN or ("translate", "no") in attrs):
            self.aside.append(tag)
        self.found += [value for name, value in attrs if value and name in SHOWN and has_letters(value)]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass  # of a drawing

    def handle_endtag(self, tag: str) -> None:
        if self.aside and self.aside[-1] == tag:
            self.aside.pop()

    def handle_data(self, data: str) -> None:
        if not self.aside and has_letters(data):
            self.found.append(data.strip())


def has_letters(text: str) -> bool:
    return any(letter.isalpha() for letter in text)


def tokens(source: str) -> list[tuple[Token, bool]]:
    """Each with whether it stands in a blocktranslate."""
    found, within = [], False
    for token in Lexer(source).tokenize():
        if token.token_type == TokenType.BLOCK and token.contents.startswith("endblocktranslate"):
            within = False
        found.append((token, within))
        if token.token_type == TokenType.BLOCK and token.contents.startswith("blocktranslate"):
            within = True
    return found


def unmarked(source: str) -> list[str]:
    texts = [
        token.contents for token, within in tokens(source) if token.token_type == TokenType.TEXT and not within
    ]
    words = Words()
    words.feed("".join(texts))
    words.close()
    left = [text for text in words.found if not any(re.fullmatch(rf"\W*{name}\W*", text) for name in NAMES)]
    return left + [literal for token, _ in tokens(source) for literal in unmarked_literals(token)]


def unmarked_literals(token: Token) -> list[str]:
    """Words that a tag gets or a filter puts in. What has no space is a name, but for what stands for a value."""
    if token.token_type not in (TokenType.BLOCK, TokenType.VAR) or token.contents.startswith(MARKING):
        return []
    defaults = [found for found in DEFAULT.findall(token.contents) if has_letters(found.partition(":")[2])]
    rest = FORMATTED.sub("", token.contents)
    return defaults + [
        text for mark, text in LITERAL.findall(rest) if not mark and " " in text and has_letters(text)
    ]


def whole(name: str) -> str:
    source = CLASSES.sub("", (ROOT / name).read_text())
    return f"<i {source}>" if name in ONLY_ATTRIBUTES else source


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_word_is_marked(name: str):
    assert unmarked(whole(name)) == []


@pytest.mark.parametrize("name", TEMPLATES)
def test_plurals_are_of_whole_sentences(name: str):
    """An ending that is glued to a word fits English only."""
    assert "|pluralize" not in whole(name)


@pytest.mark.parametrize("name", TEMPLATES)
def test_marked_words_can_be_gathered(name: str):
    """`makemessages` reads it, and what is marked names plain variables, as a blocktranslate needs it."""
    get_template(name)
    templatize(whole(name), name)
    variables = [
        token.contents for token, within in tokens(whole(name)) if within and token.token_type == TokenType.VAR
    ]
    assert [variable for variable in variables if not variable.isidentifier()] == []


@pytest.mark.parametrize(
    ("source", "left"),
    [
        ("<p>Words</p>", ["Words"]),
        ('<p>{% translate "Words" %} {{ value }} · 5</p>', []),
        ("{% blocktranslate with a=b.c %}Of {{ a }}{% endblocktranslate %} more", ["more"]),
        ('<b title="Words">{% if a %} and{% endif %}</b>', ["Words", "and"]),
        ('<input placeholder="{% translate "Words" %}">', []),
        ('<button {% if a %}aria-label="Words"{% endif %}>', ["Words"]),
        ('<i translate="no">CSV <b>and</b> more</i> less', ["less"]),
        ("<kbd>Esc</kbd><script>let words;</script><p>Patchbay</p>", []),
        ('{{ a|default:"none" }}', ['|default:"none"']),
        ('{{ a|default:_("none") }} {{ day|date:"j M Y" }}', []),
        ('{% listen_button "here" "some words" %}', ['"some words"']),
        ('{% listen_button "here" _("some words") %}', []),
    ],
)
def test_the_measure(source: str, left: list[str]):
    assert unmarked(source) == left
