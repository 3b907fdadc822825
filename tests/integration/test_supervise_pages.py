"""The addresses of supervision, as each role, and what the call page shows of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import jwt
import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from calls.agents import protocol as p
from calls.models import AgentJob, Call, Directive, Event, Leg, LegKind, Supervision
from calls.roles import Role
from calls.services import legs, links, supervision
from calls.services.supervision import on_leg_joined
from calls.states import CallerWith, SupervisionMode
from calls.telephony.hears import Party, Phase, who_hears
from calls.timing import now
from tests import rows
from tests.people import account
from transfers.models import Manager
from transfers.supervising import PARTY, heard_by

pytestmark = pytest.mark.django_db

PEOPLE = {
    "owner": (Role.SUPERVISOR, ("billing",)),
    "other": (Role.SUPERVISOR, ("claims",)),
    "manager": (Role.MANAGER, ()),
    "auditor": (Role.AUDITOR, ()),
    "administrator": (Role.ADMINISTRATOR, ()),
    "nobody": (None, ()),
}
Browse = Callable[[str], Client]


@pytest.fixture
def floor() -> rows.Floor:
    return rows.floor()


@pytest.fixture
def as_(floor: rows.Floor) -> Browse:
    def client(who: str) -> Client:
        role, where = PEOPLE[who]
        user = account(role, *[getattr(floor, name) for name in where], name=who)
        if who == "manager":
            Manager.objects.filter(name="Dana").update(user=user)
        browser = Client(raise_request_exception=False)
        browser.force_login(user)
        return browser

    return client


def asked(browser: Client, call: Call, mode: str, *, side: str = "call", key: str = "") -> Any:
    data = {"mode": mode, "side": side, "key": key or str(uuid4())}
    return browser.post(reverse("supervise", args=[call.pk]), data)


def words_of(answer: Any) -> str:
    return str(json.loads(answer["HX-Trigger"])["notice"]["text"])


def joins(grant: Supervision) -> None:
    """Its leg is in the call's room."""
    leg = Leg.objects.create(
        call=grant.call,
        kind=legs.leg_kind(legs.ParticipantFact(grant.identity, "")),
        identity=grant.identity,
        participant_sid=f"PA_{uuid4().hex}",
        room_name=grant.call.room_name,
        joined_at=now(),
    )
    on_leg_joined(leg=leg)


MAY = {"owner": 200, "other": 404, "manager": 403, "auditor": 403, "administrator": 200, "nobody": 403}


@pytest.mark.parametrize("who", MAY)
@pytest.mark.parametrize("mode", SupervisionMode)
def test_each_role_may_supervise_as_the_table_says(
    who: str, mode: SupervisionMode, as_: Browse, floor: rows.Floor
) -> None:
    assert asked(as_(who), floor.briefing.call, mode).status_code == MAY[who]
    assert Supervision.objects.count() == (MAY[who] == 200)


@pytest.mark.parametrize(("given", "listens", "speaks"), [("listen_call", 200, 403), ("supervise_call", 403, 403)])
def test_listening_is_a_permission_of_its_own_and_speaking_needs_both(
    floor: rows.Floor, given: str, listens: int, speaks: int
) -> None:
    user = account(None, floor.billing)
    user.user_permissions.add(*Permission.objects.filter(codename__in=(given, "view_call")))
    browser = Client()
    browser.force_login(User.objects.get(pk=user.pk))
    assert asked(browser, floor.briefing.call, "listen").status_code == listens
    for mode in ("whisper", "barge", "take_over"):
        assert asked(browser, floor.briefing.call, mode).status_code == speaks


@pytest.mark.parametrize(
    ("mode", "side", "publishes", "hidden"),
    [
        ("listen", "call", False, True),
        ("listen", "consultation", False, True),
        ("whisper", "consultation", True, False),
        ("barge", "call", True, False),
        ("take_over", "call", True, False),
    ],
)
def test_the_answer_is_all_that_a_browser_needs(
    as_: Browse, floor: rows.Floor, settings: Any, mode: str, side: str, publishes: bool, hidden: bool
) -> None:
    browser, call = as_("owner"), floor.briefing.call
    told = asked(browser, call, mode, side=side).json()
    attempt = floor.briefing.attempts.get(nth=2)
    room = attempt.consult_room if side == "consultation" else call.room_name
    claims = jwt.decode(told["token"], settings.LIVEKIT_API_SECRET, algorithms=["HS256"])
    assert (told["room"], claims["video"]["room"]) == (room, room)
    assert (told["identity"], told["speaks"]) == (claims["sub"], publishes)
    assert (claims["video"]["canPublish"], claims["video"]["hidden"]) == (publishes, hidden)
    assert claims["exp"] - claims["nbf"] == 120
    assert told["only_to"] == ([attempt.manager_identity] if mode == "whisper" else None)
    again = browser.post(told["renew"]).json()
    assert again["grant"] == told["grant"]
    beat = browser.post(told["seen"]).json()
    assert beat == {"room": told["room"], "heard": told["heard_by"]}
    assert browser.post(told["stop"]).status_code == 204
    assert browser.post(told["seen"]).status_code == 410
    assert words_of(browser.post(told["renew"])) == "You have left this call."


