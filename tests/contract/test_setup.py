"""The phone line's set-up on both gateways: only what is missing is made, and only what is ours is changed."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import count

import pytest

from calls.telephony.gateway import CallerRule, Gateway
from calls.telephony.setup import Item, Part, PhoneLine, State, apply, plan
from tests.livekit import KEY, SECRET

pytestmark = pytest.mark.contract

LINE = PhoneLine(
    installation="setup",
    agent_name="patchbay-setup",
    address="sip.example.com",
    shown_numbers=("+12025550179",),
    dialled_numbers=("+12025550178", "+12025550177"),
)
ALL = (Part.OUTBOUND, Part.INBOUND, Part.RULE)


NTH = count(100)


@pytest.fixture
def line() -> PhoneLine:
    """A line of its own: the server keeps trunks and rules from one test to the next."""
    nth = next(NTH)
    numbers = (f"+1202556{nth}8", f"+1202556{nth}7")
    name = f"setup-{nth}"
    return replace(LINE, installation=name, agent_name=f"patchbay-{name}", dialled_numbers=numbers)


def states(*items: Item) -> list[State]:
    return [item.state for item in items]


async def test_only_what_is_missing_is_made(gateway: Gateway, line: PhoneLine) -> None:
    first = await plan(gateway, line)
    assert first.missing == ALL
    assert states(*first.items) == [State.CREATE] * 3
    made = await apply(gateway, first)
    assert made.missing == ()
    again = await plan(gateway, line)
    assert again == made
    assert await apply(gateway, again) == made
    rule = next(rule for rule in await gateway.list_dispatch_rules() if rule.id == made.rule_id)
    assert (rule.room_prefix, rule.agent_names, rule.trunk_ids) == (
        "call-",
        (line.agent_name,),
        (made.inbound_id,),
    )
    assert json.loads(rule.room_metadata) == {"patchbay": line.installation, "kind": "call"}
    other = replace(line, installation="another", dialled_numbers=("+12025550176",))
    assert (await plan(gateway, other)).missing == ALL  # what another installation made is not ours
    assert {item.id for item in (await plan(gateway, other)).others} >= {made.outbound_id, made.inbound_id}


async def test_what_we_are_not_told_is_missing_and_not_guessed(gateway: Gateway, line: PhoneLine) -> None:
    bare = replace(line, address="", shown_numbers=(), dialled_numbers=())
    nothing = await plan(gateway, bare)
    assert states(*nothing.items) == [State.MISSING] * 3
    assert "--host" in nothing.outbound.do
    assert await apply(gateway, nothing) == nothing
    await apply(gateway, await plan(gateway, line))
    assert (await plan(gateway, bare)).missing == ()  # what is there needs no telling


async def test_what_is_ours_is_mended_and_the_rest_of_it_kept(gateway: Gateway, line: PhoneLine) -> None:
    made = await apply(gateway, await plan(gateway, replace(line, username="u", password="p")))
    wanted = replace(
        line,
        agent_name="renamed",
        address="sip.example.org",
        dialled_numbers=(*line.dialled_numbers, "+12025560005"),
        allowed_addresses=("203.0.113.7",),
        username="u",
        password="q",
    )
    planned = await plan(gateway, wanted)
    assert states(*planned.items) == [State.UPDATE] * 3
    assert planned.outbound.says == "its address, password"
    assert "'q'" not in repr(planned)
    mended = await apply(gateway, planned)
    assert (mended.missing, [item.id for item in mended.items]) == ((), [item.id for item in made.items])
    out = next(one for one in await gateway.list_outbound_trunks() if one.id == made.outbound_id)
    assert (out.address, out.numbers, out.username, out.password) == (
        "sip.example.org",
        line.shown_numbers,
        "u",
        "q",
    )
    into = next(one for one in await gateway.list_inbound_trunks() if one.id == made.inbound_id)
    assert (into.numbers, into.allowed_addresses) == (wanted.dialled_numbers, ("203.0.113.7",))
    fewer = await plan(gateway, replace(wanted, dialled_numbers=line.dialled_numbers[:1]))
    assert fewer.missing == ()  # a number is never taken away


async def test_somebody_else_s_trunk_is_in_the_way_or_used_as_it_is(gateway: Gateway, line: PhoneLine) -> None:
    theirs = await gateway.create_inbound_trunk(name="Theirs", numbers=[line.dialled_numbers[0][1:]])
    their_outbound = await gateway.create_outbound_trunk(
        name="Theirs", address="sip.example.net", numbers=["+12025550175"]
    )
    before = list(await gateway.list_inbound_trunks())
    planned = await plan(gateway, replace(line, address=""))
    assert states(*planned.items) == [State.MISSING, State.NOT_OURS, State.MISSING]
    assert theirs in planned.inbound.do
    assert await apply(gateway, planned) == planned
    assert list(await gateway.list_inbound_trunks()) == before

    adopted = await plan(gateway, replace(line, inbound_id=theirs, outbound_id=their_outbound))
    assert states(*adopted.items) == [State.EXISTS, State.EXISTS, State.CREATE]
    done = await apply(gateway, adopted)
    assert (done.missing, done.inbound_id, done.outbound_id) == ((), theirs, their_outbound)
    assert list(await gateway.list_inbound_trunks()) == before
    unknown = await plan(gateway, replace(line, inbound_id="ST_none"))
    assert unknown.inbound.says == "LiveKit has no inbound trunk ST_none"


async def test_somebody_else_s_rule_does_if_it_starts_our_agent(gateway: Gateway, line: PhoneLine) -> None:
    trunk = await gateway.create_inbound_trunk(name="Theirs", numbers=line.dialled_numbers)
    theirs = CallerRule("By hand", (trunk,), "room-", "", "another-agent", "")
    rule = await gateway.create_dispatch_rule(theirs)
    wanted = replace(line, inbound_id=trunk)
    planned = await plan(gateway, wanted)
    assert (planned.rule.state, planned.rule.id) == (State.NOT_OURS, "")
    assert rule in planned.rule.says
    await gateway.update_dispatch_rule(rule, replace(theirs, agent_name=line.agent_name))
    assert (await plan(gateway, wanted)).rule.state == State.EXISTS


async def test_what_an_earlier_version_made_is_known_by_its_name(gateway: Gateway, line: PhoneLine) -> None:
    """It left no mark in the metadata."""
    old = await gateway.create_inbound_trunk(name=line.inbound_name, numbers=line.dialled_numbers)
    claimed = await gateway.create_outbound_trunk(
        name=line.outbound_name, address="a.example", numbers=["+12025550174"], metadata='{"patchbay": "other"}'
    )
    planned = await plan(gateway, line)
    assert (planned.inbound.id, planned.inbound.state) == (old, State.EXISTS)
    assert planned.outbound.state == State.CREATE
    assert claimed in {item.id for item in planned.others}


async def test_no_secret_of_livekit_is_in_a_plan(gateway: Gateway, line: PhoneLine) -> None:
    made = await apply(gateway, await plan(gateway, replace(line, username="u", password="hush-hush")))
    assert "hush-hush" not in repr(made)
    assert KEY not in repr(made)
    assert SECRET not in repr(made)
