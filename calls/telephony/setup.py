"""What LiveKit has to keep for phone calls: an outbound trunk, an inbound trunk and a rule that starts our agent.

`plan` looks and says what is missing, `apply` makes only that. Everything is known by its name, which carries
the installation: two installations may share one LiveKit.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass

from calls.agents.protocol import DispatchMetadata
from calls.telephony.gateway import DispatchRuleInfo, Gateway

ROOM_PREFIX = "call-"


@dataclass(frozen=True)
class PhoneLine:
    """The line to set up. Numbers are in E.164; `address` is the carrier's host, with a port if need be."""

    installation: str
    agent_name: str
    address: str
    shown_numbers: tuple[str, ...]  # managers see one of these when they are called
    dialled_numbers: tuple[str, ...]  # callers dial these; none: every number of the line

    @property
    def outbound_name(self) -> str:
        return f"Patchbay {self.installation} outbound"

    @property
    def inbound_name(self) -> str:
        return f"Patchbay {self.installation} inbound"

    @property
    def rule_name(self) -> str:
        return f"Patchbay {self.installation} callers"


@dataclass(frozen=True)
class Plan:
    """What LiveKit has of a line by now; an empty id is missing."""

    line: PhoneLine
    outbound_id: str = ""
    inbound_id: str = ""
    rule_id: str = ""

    @property
    def missing(self) -> tuple[str, ...]:
        parts = {
            "outbound trunk": self.outbound_id,
            "inbound trunk": self.inbound_id,
            "dispatch rule": self.rule_id,
        }
        return tuple(name for name, id in parts.items() if not id)


async def plan(gateway: Gateway, line: PhoneLine) -> Plan:
    """Raises GatewayError."""
    outbound, inbound, rules = await asyncio.gather(
        gateway.list_outbound_trunks(), gateway.list_inbound_trunks(), gateway.list_dispatch_rules()
    )
    inbound_id = next((trunk.id for trunk in inbound if trunk.name == line.inbound_name), "")
    return Plan(
        line=line,
        outbound_id=next((trunk.id for trunk in outbound if trunk.name == line.outbound_name), ""),
        inbound_id=inbound_id,
        rule_id=_rule_of(rules, inbound_id, line.agent_name),
    )


def _rule_of(rules: Sequence[DispatchRuleInfo], inbound_id: str, agent_name: str) -> str:
    ours = (r.id for r in rules if inbound_id and inbound_id in r.trunk_ids and agent_name in r.agent_names)
    return next(ours, "")


async def apply(gateway: Gateway, wanted: Plan) -> Plan:
    """Make what is missing, and answer with everything's id. Raises GatewayError."""
    line = wanted.line
    outbound_id = wanted.outbound_id or await gateway.create_outbound_trunk(
        name=line.outbound_name, address=line.address, numbers=line.shown_numbers
    )
    inbound_id = wanted.inbound_id or await gateway.create_inbound_trunk(
        name=line.inbound_name, numbers=line.dialled_numbers
    )
    rule_id = wanted.rule_id or await gateway.create_dispatch_rule(
        name=line.rule_name,
        trunk_ids=(inbound_id,),
        room_prefix=ROOM_PREFIX,
        metadata=json.dumps({"patchbay": line.installation, "kind": "call"}),
        agent_name=line.agent_name,
        agent_metadata=DispatchMetadata().model_dump_json(exclude_defaults=True),
    )
    return Plan(line=line, outbound_id=outbound_id, inbound_id=inbound_id, rule_id=rule_id)