def test_nobody_uses_another_s_grant(as_: Browse, floor: rows.Floor) -> None:
    told = asked(as_("owner"), floor.briefing.call, "listen").json()
    other = as_("administrator")
    assert [other.post(told[what]).status_code for what in ("renew", "seen", "stop")] == [404, 404, 404]


def test_who_may_not_see_the_call_any_more_gets_no_other_token(as_: Browse, floor: rows.Floor) -> None:
    browser = as_("owner")
    told = asked(browser, floor.briefing.call, "listen").json()
    User.objects.get(username="owner").memberships.all().delete()
    assert browser.post(told["renew"]).status_code == 404


def test_a_click_that_says_nothing_is_refused(as_: Browse, floor: rows.Floor) -> None:
    browser = as_("owner")
    assert asked(browser, floor.briefing.call, "shout").status_code == 409
    assert asked(browser, floor.briefing.call, "listen", key="x").status_code == 409


# ── the AI ───────────────────────────────────────────────────────────────────────────────────────


def linked(call: Call) -> AgentJob:
    hello = p.Hello(job_id="AJ_1", role=p.Role.SUPPORT, room=call.room_name)
    links.open_link(hello)
    return AgentJob.objects.get(pk="AJ_1")


def whispered(browser: Client, call: Call, text: str, key: str = "") -> Any:
    return browser.post(reverse("whisper_to_ai", args=[call.pk]), {"text": text, "key": key or str(uuid4())})


@pytest.mark.parametrize(("done", "shown"), [(True, "the AI follows it"), (False, "did not reach the AI")])
def test_a_whisper_to_the_ai_and_what_came_of_it(as_: Browse, floor: rows.Floor, done: bool, shown: str) -> None:
    browser, call, key = as_("owner"), floor.waiting.call, str(uuid4())
    job = linked(call)
    for _ in range(2):
        assert whispered(browser, call, "Offer a  refund.", key).status_code == 204
    directive = Directive.objects.get()
    assert directive.body == {"kind": "coach", "text": "Offer a refund."}
    page = browser.get(reverse("call", args=[call.pk])).content.decode()
    assert "on its way" in page
    told = p.DirectiveDone(directive_id=directive.pk) if done else None
    body = told or p.DirectiveFailed(directive_id=directive.pk, error="RuntimeError")
    links.apply_up(job.pk, job.epoch, p.Up(seq=1, at=now(), body=body))
    page = browser.get(reverse("call", args=[call.pk])).content.decode()
    assert shown in page
    (event,) = Event.objects.filter(type="supervision.coached")
    assert event.facts == {"directive_id": str(directive.pk)}
    assert json.loads(bytes(event.payload.body)) == {"text": "Offer a refund."}


def test_a_whisper_that_nobody_would_hear_is_refused(as_: Browse, floor: rows.Floor) -> None:
    browser = as_("administrator")
    assert "not in the call" in words_of(whispered(browser, rows.call(floor.billing), "x"))
    assert "talking to a person" in words_of(whispered(browser, floor.merged.call, "x"))
    assert "has ended" in words_of(whispered(browser, floor.completed.call, "x"))
    assert "nothing to whisper" in words_of(whispered(browser, floor.waiting.call, "  "))
    assert browser.get(reverse("whisper_to_ai", args=[floor.waiting.call_id])).status_code == 200


@pytest.mark.parametrize("who", ["other", "auditor", "nobody"])
def test_the_ai_is_coached_by_its_supervisors_alone(who: str, as_: Browse, floor: rows.Floor) -> None:
    linked(floor.waiting.call)
    assert whispered(as_(who), floor.waiting.call, "x").status_code in (403, 404)
    assert not Directive.objects.exists()


