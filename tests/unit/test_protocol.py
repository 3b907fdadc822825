"""The messages of the agent link: each goes through JSON and back, and none takes what it does not know."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, get_args
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from calls.agents import protocol as p

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)


def members(union: Any) -> list[type[BaseModel]]:
    return list(get_args(get_args(union)[0]))


UP, DOWN = members(p.UpBody), members(p.DirectiveBody)
FRAMES = members(p.AgentFrame) + members(p.ConsoleFrame)


SNAPSHOTS = st.builds(p.Snapshot, facts=st.dictionaries(st.text(), st.text(), max_size=3))
TARGETS = st.builds(p.DialTarget, headers=st.dictionaries(st.text(), st.text(), max_size=3))
st.register_type_strategy(p.Snapshot, SNAPSHOTS)  # it does not know what a field with a factory may be
st.register_type_strategy(p.DialTarget, TARGETS)


def any_of(model: type[BaseModel]) -> st.SearchStrategy[Any]:
    return st.builds(model)


st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))
st.register_type_strategy(datetime, st.datetimes(timezones=st.just(UTC)))


@pytest.mark.parametrize("model", [*UP, *DOWN, *FRAMES], ids=lambda model: model.__name__)
@settings(max_examples=15)
@given(data=st.data())
def test_every_message_goes_through_json_and_back(model: type[BaseModel], data: st.DataObject) -> None:
    message = data.draw(any_of(model))
    assert model.model_validate_json(message.model_dump_json()) == message


@pytest.mark.parametrize("model", [*UP, *DOWN, *FRAMES], ids=lambda model: model.__name__)
@settings(max_examples=1)
@given(data=st.data())
def test_no_message_takes_a_field_that_it_does_not_know(model: type[BaseModel], data: st.DataObject) -> None:
    fields = json.loads(data.draw(any_of(model)).model_dump_json())
    with pytest.raises(ValidationError):
        model.model_validate(fields | {"surprise": 1})


def test_a_number_that_json_cannot_say_is_refused() -> None:
    with pytest.raises(ValidationError, match="finite"):
        p.HoldPlan(line="", progress_line="", progress_every_s=float("inf"))


@pytest.mark.parametrize(("bodies", "tag"), [(UP, "kind"), (DOWN, "kind"), (set(FRAMES), "type")])
def test_every_message_has_a_name_of_its_own(bodies: Any, tag: str) -> None:
    names = [model.model_fields[tag].default for model in bodies]
    assert len(names) == len(set(names))
    assert all(names)


def test_a_frame_is_told_by_its_type_and_a_body_by_its_kind() -> None:
    up = p.Up(seq=1, at=AT, body=p.ManagerDecision(decision=p.DecisionKind.ACCEPT, via="key"))
    assert p.agent_frames.validate_json(up.model_dump_json()) == up
    down = p.Down(seq=1, directive_id=UUID(int=1), body=p.Say(text="hello"))
    assert p.console_frames.validate_json(down.model_dump_json()) == down


@pytest.mark.parametrize(
    "frame",
    ['{"type": "up"}', '{"type": "welcome", "epoch": 1}', '{"type": "down"}', "[]", "", '{"type": "hello"}'],
)
def test_an_agent_sends_only_an_agent_s_frames(frame: str) -> None:
    with pytest.raises(ValidationError):
        p.agent_frames.validate_json(frame)


def test_messages_cannot_be_changed_on_the_way() -> None:
    with pytest.raises(ValidationError):
        p.Say(text="a").text = "b"  # type: ignore[misc]


def test_metadata_that_is_not_ours_is_a_support_job_s() -> None:
    assert p.DispatchMetadata().role == p.Role.SUPPORT
