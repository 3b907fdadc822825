"""The phone line's set-up on both gateways: only what is missing is made."""

from __future__ import annotations

from dataclasses import replace

from calls.telephony.gateway import Gateway
from calls.telephony.setup import PhoneLine, apply, plan

LINE = PhoneLine(
    installation="setup",
    agent_name="patchbay-setup",
    address="sip.example.com",
    shown_numbers=("+12025550179",),
    dialled_numbers=("+12025550178", "+12025550177"),
)


async def test_only_what_is_missing_is_made(gateway: Gateway) -> None:
    first = await plan(gateway, LINE)
    assert first.missing == ("outbound trunk", "inbound trunk", "dispatch rule")
    made = await apply(gateway, first)
    assert made.missing == ()
    again = await plan(gateway, LINE)
    assert again == made
    assert await apply(gateway, again) == made
    rule = next(rule for rule in await gateway.list_dispatch_rules() if rule.id == made.rule_id)
    assert (rule.room_prefix, rule.agent_names, rule.trunk_ids) == (
        "call-",
        ("patchbay-setup",),
        (made.inbound_id,),
    )
    other = replace(LINE, installation="another", dialled_numbers=("+12025550176",))
    assert (await plan(gateway, other)).missing == first.missing  # what another installation made is not ours
