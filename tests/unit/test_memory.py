"""What the fake can do beyond the contract: phones by number, faults by method, a hand on everything."""

from __future__ import annotations

import asyncio

import pytest

from calls.telephony.gateway import (
    DialRequest,
    GatewayError,
    InlineTrunk,
    Permissions,
    Retryable,
    StoredTrunk,
    Uncertain,
    outcome_of,
)
from calls.telephony.memory import MemoryGateway, Phone

NUMBER = "+12025550100"
DIAL = DialRequest("consult-1", "manager-1", NUMBER, InlineTrunk("sip.example.com", "+12025550199"))


async def status(gateway: MemoryGateway) -> str | None:
    found = [one for one in await gateway.list_participants("consult-1") if one.identity == "manager-1"]
    return found[0].attributes["sip.callStatus"] if found else None


async def test_a_phone_answers_unless_it_is_told_otherwise() -> None:
    gateway = MemoryGateway()
    result = await gateway.dial(DIAL)
    assert (await status(gateway), len(gateway.dials)) == ("active", 1)
    assert result.participant_sid == (await gateway.list_participants("consult-1"))[0].sid


@pytest.mark.parametrize(("sip", "outcome"), [(486, "busy"), (603, "declined"), (480, "no_answer")])
async def test_a_phone_refuses_with_its_status(sip: int, outcome: str) -> None:
    gateway = MemoryGateway()
    gateway.phones[NUMBER] = Phone(sip)
    with pytest.raises(GatewayError) as refused:
        await gateway.dial(DIAL)
    assert (refused.value.sip_status, outcome_of(refused.value)) == (sip, outcome)
    assert await status(gateway) is None


async def ringing(gateway: MemoryGateway) -> asyncio.Task[object]:
    gateway.phones[NUMBER] = Phone(rings=True)
    dialling: asyncio.Task[object] = asyncio.create_task(gateway.dial(DIAL))
    await asyncio.sleep(0)
    assert await status(gateway) == "ringing"
    return dialling


async def test_a_phone_rings_until_it_is_picked_up() -> None:
    gateway = MemoryGateway()
    dialling = await ringing(gateway)
    gateway.answer("consult-1", "manager-1")
    await dialling
    assert await status(gateway) == "active"


@pytest.mark.parametrize("by", ["delete_room", "remove_participant"])
async def test_removing_the_leg_stops_the_ringing(by: str) -> None:
    gateway = MemoryGateway()
    dialling = await ringing(gateway)
    if by == "delete_room":
        await gateway.delete_room("consult-1")
    else:
        await gateway.remove_participant("consult-1", "manager-1")
    with pytest.raises(GatewayError) as stopped:
        await dialling
    assert outcome_of(stopped.value) == "no_answer"


async def test_a_fault_comes_before_the_act_or_after_it() -> None:
    gateway = MemoryGateway()
    gateway.fail("dial", Retryable("no"))
    with pytest.raises(Retryable):
        await gateway.dial(DIAL)
    assert gateway.dials == []
    gateway.fail("dial", Uncertain("lost"), late=True)
    with pytest.raises(Uncertain):
        await gateway.dial(DIAL)
    assert await status(gateway) == "active"
    gateway.down = Retryable("all of it")
    with pytest.raises(Retryable):
        await gateway.list_rooms()
    assert gateway.calls == {"dial": 2, "list_participants": 1, "list_rooms": 1}


async def test_the_cloud_moves_a_participant() -> None:
    gateway = MemoryGateway(can_move=True)
    before = gateway.join("consult-1", "manager-1")
    await gateway.move_participant("consult-1", "manager-1", "call-1")
    assert list(await gateway.list_participants("consult-1")) == []
    (after,) = await gateway.list_participants("call-1")
    assert (after.identity, after.sid != before.sid) == ("manager-1", True)


async def test_a_stored_trunk_dials_and_a_refer_leaves() -> None:
    gateway = MemoryGateway()
    trunk = await gateway.create_outbound_trunk(name="t", address="sip.example.com", numbers=[NUMBER])
    await gateway.dial(DialRequest("consult-1", "manager-1", "sip:dana@example.com", StoredTrunk(trunk)))
    await gateway.update_permissions("consult-1", "manager-1", Permissions(hidden=True))
    assert gateway.permissions("consult-1", "manager-1").hidden
    await gateway.transfer_sip("consult-1", "manager-1", f"tel:{NUMBER}")
    assert gateway.transfers == [("consult-1", "manager-1", f"tel:{NUMBER}")]
    assert list(await gateway.list_participants("consult-1")) == []
