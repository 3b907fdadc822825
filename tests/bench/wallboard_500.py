"""wallboard_500: the wallboard with 500 live calls: what the server takes for it, and when Chromium first paints.

Between two loads as many calls change as 500 calls make in a second, and the process has rendered them for the
pages that are open, as its hub does. The server's time is the whole request in this process, from the middleware
to the last byte; the paint is of the product's own web process.
"""

from __future__ import annotations

import time

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from playwright.sync_api import Page

from calls.models import Call, Utterance
from calls.roles import Role
from calls.services.calls import touched
from calls.states import CallerWith, CallState
from tests import rows
from tests.bench.figures import Part, Reading, spread
from tests.bench.ground import Ground
from tests.browser import chromium, log_in
from tests.people import account
from transfers.access import lens_of
from transfers.models import Attempt, Manager, Transfer
from transfers.states import AttemptState, TransferState
from transfers.strip_html import changed_htmls

CALLS = 500
DEPARTMENTS = 5
MANAGERS = 8  # of each department
ESCALATED = 8  # every so many calls one has a transfer
A_SECOND = 22  # changes that 500 calls make
LOADS, PAINTS = 40, 12
SETTLED_MS = 700


def measure(ground: Ground) -> Reading:
    ground.rows.emptied()
    user, calls = _floor()
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(user)
    cold = _load(client)
    warm, unseen = [], []
    for nth in range(ground.few(LOADS)):
        changed = calls[nth * A_SECOND % CALLS :][:A_SECOND]
        _change(changed)
        changed_htmls(lens_of(user), [call.pk for call in changed])
        warm.append(_load(client))
        _change(changed)
        unseen.append(_load(client))
    url = ground.rows.console().url
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        log_in(page, url, user.get_username())
        paints = [_paint(page, url) for _ in range(ground.few(PAINTS) + 1)][1:]
    found, painted = spread(warm), spread([paint for paint, _ in paints])
    return Reading(
        found.p50,
        found,
        (
            Part("first paint in Chromium, p50", painted.p50, "ms", 300),
            Part("first paint in Chromium, p95", painted.p95, "ms"),
            Part("first byte in Chromium, p95", spread([byte for _, byte in paints]).p95, "ms"),
            Part("server time while no page is open that had the changes rendered, p50", spread(unseen).p50, "ms"),
            Part("server time of the very first load of a process", cold, "ms"),
        ),
    )


def _floor() -> tuple[User, list[Call]]:
    """500 live calls in five departments with words, some on their way to a manager."""
    departments = [rows.department(f"Department {n}") for n in range(DEPARTMENTS)]
    managers = [
        rows.manager(f"Manager {n}-{m}", department, priority=m)
        for n, department in enumerate(departments)
        for m in range(MANAGERS)
    ]
    made = [
        Call(
            room_name=f"call-{n}",
            department=departments[n % DEPARTMENTS],
            caller_with=CallerWith.HOLD if n % ESCALATED == 0 else CallerWith.AI,
            state=CallState.ESCALATED if n % ESCALATED == 0 else CallState.ACTIVE,
            caller_since=rows.ago(n / 4),
            started_at=rows.ago(n / 2),
            last_fact_at=rows.ago(1),
            caller_number=f"+1202555{n:04}",
            caller_last4=f"{n:04}",
            agent_state="speaking",  # so that nobody's silence needs a supervisor
        )
        for n in range(CALLS)
    ]
    calls = Call.objects.bulk_create(made)
    rows.agents(calls)
    Utterance.objects.bulk_create(
        Utterance(call=call, speaker="caller", text=f"I was charged twice, line {line}", started_at=rows.ago(line))
        for call in calls
        for line in range(6)
    )
    free = list(managers)
    for call in calls[::ESCALATED]:
        _escalated(call, free.pop() if free else None)
    with transaction.atomic():
        for call in calls[:1]:
            touched(call)
    return account(Role.SUPERVISOR, *departments, name="priya"), calls


def _escalated(call: Call, manager: Manager | None) -> None:
    state = TransferState.CONNECTING if manager else TransferState.QUEUED
    made: Transfer = rows.transfer(call, state, held_at=rows.ago(20))
    if manager:
        rows.attempt(made, manager, AttemptState.RINGING, ringing_at=rows.ago(8))
        assert Attempt.objects.filter(transfer=made).exists()


def _change(calls: list[Call]) -> None:
    for call in calls:
        touched(call)


def _load(client: Client) -> float:
    began = time.perf_counter()
    answer = client.get("/")
    took = (time.perf_counter() - began) * 1000
    assert answer.status_code == 200, answer.status_code
    assert answer.content.count(b'id="strip-') == CALLS, settings.DATABASES["default"]["NAME"]
    return took


def _paint(page: Page, url: str) -> tuple[float, float]:
    """Milliseconds from the beginning of the navigation to the first paint, and to the first byte."""
    page.goto(url, wait_until="load")
    page.wait_for_timeout(SETTLED_MS)  # as a person would: the socket is open and nothing is left to do
    page.wait_for_function("() => performance.getEntriesByName('first-contentful-paint').length")
    paint, byte = page.evaluate(
        """() => [performance.getEntriesByName("first-paint")[0].startTime,
                  performance.getEntriesByType("navigation")[0].responseStart]"""
    )
    return paint, byte
