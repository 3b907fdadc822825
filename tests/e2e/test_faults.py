"""What may fail in the middle of a transfer: processes, servers, answers. Looked at from outside.

Without speech: tones and keys through the same rooms and jobs. F1 to F15 are the faults that a control room has to
survive; those of one row or one webhook are integration tests.
"""

from __future__ import annotations

import json
import os
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable

import psycopg
import pytest
import redis

from tests.floor import Caller, Floor
from tests.product import Product, gone, until

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(150),
    pytest.mark.parametrize("house", [{"AGENT_DRAIN_SECONDS": "60"}], ids=[""], indirect=True, scope="module"),
]


# ── F1, F3, F4, F15: processes ───────────────────────────────────────────────────────────────────

STEPS: tuple[tuple[str, Callable[[Caller], None]], ...] = (
    ("dialing", lambda caller: caller.escalated(rings_s=3.0)),
    ("summarizing", lambda caller: caller.reaches("summarizing")),
    ("merged", lambda caller: caller.manager_takes_it()),
)


def ends(product: Product, name: str, sign: signal.Signals) -> None:
    """One process ends, and the launcher has started another."""
    ended = product.pid(name)
    os.kill(ended, sign)
    until(lambda: gone(ended) and product.pid(name) != ended, 30, f"{name} is there again")


@pytest.mark.parametrize(
    "sign",
    [
        pytest.param(signal.SIGKILL, id="killed"),
        pytest.param(signal.SIGTERM, id="asked-to-stop", marks=pytest.mark.long),
    ],
)
@pytest.mark.parametrize("name", ["worker", "clock-1", "web"])
def test_a_process_ends_in_every_step(floor: Floor, caller: Caller, name: str, sign: signal.Signals) -> None:
    for _, go in STEPS:
        go(caller)
        ends(floor.product, name, sign)
    if name == "web":
        until(floor.product.answers, 30, "the console answers")
    caller.is_with("manager")
    assert len(caller.dials()) == 1
    caller.is_over()


def test_the_agents_die_in_the_briefing(floor: Floor, caller: Caller) -> None:
    """F12: another TransferAgent comes, or the next manager is tried; the caller is never left alone."""
    caller.escalated()
    caller.is_briefed()
    floor.product.kill("agents")
    caller.manager_takes_it(within_s=90)
    caller.one_dial_an_attempt()
    caller.is_over(within_s=20)


def test_the_agents_die_in_the_conversation(floor: Floor, caller: Caller) -> None:
    """The line is taken up by another job; neither phone is let go."""
    caller.joined()
    floor.product.kill("agents")
    bridged = "SELECT count(*) FROM calls_agentjob WHERE call_id = %s AND role = 'bridge' AND closed_at IS NULL"
    until(lambda: floor.records.one(bridged, caller.id) > 0, 60, "another job carries the line")
    assert caller.of_attempt("state") == "merged"
    caller.is_over(within_s=20)


def test_a_new_agent_server_takes_over_while_the_old_one_drains(floor: Floor, caller: Caller) -> None:
    """F15: a deploy of agents. Who is on the line stays with the old one; whoever comes gets the new one."""
    old = floor.product.pid("agents")
    with floor.product.another_agent_server(AGENT_DRAIN_SECONDS="60"):
        os.kill(old, signal.SIGTERM)
        later = floor.calls_in("Billing")
        caller.joined()
        assert not gone(old)
        caller.is_over(within_s=20)
        until(lambda: gone(old), 30, "the old server has ended after its last call")
        later.joined()
        later.is_over(within_s=20)


def test_the_product_s_valkey_is_killed_and_empty(floor: Floor, caller: Caller) -> None:
    caller.escalated(rings_s=3.0)
    for _ in range(2):
        with redis.Redis.from_url(floor.product.settings["VALKEY_URL"]) as valkey:
            valkey.flushall()
        floor.product.kill("valkey")
        caller.reaches("summarizing", "merged")
    caller.manager_takes_it()
    assert len(caller.dials()) == 1
    caller.is_over()


def accepts(product: Product) -> bool:
    """Recovery after an immediate shutdown takes a moment."""
    try:
        psycopg.connect(product.settings["DATABASE_URL"], connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return product.answers("/login")


@pytest.mark.parametrize("step", ["dialing", "summarizing"])
def test_postgresql_is_stopped_immediately(house: Product, step: str) -> None:
    first = Floor(house)
    caller = first.calls_in("Billing")
    caller.escalated(rings_s=4.0)
    caller.reaches("dialing", "ringing") if step == "dialing" else caller.reaches("summarizing")
    ends(house, "postgres", signal.SIGQUIT)  # its immediate shutdown
    until(lambda: accepts(house), 30, "PostgreSQL accepts connections")
    second = Floor(house)
    again = Caller.of(second, caller)
    again.reaches("summarizing", within_s=30)
    again.manager_takes_it()
    again.one_dial_an_attempt()
    caller.leave()
    again.is_over(within_s=20)
    second.close()


def test_a_worker_that_was_stopped_for_a_while_does_not_dial_late(floor: Floor, caller: Caller) -> None:
    """F2: whoever wakes up late finds its claim taken."""
    worker = floor.product.pid("worker")
    os.kill(worker, signal.SIGSTOP)
    try:
        caller.escalated()
        caller.reaches("summarizing", "failed", within_s=30)
    finally:
        os.kill(worker, signal.SIGCONT)
    time.sleep(2)  # whatever it wants to do now, it does
    caller.one_dial_an_attempt()
    caller.is_over(within_s=20)


# ── F5: webhooks ─────────────────────────────────────────────────────────────────────────────────


def test_a_forged_webhook_writes_nothing(floor: Floor, caller: Caller) -> None:
    body = json.dumps({"event": "room_finished", "id": "EV_forged", "room": {"name": caller.room}}).encode()
    request = urllib.request.Request(
        f"{floor.product.url}/webhooks/livekit", body, {"Authorization": "Bearer forged"}, method="POST"
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=5)
    assert refused.value.code == 401
    assert floor.records.one("SELECT count(*) FROM calls_webhookdelivery WHERE id = 'EV_forged'") == 0
    assert caller.of_call("state") == "active"
    caller.is_over()


# ── F6: the server ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("fault", [pytest.param("500", marks=pytest.mark.long), "503", "429"])
def test_a_dial_that_the_server_refuses_is_followed_by_the_next(floor: Floor, caller: Caller, fault: str) -> None:
    floor.carrier.fault("CreateSIPParticipant", fault)
    caller.escalated()
    until(lambda: caller.attempts() == 2, 20, "the next manager is called")
    caller.one_dial_an_attempt()
    caller.is_over()


def test_a_dial_whose_answer_is_lost_is_not_made_again(floor: Floor, caller: Caller) -> None:
    """It rang all the same: the leg tells."""
    floor.carrier.fault("CreateSIPParticipant", "late")
    caller.escalated()
    until(
        lambda: caller.of_attempt("state") in ("summarizing", "failed") or caller.attempts() > 1,
        100,
        "it is known",
    )
    caller.one_dial_an_attempt()
    caller.is_over(within_s=20)


@pytest.mark.parametrize("method", ["CreateRoom", "DeleteRoom"])
def test_a_room_that_the_server_does_not_make_or_close_at_once(floor: Floor, caller: Caller, method: str) -> None:
    floor.carrier.fault(method, "503")
    caller.escalated()
    until(
        lambda: caller.of_attempt("state") in ("summarizing", "failed") or caller.attempts() > 1, 30, "it goes on"
    )
    caller.is_over(within_s=20)
