"""What every gateway does, the shipped fake and the real one alike."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from calls.telephony.gateway import (
    CallerRule,
    DialRequest,
    Dispatch,
    DispatchRuleInfo,
    Gateway,
    GatewayError,
    InlineTrunk,
    Permanent,
    Permissions,
    StoredTrunk,
    TrunkInfo,
    outcome_of,
)
from tests.contract.conftest import Side

pytestmark = pytest.mark.contract

NUMBER = "+12025550100"


async def eventually(condition: Callable[[], Awaitable[bool]], *, within_s: float = 5.0) -> None:
    async with asyncio.timeout(within_s):
        while not await condition():  # noqa: ASYNC110 - the server has no event to wait for
            await asyncio.sleep(0.02)


async def test_a_room_is_made_once_and_keeps_its_metadata(gateway: Gateway) -> None:
    first = await gateway.create_room("call-1", metadata="first", dispatches=[Dispatch("agent", "role")])
    second = await gateway.create_room("call-1", metadata="second", dispatches=[Dispatch("agent", "role")])
    assert (first.name, first.metadata, first.participants) == ("call-1", "first", 0)
    assert first.created_at
    assert (second.sid, second.metadata) == (first.sid, "first")
    assert [(room.name, room.sid) for room in await gateway.list_rooms()] == [("call-1", first.sid)]
    found = await gateway.list_dispatch("call-1")
    assert [(one.agent_name, one.metadata, one.running) for one in found] == [("agent", "role", False)]


async def test_a_deleted_room_is_gone_and_deleting_it_again_is_well(gateway: Gateway) -> None:
    await gateway.create_room("call-1")
    await gateway.delete_room("call-1")
    await gateway.delete_room("call-1")
    assert list(await gateway.list_rooms()) == []


async def test_participants_are_listed_removed_and_may_be_absent(side: Side) -> None:
    await side.join("call-1", "caller-1")
    await side.join("call-1", "caller-2")
    found = {one.identity: one for one in await side.gateway.list_participants("call-1")}
    assert set(found) == {"caller-1", "caller-2"}
    assert found["caller-1"].kind == "standard"
    assert found["caller-1"].sid.startswith("PA_")
    assert found["caller-1"].joined_at
    await side.gateway.remove_participant("call-1", "caller-1")

    async def gone() -> bool:
        return [one.identity for one in await side.gateway.list_participants("call-1")] == ["caller-2"]

    await eventually(gone)
    await side.gateway.remove_participant("call-1", "caller-1")
    await side.gateway.remove_participant("nowhere", "nobody")
    assert list(await side.gateway.list_participants("nowhere")) == []


async def test_deleting_a_room_puts_everybody_out(side: Side) -> None:
    await side.join("call-1", "caller-1")
    await side.gateway.delete_room("call-1")

    async def empty() -> bool:
        return not await side.gateway.list_participants("call-1")

    await eventually(empty)


async def test_a_self_hosted_server_moves_nobody(side: Side) -> None:
    await side.join("consult-1", "manager-1")
    await side.gateway.create_room("call-1")
    with pytest.raises(Permanent) as refused:
        await side.gateway.move_participant("consult-1", "manager-1", "call-1")
    assert refused.value.code == "unimplemented"
    assert [one.identity for one in await side.gateway.list_participants("consult-1")] == ["manager-1"]


async def test_permissions_of_somebody_absent_are_refused(side: Side) -> None:
    await side.join("call-1", "caller-1")
    await side.gateway.update_permissions("call-1", "caller-1", Permissions(can_publish=False))
    with pytest.raises(Permanent) as refused:
        await side.gateway.update_permissions("call-1", "nobody", Permissions())
    assert refused.value.code == "not_found"


async def test_dispatches_are_made_listed_and_deleted(gateway: Gateway) -> None:
    made = await gateway.create_dispatch("call-1", "agent", '{"role":"support"}')
    assert [room.name for room in await gateway.list_rooms()] == ["call-1"]
    found = {one.id: one for one in await gateway.list_dispatch("call-1")}
    assert (found[made].agent_name, found[made].metadata) == ("agent", '{"role":"support"}')
    await gateway.delete_dispatch("call-1", made)
    await gateway.delete_dispatch("call-1", made)
    assert made not in {one.id for one in await gateway.list_dispatch("call-1")}


async def test_a_room_made_without_an_agent_calls_a_nameless_one(gateway: Gateway) -> None:
    """Why every room of ours is made with a dispatch by name: a worker without a name would join it."""
    await gateway.create_room("call-1")
    assert [one.agent_name for one in await gateway.list_dispatch("call-1")] == [""]


async def test_a_room_that_is_not_there_has_no_dispatches(gateway: Gateway) -> None:
    async with asyncio.timeout(1.0):
        assert list(await gateway.list_dispatch("nowhere")) == []
        await gateway.delete_dispatch("nowhere", "AD_none")


def caller_rule(trunk: str, **fields: Any) -> CallerRule:
    whole = {
        "name": "Calls",
        "trunk_ids": (trunk,),
        "room_prefix": "call-",
        "room_metadata": "{}",
        "agent_name": "agent",
        "agent_metadata": "{}",
    }
    return CallerRule(**(whole | fields))


async def test_trunks_and_rules_are_stored_and_changed(gateway: Gateway) -> None:
    outbound = await gateway.create_outbound_trunk(
        name="Out", address="sip.example.com", numbers=[NUMBER], username="u", password="p", metadata="mark"
    )
    inbound = await gateway.create_inbound_trunk(
        name="In", numbers=["+12025550199"], allowed_addresses=["203.0.113.0/24"], metadata="mark"
    )
    rule = await gateway.create_dispatch_rule(caller_rule(inbound))

    async def out() -> TrunkInfo:
        return {one.id: one for one in await gateway.list_outbound_trunks()}[outbound]

    async def into() -> TrunkInfo:
        return {one.id: one for one in await gateway.list_inbound_trunks()}[inbound]

    async def calls() -> DispatchRuleInfo:
        return {one.id: one for one in await gateway.list_dispatch_rules()}[rule]

    assert await out() == TrunkInfo(outbound, "Out", (NUMBER,), "sip.example.com", "mark", "u", "p")
    assert await into() == TrunkInfo(
        inbound, "In", ("+12025550199",), metadata="mark", allowed_addresses=("203.0.113.0/24",)
    )
    assert await calls() == DispatchRuleInfo(rule, "Calls", "call-", ("agent",), (inbound,), "{}")

    await gateway.update_outbound_trunk(outbound, address="sip.example.org", password="q")
    assert await out() == TrunkInfo(outbound, "Out", (NUMBER,), "sip.example.org", "mark", "u", "q")
    await gateway.update_inbound_trunk(inbound, numbers=["+12025550199", "+12025550197"])
    assert (await into()).numbers == ("+12025550199", "+12025550197")
    assert (await into()).allowed_addresses == ("203.0.113.0/24",)
    await gateway.update_dispatch_rule(rule, caller_rule(inbound, agent_name="another"))
    assert (await calls()).agent_names == ("another",)


async def test_what_is_not_there_cannot_be_changed(gateway: Gateway) -> None:
    for change in (
        gateway.update_outbound_trunk("ST_none", address="sip.example.com"),
        gateway.update_inbound_trunk("ST_none", metadata="x"),
        gateway.update_dispatch_rule("SDR_none", caller_rule("ST_none")),
    ):
        with pytest.raises(Permanent) as refused:
            await change
        assert refused.value.code == "not_found"


async def test_an_outbound_trunk_needs_a_host_and_a_number(gateway: Gateway) -> None:
    for address, numbers in (("", [NUMBER]), ("sip.example.com", [])):
        with pytest.raises(GatewayError):
            await gateway.create_outbound_trunk(name="Out", address=address, numbers=numbers)


async def test_a_number_has_one_inbound_trunk_and_a_trunk_one_rule(gateway: Gateway) -> None:
    trunk = await gateway.create_inbound_trunk(name="In", numbers=["+12025550198"])
    with pytest.raises(Permanent) as refused:
        await gateway.create_inbound_trunk(name="Again", numbers=["+12025550198"])
    assert "2025550198" not in str(refused.value)
    await gateway.create_dispatch_rule(caller_rule(trunk))
    with pytest.raises(Permanent):
        await gateway.create_dispatch_rule(caller_rule(trunk, name="Two"))


async def test_an_unknown_trunk_is_the_line_s_fault(gateway: Gateway) -> None:
    request = DialRequest(room="consult-1", identity="manager-1", to=NUMBER, trunk=StoredTrunk("ST_unknown"))
    with pytest.raises(Permanent) as refused:
        await gateway.dial(request)
    assert (refused.value.code, refused.value.sip_status) == ("not_found", None)
    assert outcome_of(refused.value) == "trunk_error"


INLINE = InlineTrunk("sip.example.com", NUMBER)
WRONG = {
    "letters": DialRequest("r", "i", "not a number", INLINE),
    "line break": DialRequest("r", "i", f"{NUMBER}\r\nX-Evil: 1", INLINE),
    "trailing line break": DialRequest("r", "i", f"{NUMBER}\n", INLINE),
    "national": DialRequest("r", "i", "02025550100", INLINE),
    "uri with a line break": DialRequest("r", "i", "sip:a@b\r\nc", INLINE),
    "uri with brackets": DialRequest("r", "i", "sip:a@b>;x=<", INLINE),
    "digits": DialRequest("r", "i", NUMBER, INLINE, dtmf="12e4"),
    "too many digits": DialRequest("r", "i", NUMBER, INLINE, dtmf="1" * 33),
    "no ringing": DialRequest("r", "i", NUMBER, INLINE, ringing_timeout_s=0),
    "rings too long": DialRequest("r", "i", NUMBER, INLINE, ringing_timeout_s=76),
    "no identity": DialRequest("r", "", NUMBER, INLINE),
    "inline without number": DialRequest("r", "i", NUMBER, InlineTrunk("sip.example.com", "")),
    "inline without host": DialRequest("r", "i", NUMBER, InlineTrunk("", NUMBER)),
    "stored without id": DialRequest("r", "i", NUMBER, StoredTrunk("")),
    "header with a line break": DialRequest(
        "r", "i", NUMBER, InlineTrunk("sip.example.com", NUMBER, headers={"X-A": "1\r\n2"})
    ),
}


@pytest.mark.parametrize("request_", WRONG.values(), ids=WRONG.keys())
async def test_a_malformed_dial_never_leaves(gateway: Gateway, request_: DialRequest) -> None:
    with pytest.raises(Permanent) as refused:
        await gateway.dial(request_)
    address_is_wrong = request_.to != NUMBER
    assert outcome_of(refused.value) == ("invalid_number" if address_is_wrong else "trunk_error")
    assert "2025550100" not in str(refused.value)
    assert list(await gateway.list_rooms()) == []


async def test_referring_somebody_absent_is_refused(gateway: Gateway) -> None:
    await gateway.create_room("call-1")
    with pytest.raises(GatewayError) as refused:
        await gateway.transfer_sip("call-1", "nobody", f"tel:{NUMBER}")
    assert refused.value.code == "not_found"
