"""The pages in a language that is none: what is marked stands in ⟦brackets⟧, and nothing else changes.

That every word of a template is marked is proved without rendering, in tests/unit/test_translated.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import translation
from django.utils.safestring import SafeData, mark_safe

from calls.kept import Kept
from calls.models import AgentProfile
from calls.templatetags.console import REMAINING
from calls.timing import clock_of, now
from tests import pages, rows
from transfers import people_html, strip_html
from transfers.models import Attempt, Callback, Manager
from transfers.states import AttemptState

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(400)]  # some sixty pages

OPEN, CLOSE = "⟦", "⟧"
ONCE = re.compile(  # what is another one each time that a page is made
    "|".join(
        (
            r'csrfmiddlewaretoken" value="\w+',
            r'X-CSRFToken": "\w+',
            r'name="(?:run|key)" value="[\w-]+',
            r"\d+ ms",
            r'<span class="text-red-600[^>]*>\*</span>',  # the theme's mark of what is required
            r'<details[^>]+id="readings">.*?</details>',
        )
    ),
    re.DOTALL,
)


def bracketed(words: str) -> str:
    if not words or words == REMAINING:  # a pattern for words, not words
        return words
    made = f"{OPEN}{words}{CLOSE}"
    return mark_safe(made) if isinstance(words, SafeData) else made


@contextmanager
def brackets() -> Iterator[None]:
    """Every translation is its own words in brackets, and no page of another language is kept."""
    catalogue: dict[str, Callable[..., str]] = {
        "gettext": bracketed,
        "pgettext": lambda context, words: bracketed(words),
        "ngettext": lambda one, many, n: bracketed(one if n == 1 else many),
        "npgettext": lambda context, one, many, n: bracketed(one if n == 1 else many),
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, translates in catalogue.items():
            patch.setattr(translation._trans, name, translates)  # type: ignore[attr-defined]
        for module in (people_html, strip_html):
            patch.setattr(module, "_kept", Kept(100))
        yield


def addresses(floor: rows.Floor) -> dict[str, list[str]]:
    """Who looks at what."""
    dana, profile = Manager.objects.get(name="Dana"), AgentProfile.objects.get(department=floor.billing)
    ringing = Attempt.objects.get(state=AttemptState.RINGING, desk=True)
    owed = Callback.objects.exclude(state=Callback.State.DONE).earliest("due_at")
    call_panels = ("escalate", "cold", "end_call", "whisper_to_ai")
    return {
        "": ["/login"],
        "priya": [
            *("/", "/live/waiting", "/live/waiting/oldest", "/callbacks", "/history", "/history?caller=0000"),
            *("/reports", "/test-call", "/status", "/desk", "/nothing-here"),
            *(reverse("call", args=[one.call_id]) for one in (floor.waiting, floor.briefing, floor.completed)),
            *(reverse("transfer", args=[one.pk]) for one in (floor.briefing, floor.merged, floor.returned)),
            *(reverse(name, args=[floor.returned.call_id]) for name in call_panels),
            *(reverse(name, args=[floor.waiting.pk]) for name in ("edit_briefing", "decline")),
            *(reverse(name, args=[dana.pk]) for name in ("presence", "rehearse")),
            reverse("ranking", args=[floor.billing.pk]),
            reverse("callback_finish", args=[owed.pk]),
        ],
        "audrey": ["/audit"],
        "newcomer": ["/"],
        "karl": ["/desk", "/desk/presence", "/rooms"],
        "lea": ["/desk"],
        "dana": ["/desk"],
        "ines": ["/desk"],
        "omar": ["/desk"],
        "mara": [
            *("/desk", "/desk/sound"),
            *(reverse(name, args=[ringing.pk]) for name in ("desk_decline", "desk_redirect")),
        ],
        "admin": [
            *("/rooms", "/admin/transfers/manager/week/", "/admin/transfers/manager/import/"),
            reverse("admin:transfers_roster_who", args=[floor.billing.pk]),
            reverse("admin:calls_agentprofile_change", args=[profile.pk]),
        ],
    }


def client_of(name: str) -> Client:
    client = Client()
    if name:
        client.force_login(User.objects.get(username=name))
    return client


def page_at(client: Client, address: str) -> str:
    return ONCE.sub("", client.get(address).content.decode())


def test_a_translated_page_differs_in_its_marked_words_only() -> None:
    at = now()
    with clock_of(lambda: at):
        for name, those in addresses(pages.full_house("").full).items():
            client = client_of(name)
            for address in those:
                plain = page_at(client, address)
                with brackets():
                    translated = page_at(client, address)
                assert OPEN not in plain, address
                assert OPEN in translated, address
                bare = translated.replace(OPEN, "").replace(CLOSE, "")
                assert bare.lower() == plain.lower(), address  # “⟦Did” has no letter to make small
