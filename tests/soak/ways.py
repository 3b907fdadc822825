"""The ways that a soak plays, over and over: each a caller's whole transfer, with patience for what is killed."""

from __future__ import annotations

import time
import urllib.error
from collections.abc import Callable, Mapping
from uuid import uuid4

from tests.bench.house import surely
from tests.floor import CALLED_BACK, DANA, MARCO, OMAR, Caller, promise_callback
from tests.product import until

PATIENCE_S = 45.0  # a step may meet a process that is just being replaced
CALLS_BACK = 3


def talks(caller: Caller) -> None:
    joined(caller)


def caller_leaves_ringing(caller: Caller) -> None:
    caller.escalated(rings_s=30.0)
    caller.reaches("ringing", "dialing", within_s=PATIENCE_S)


def caller_leaves_in_the_briefing(caller: Caller) -> None:
    caller.escalated()
    caller.is_briefed(PATIENCE_S)


def declined(caller: Caller) -> None:
    _refused(caller, "refuses")


def busy(caller: Caller) -> None:
    _refused(caller, "busy")


def unreachable(caller: Caller) -> None:
    _refused(caller, "unavailable")


def line_down(caller: Caller) -> None:
    _refused(caller, "trunk-down")


def no_such_number(caller: Caller) -> None:
    _refused(caller, "not-in-service")


def in_line(caller: Caller) -> None:
    """Everybody is wrapping up for some seconds."""
    caller.floor.records.one(
        "UPDATE transfers_manager SET presence = 'wrapping_up', presence_until = now() + interval '6 seconds' "
        "RETURNING 1"
    )
    caller.asks()
    caller.manager_takes_it(within_s=2 * PATIENCE_S)


def cold(caller: Caller) -> Caller:
    """Their own carrier calls somebody else."""
    phoned = caller.floor.phones_in()
    _referred(phoned, OMAR)
    until(lambda: phoned.of_call("state") == "inactive", PATIENCE_S, "a caller who is transferred has left")
    phoned.is_over(within_s=PATIENCE_S)
    return phoned


def cold_refused(caller: Caller) -> Caller:
    """It cannot; they are with the AI as before."""
    phoned = caller.floor.phones_in()
    _referred(phoned, MARCO)
    if phoned.of_transfer("end_reason") == "error":
        phoned.is_with("ai", PATIENCE_S)
    phoned.is_over(within_s=PATIENCE_S)
    return phoned


def called_back(caller: Caller) -> Caller:
    """Dana makes a callback that somebody promised to this caller; whose agent is killed clicks again."""
    floor = caller.floor
    callback = promise_callback(floor.product, caller.id)
    patiently(lambda: floor.dana.post(f"callbacks/{callback}/claim"))
    for _ in range(CALLS_BACK):
        floor.carrier.next_dial(DANA, scenario="silent", rings_s=0.3)
        floor.carrier.next_dial(CALLED_BACK, scenario="silent", rings_s=0.3)
        patiently(lambda: floor.dana.post(f"callbacks/{callback}/call"))
        made = Caller.called_back(floor, callback)
        joined_now = _taken(made)
        made.is_over(within_s=PATIENCE_S)
        if joined_now:
            return made
    raise AssertionError(f"called back {CALLS_BACK} times, and they were not joined")


def _taken(made: Caller) -> bool:
    """Somebody presses 1 until the two are joined, or nothing is left to press for."""
    end = time.monotonic() + 2 * PATIENCE_S
    while made.of_attempt("state") != "merged":
        assert time.monotonic() < end, f"somebody presses 1 and the attempt is {made.of_attempt('state')}"
        if made.of_transfer("ended_at"):
            return False
        if made.of_attempt("state") == "summarizing":
            made.manager_presses("1")
        time.sleep(0.5)
    return True


def _referred(caller: Caller, number: str) -> None:
    sql = (
        "SELECT concat('p:', e.manager_id, ':', d.department_id) FROM transfers_endpoint e "
        "JOIN transfers_manager_departments d ON d.manager_id = e.manager_id WHERE e.address = %s LIMIT 1"
    )
    target = caller.floor.records.one(sql, number)
    key = str(uuid4())
    patiently(lambda: caller.floor.supervisor.post(f"calls/{caller.id}/cold", key=key, target=target, reason=""))
    until(lambda: caller.of_transfer("ended_at"), PATIENCE_S, "a cold transfer ends")


def _refused(caller: Caller, scenario: str) -> None:
    """The first phone does; the next manager is called."""
    caller.escalated(scenario=scenario, rings_s=0.3)
    until(lambda: caller.attempts() >= 2, PATIENCE_S, "the next manager is called")


def key_zero(caller: Caller) -> None:
    caller.escalated(rings_s=30.0)
    end = time.monotonic() + PATIENCE_S
    while caller.with_whom != "ai":
        assert time.monotonic() < end, "the caller presses 0 and stays on hold"
        if caller.of_call("agent_state") == "holding":
            caller.presses("0")
        time.sleep(0.5)


def supervisor_cancels(caller: Caller) -> None:
    caller.escalated(rings_s=30.0)
    patiently(lambda: caller.floor.supervisor.post(f"transfers/{caller.of_transfer('id')}/cancel"))
    caller.is_with("ai", PATIENCE_S)


def cut_off(caller: Caller) -> None:
    joined(caller)
    before = len(caller.dials())
    caller.floor.carrier.hang_up_phone(caller.dials()[-1]["id"])
    until(lambda: len(caller.dials()) > before, PATIENCE_S, "the manager is called again")


def given_back(caller: Caller) -> None:
    joined(caller)
    _stars(caller, "0", lambda: caller.with_whom == "ai")


def another_manager(caller: Caller) -> None:
    joined(caller)
    before = caller.attempts()
    _stars(caller, "1", lambda: caller.attempts() > before)


def held(caller: Caller) -> None:
    joined(caller)
    transfer = caller.of_transfer("id")
    patiently(lambda: caller.floor.supervisor.post(f"transfers/{transfer}/hold"))
    caller.is_with("hold", PATIENCE_S)
    patiently(lambda: caller.floor.supervisor.post(f"transfers/{transfer}/resume"))
    caller.is_with("manager", PATIENCE_S)


WAYS: Mapping[str, Callable[[Caller], Caller | None]] = {
    way.__name__: way
    for way in (
        talks,
        caller_leaves_ringing,
        caller_leaves_in_the_briefing,
        declined,
        busy,
        key_zero,
        supervisor_cancels,
        cut_off,
        given_back,
        another_manager,
        held,
        unreachable,
        line_down,
        no_such_number,
        in_line,
        cold,
        cold_refused,
        called_back,
    )
}


def joined(caller: Caller) -> None:
    caller.escalated()
    caller.manager_takes_it(within_s=2 * PATIENCE_S)


def _stars(caller: Caller, key: str, done: Callable[[], bool]) -> None:
    """A manager presses the two keys until something comes of it."""
    end = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < end, f"*{key} and nothing comes of it"
        if caller.of_attempt("state") == "merged":
            caller.manager_presses("*")
            caller.manager_presses(key)
        time.sleep(1.5)


def patiently(act: Callable[[], object]) -> None:
    """A person whose console was just away clicks again; what is done already is done."""

    def click() -> None:
        try:
            act()
        except urllib.error.HTTPError as error:
            if error.code != 409:
                raise

    surely(click, within_s=PATIENCE_S)
