"""A grant's life as data, when it ends by itself, and how its identity names it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from calls.models import Supervision
from calls.services.supervision import WHY_OVER, grant_in, overdue
from calls.states import SUPERVISION_TRANSITIONS
from calls.states import SupervisionEnd as End
from calls.states import SupervisionMode as Mode
from calls.states import SupervisionState as State
from calls.telephony.tokens import TABLE
from transfers.record import ASKED, ASKED_ASIDE, BEGAN, CEASED, describe

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def test_the_table_is_complete_and_an_end_is_an_end() -> None:
    assert set(SUPERVISION_TRANSITIONS) == set(State)
    assert SUPERVISION_TRANSITIONS[State.ENDED] == frozenset()
    assert all(State.OPENED not in following for following in SUPERVISION_TRANSITIONS.values())


@pytest.mark.parametrize(
    ("fields", "judges", "ends"),
    [
        ({"state": State.OPENED, "opened_at": ago(9)}, True, None),
        ({"state": State.OPENED, "opened_at": ago(10)}, True, End.UNUSED),
        ({"state": State.OPENED, "opened_at": ago(10)}, False, End.UNUSED),
        ({"state": State.JOINED}, True, None),
        ({"state": State.JOINED, "away_since": ago(4)}, True, None),
        ({"state": State.JOINED, "away_since": ago(5)}, False, End.LOST),
        ({"state": State.JOINED, "seen_at": ago(99)}, True, None),
        ({"state": State.JOINED, "seen_at": ago(9), "mode": Mode.TAKE_OVER}, True, None),
        ({"state": State.JOINED, "seen_at": ago(10), "mode": Mode.TAKE_OVER}, True, End.LOST),
        ({"state": State.JOINED, "seen_at": ago(10), "mode": Mode.TAKE_OVER}, False, None),
        ({"state": State.JOINED, "seen_at": ago(10), "mode": Mode.BARGE}, True, None),
    ],
)
def test_when_a_grant_ends_by_itself(fields: dict[str, Any], judges: bool, ends: End | None) -> None:
    grant = Supervision(**({"mode": Mode.LISTEN, "opened_at": ago(300), "seen_at": ago(1)} | fields))
    assert overdue(grant, NOW, judges) == ends


@pytest.mark.parametrize("mode", Mode)
def test_its_identity_is_the_token_s_and_names_it(mode: Mode) -> None:
    grant = Supervision(mode=mode)
    patterns = {str(purpose): row.identity for purpose, row in TABLE.items()}
    assert grant.identity == patterns[mode].format(grant.pk)
    assert grant_in(grant.identity) == grant.pk


@pytest.mark.parametrize(
    "identity",
    ["", "caller-1", "listen-", "supervisor-rehearsal-1a", "manager-c07f2478-ee08-4e5b-816e-f439330615fc"],
)
def test_nobody_else_s_identity_names_a_grant(identity: str) -> None:
    assert grant_in(identity) is None


def test_every_end_and_mode_has_words() -> None:
    assert set(WHY_OVER) == set(End)
    for words in (ASKED, ASKED_ASIDE, BEGAN, CEASED):
        assert set(words) == set(Mode)
    assert describe("supervision.ended", {"mode": "listen", "reason": "lost", "seconds": 61.4}) == (
        "ceased to listen after 61 s (the connection was lost)"
    )
