"""What LiveKit has to keep for phone calls: an outbound trunk, an inbound trunk and a rule that starts our agent.

`plan` looks and says what is there and what is missing; `apply` makes that and nothing else. What we make carries
our mark, the installation's id in its metadata, and only that is ever changed: two installations, and whatever
somebody made by hand, may share one LiveKit.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from calls.agents.protocol import DispatchMetadata
from calls.telephony.gateway import CallerRule, DispatchRuleInfo, Gateway, TrunkInfo

ROOM_PREFIX = "call-"
MARK = "patchbay"


class Part(StrEnum):
    OUTBOUND = "outbound trunk"
    INBOUND = "inbound trunk"
    RULE = "dispatch rule"


class State(StrEnum):
    EXISTS = "exists"
    CREATE = "would create"
    UPDATE = "would update"
    MISSING = "missing"  # and we were not told what to make
    NOT_OURS = "not ours"  # somebody else's is in its place, or is only there


@dataclass(frozen=True)
class PhoneLine:
    """The line to set up. Numbers are in E.164; `address` is the carrier's host, with a port if need be.

    What is empty stays as it is where there is one, and is missing where there is none. `outbound_id` and
    `inbound_id` name trunks of somebody else's making that are to be used as they are.
    """

    installation: str
    agent_name: str
    address: str = ""
    shown_numbers: tuple[str, ...] = ()  # managers see one of these when they are called
    dialled_numbers: tuple[str, ...] = ()  # callers dial these
    username: str = ""
    password: str = field(default="", repr=False)
    password_is_new: bool = False  # for a server that does not tell the old one
    allowed_addresses: tuple[str, ...] = ()  # where callers may come from; none: from anywhere
    outbound_id: str = ""
    inbound_id: str = ""

    @property
    def outbound_name(self) -> str:
        return f"Patchbay {self.installation} outbound"

    @property
    def inbound_name(self) -> str:
        return f"Patchbay {self.installation} inbound"

    @property
    def rule_name(self) -> str:
        return f"Patchbay {self.installation} callers"

    @property
    def mark(self) -> str:
        return json.dumps({MARK: self.installation})

    def owns(self, trunk: TrunkInfo, name: str) -> bool:
        """By our mark; earlier versions left none, and are known by their whole name."""
        return _marked(trunk.metadata) == self.installation if trunk.metadata else trunk.name == name


@dataclass(frozen=True)
class Item:
    """One thing on LiveKit. `says` is what it is or what would change, `do` what a person can do."""

    part: Part
    state: State
    id: str = ""
    name: str = ""
    says: str = ""
    do: str = ""
    numbers: tuple[str, ...] = ()  # of a trunk that is there
    changes: Mapping[str, Any] = field(default_factory=dict, repr=False)  # a password may be among them


@dataclass(frozen=True)
class Plan:
    """What LiveKit has of a line by now, and what else it has."""

    line: PhoneLine
    outbound: Item
    inbound: Item
    rule: Item
    others: tuple[Item, ...] = ()

    @property
    def items(self) -> tuple[Item, ...]:
        return (self.outbound, self.inbound, self.rule)

    @property
    def missing(self) -> tuple[str, ...]:
        """The parts that are not there as they are wanted."""
        return tuple(item.part for item in self.items if item.state != State.EXISTS)

    @property
    def outbound_id(self) -> str:
        return self.outbound.id

    @property
    def inbound_id(self) -> str:
        return self.inbound.id

    @property
    def rule_id(self) -> str:
        return self.rule.id


async def plan(gateway: Gateway, line: PhoneLine) -> Plan:
    """Raises GatewayError. Changes nothing."""
    outbound, inbound, rules = await asyncio.gather(
        gateway.list_outbound_trunks(), gateway.list_inbound_trunks(), gateway.list_dispatch_rules()
    )
    one, two = _outbound(line, outbound), _inbound(line, inbound)
    three = _rule(line, rules, two)
    mine = {item.id for item in (one, two, three) if item.state != State.NOT_OURS}
    others = [
        Item(part, State.NOT_OURS, other.id, other.name)
        for part, found in ((Part.OUTBOUND, outbound), (Part.INBOUND, inbound), (Part.RULE, rules))
        for other in found
        if other.id not in mine
    ]
    return Plan(line, one, two, three, tuple(others))


async def apply(gateway: Gateway, wanted: Plan) -> Plan:
    """Make and mend what the plan says, and answer with what is there then. Raises GatewayError."""
    line = wanted.line
    outbound, inbound, rule = wanted.items
    if outbound.state == State.CREATE:
        await gateway.create_outbound_trunk(
            name=line.outbound_name,
            address=line.address,
            numbers=line.shown_numbers,
            username=line.username,
            password=line.password,
            metadata=line.mark,
        )
    elif outbound.state == State.UPDATE:
        await gateway.update_outbound_trunk(outbound.id, metadata=line.mark, **outbound.changes)
    inbound_id = inbound.id
    if inbound.state == State.CREATE:
        inbound_id = await gateway.create_inbound_trunk(
            name=line.inbound_name,
            numbers=line.dialled_numbers,
            allowed_addresses=line.allowed_addresses,
            metadata=line.mark,
        )
    elif inbound.state == State.UPDATE:
        await gateway.update_inbound_trunk(inbound.id, metadata=line.mark, **inbound.changes)
    if rule.state == State.CREATE:
        await gateway.create_dispatch_rule(_caller_rule(line, inbound_id))
    elif rule.state == State.UPDATE:
        await gateway.update_dispatch_rule(rule.id, _caller_rule(line, inbound_id))
    return await plan(gateway, line)


def _caller_rule(line: PhoneLine, inbound_id: str) -> CallerRule:
    return CallerRule(
        name=line.rule_name,
        trunk_ids=(inbound_id,),
        room_prefix=ROOM_PREFIX,
        room_metadata=json.dumps({MARK: line.installation, "kind": "call"}),
        agent_name=line.agent_name,
        agent_metadata=DispatchMetadata().model_dump_json(exclude_defaults=True),
    )


# ── each part ────────────────────────────────────────────────────────────────────────────────────


def _outbound(line: PhoneLine, found: Sequence[TrunkInfo]) -> Item:
    part = Part.OUTBOUND
    if line.outbound_id:
        return _named(part, line.outbound_id, found)
    mine = next((trunk for trunk in found if line.owns(trunk, line.outbound_name)), None)
    if mine is None:
        if line.address and line.shown_numbers:
            says = f"to {line.address}, showing {', '.join(line.shown_numbers)}"
            return Item(part, State.CREATE, name=line.outbound_name, says=says)
        do = "Give --host and --number of your carrier, or --outbound-trunk ST_… to use one that is there."
        return Item(part, State.MISSING, name=line.outbound_name, says="no manager can be called", do=do)
    changes: dict[str, Any] = {}
    if line.address and line.address != mine.address:
        changes["address"] = line.address
    if line.shown_numbers and not _same(line.shown_numbers, mine.numbers):
        changes["numbers"] = line.shown_numbers
    if line.username and line.username != mine.username:
        changes["username"] = line.username
    told_another = bool(mine.password) and mine.password != line.password  # it may be kept from us
    if line.password and line.username and (line.password_is_new or told_another or "username" in changes):
        changes["password"] = line.password
    return _kept(part, mine, changes, says=f"to {mine.address}")


def _inbound(line: PhoneLine, found: Sequence[TrunkInfo]) -> Item:
    """Numbers are added and never taken away: somebody may have put them there."""
    part = Part.INBOUND
    if line.inbound_id:
        return _named(part, line.inbound_id, found)
    mine = next((trunk for trunk in found if line.owns(trunk, line.inbound_name)), None)
    has = mine.numbers if mine else ()
    more = tuple(number for number in line.dialled_numbers if not _among(number, has))
    taken = next((t for t in found if t is not mine and any(_among(n, t.numbers) for n in more)), None)
    if taken:
        says = f"“{taken.name}” has one of these numbers, and Patchbay did not make it"
        do = f"--inbound-trunk {taken.id} uses it as it is."
        return Item(part, State.NOT_OURS, name=taken.name, says=says, do=do)
    if mine is None:
        if more:
            says = f"for calls to {', '.join(more)}"
            return Item(part, State.CREATE, name=line.inbound_name, says=says)
        do = (
            "Give a department its number in admin, or --inbound-number here, or --inbound-trunk ST_… to use one "
            "that is there."
        )
        return Item(part, State.MISSING, name=line.inbound_name, says="no caller comes in by phone", do=do)
    changes: dict[str, Any] = {"numbers": (*has, *more)} if more else {}
    if line.allowed_addresses and set(line.allowed_addresses) != set(mine.allowed_addresses):
        changes["allowed_addresses"] = line.allowed_addresses
    return _kept(part, mine, changes, says=f"for calls to {', '.join(has) or 'every number'}")


def _rule(line: PhoneLine, found: Sequence[DispatchRuleInfo], inbound: Item) -> Item:
    part, name = Part.RULE, line.rule_name
    if inbound.state in (State.MISSING, State.NOT_OURS):
        return Item(part, State.MISSING, name=name, says="callers reach no AI", do="It needs the inbound trunk.")
    starts_ours = f"starts {line.agent_name}"
    mine = next((rule for rule in found if _marked(rule.room_metadata) == line.installation), None)
    if mine is None:
        return _in_place_of_ours(line, found, inbound) or Item(part, State.CREATE, name=name, says=starts_ours)
    as_wanted = (
        mine.trunk_ids == (inbound.id,)
        and mine.agent_names == (line.agent_name,)
        and mine.room_prefix == ROOM_PREFIX
    )
    if as_wanted:
        return Item(part, State.EXISTS, mine.id, mine.name, starts_ours)
    return Item(part, State.UPDATE, mine.id, mine.name, f"so that it {starts_ours} for that trunk's calls")


def _in_place_of_ours(line: PhoneLine, found: Sequence[DispatchRuleInfo], inbound: Item) -> Item | None:
    """LiveKit has one rule a trunk: one made by hand does if it starts our agent, and else is in the way."""
    there = next((rule for rule in found if inbound.id and inbound.id in rule.trunk_ids), None)
    does = there or next((rule for rule in found if not rule.trunk_ids), None)
    if does and line.agent_name in does.agent_names:
        says = f"starts {line.agent_name}; Patchbay did not make it"
        return Item(Part.RULE, State.EXISTS, does.id, does.name, says)
    if there is None:
        return None
    says = f"“{there.name}” ({there.id}) takes that trunk's calls, and Patchbay did not make it"
    do = f"Let it start the agent {line.agent_name}, or delete it and apply again."
    return Item(Part.RULE, State.NOT_OURS, name=there.name, says=says, do=do)


def _named(part: Part, id: str, found: Sequence[TrunkInfo]) -> Item:
    """A trunk that somebody named: used as it is."""
    trunk = next((trunk for trunk in found if trunk.id == id), None)
    if trunk is None:
        return Item(part, State.MISSING, says=f"LiveKit has no {part} {id}", do="Look for its id on LiveKit.")
    return Item(part, State.EXISTS, trunk.id, trunk.name, "used as it is", numbers=trunk.numbers)


def _kept(part: Part, mine: TrunkInfo, changes: Mapping[str, Any], *, says: str) -> Item:
    if not changes:
        return Item(part, State.EXISTS, mine.id, mine.name, says, numbers=mine.numbers)
    what = ", ".join(name.replace("_", " ") for name in changes)
    return Item(part, State.UPDATE, mine.id, mine.name, f"its {what}", changes=changes)


def _marked(metadata: str) -> str:
    """The installation that a mark names; empty without one."""
    try:
        data = json.loads(metadata) if metadata else {}
    except ValueError:
        return ""
    return str(data.get(MARK, "")) if isinstance(data, dict) else ""


def _bare(number: str) -> str:
    return number.removeprefix("+")  # LiveKit takes a number with and without it for the same


def _among(number: str, numbers: Sequence[str]) -> bool:
    return _bare(number) in {_bare(one) for one in numbers}


def _same(some: Sequence[str], others: Sequence[str]) -> bool:
    return {_bare(one) for one in some} == {_bare(one) for one in others}