# ── the page ─────────────────────────────────────────────────────────────────────────────────────


def section(browser: Client, call: Call) -> str:
    page = browser.get(reverse("call", args=[call.pk])).content.decode()
    return page.split('id="supervise-title"')[1].split("</section>")[0] if "supervise-title" in page else ""


def test_each_sees_the_buttons_they_may_press(as_: Browse, floor: rows.Floor) -> None:
    mine = section(as_("owner"), floor.briefing.call)
    for words in ("Listen</button>", "Listen to Dana", "Whisper to Dana", "Barge in", "Take over", "to the AI"):
        assert words in mine
    assert 'aria-keyshortcuts="L"' in mine
    assert section(as_("auditor"), floor.briefing.call) == ""
    assert section(as_("administrator"), floor.completed.call) == ""


def test_whoever_is_in_the_call_is_named(as_: Browse, floor: rows.Floor) -> None:
    asked(as_("owner"), floor.briefing.call, "listen", side="consultation")
    seen = section(as_("auditor"), floor.briefing.call)
    assert "owner listens to Dana" in seen
    assert "<button" not in seen


def test_a_call_that_was_taken_over_can_only_be_listened_to(as_: Browse, floor: rows.Floor) -> None:
    call = floor.returned.call
    asked(as_("owner"), call, "take_over")
    joins(Supervision.objects.get())
    call.refresh_from_db()
    assert call.caller_with == CallerWith.SUPERVISOR
    seen = section(as_("administrator"), call)
    assert "owner has taken over" in seen
    assert "Listen</button>" in seen
    for words in ("Take over</button>", "Barge in</button>", "Whisper to the AI"):
        assert words not in seen


def test_the_conversation_says_when_a_supervisor_talked_instead_of_the_ai(as_: Browse, floor: rows.Floor) -> None:
    browser, call = as_("owner"), floor.returned.call
    asked(browser, call, "take_over")
    grant = Supervision.objects.get()
    joins(grant)
    supervision.stop(grant_id=grant.pk, user=grant.user)
    page = browser.get(reverse("call", args=[call.pk])).content.decode()
    assert "owner takes over" in page
    assert page.index("owner takes over") < page.index(f"mark-{grant.pk}-gave")


def test_what_is_shown_grows_in_version_with_every_change_of_who_is_there(as_: Browse, floor: rows.Floor) -> None:
    def version() -> int:
        page = browser.get(reverse("call", args=[call.pk])).content.decode()
        return int(page.split(f'id="call-side-{call.pk}" data-region data-version="')[1].split('"')[0])

    browser, call = as_("owner"), floor.waiting.call
    seen = [version()]
    asked(browser, call, "listen")
    seen.append(version())
    grant = Supervision.objects.get()
    joins(grant)
    seen.append(version())
    supervision.stop(grant_id=grant.pk, user=grant.user)
    seen.append(version())
    assert seen == sorted(set(seen))


PHASES = {
    CallerWith.AI: (None, Phase.WITH_AI),
    CallerWith.HOLD: (None, Phase.ON_HOLD),
    CallerWith.MANAGER: ("merged", Phase.MERGED),
    CallerWith.SUPERVISOR: (None, Phase.TAKEN_OVER),
}
NAMES = {Party.CALLER: "aller", Party.MANAGER: "Dana", Party.AI: "AI"}


@pytest.mark.parametrize("with_whom", PHASES)
@pytest.mark.parametrize("mode", [SupervisionMode.LISTEN, SupervisionMode.BARGE, SupervisionMode.TAKE_OVER])
def test_what_one_is_heard_by_is_said_as_the_table_has_it(
    floor: rows.Floor, with_whom: CallerWith, mode: SupervisionMode
) -> None:
    state, phase = PHASES[with_whom]
    attempt = floor.briefing.attempts.get(nth=2)
    attempt.state = state or attempt.state
    call = Call(caller_with=with_whom)
    said = heard_by(Supervision(call=call, mode=mode), attempt if state else None)
    hearing = who_hears(PARTY[mode], phase)
    assert {party for party, name in NAMES.items() if name in said} == hearing
    assert said == "Nobody hears you." or hearing


def test_a_listener_s_leg_is_known_by_its_name() -> None:
    assert legs.leg_kind(legs.ParticipantFact("listen-1", "PA_1")) == LegKind.LISTENER
    assert legs.leg_kind(legs.ParticipantFact("supervisor-1", "PA_2")) == LegKind.SUPERVISOR
