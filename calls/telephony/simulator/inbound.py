"""How LiveKit's SIP service takes a caller in: inbound trunk, dispatch rule, room, identity, attributes.

After `MatchTrunk` and `EvaluateDispatchRule` of livekit/protocol, for trunks without PIN and password.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from livekit import api
from livekit.protocol import sip

from calls.telephony.simulator import ids

CARRIER_HOST = "carrier.invalid"


@dataclass(frozen=True)
class Admission:
    """The room to make or join, and as whom."""

    room: str
    identity: str
    name: str
    metadata: str
    attributes: dict[str, str]
    config: api.RoomConfiguration

    def token(self, key: str, secret: str) -> str:
        grants = api.VideoGrants(room_join=True, room=self.room, can_update_own_metadata=True)
        token = api.AccessToken(key, secret).with_identity(self.identity).with_name(self.name)
        token = token.with_metadata(self.metadata).with_attributes(self.attributes).with_grants(grants)
        return token.with_kind("sip").with_room_config(self.config).to_jwt()


def match(
    trunks: Sequence[sip.SIPInboundTrunkInfo],
    rules: Sequence[sip.SIPDispatchRuleInfo],
    *,
    dialled: str,
    caller: str,
) -> tuple[sip.SIPInboundTrunkInfo, sip.SIPDispatchRuleInfo] | None:
    """The trunk of the dialled number (or of every number) and its rule (or the one of every trunk)."""
    trunk = next((one for one in trunks if dialled in one.numbers), None)
    trunk = trunk or next((one for one in trunks if not one.numbers), None)
    if trunk is None:
        return None
    fitting = [rule for rule in rules if _fits(rule, dialled=dialled, caller=caller)]
    own = (rule for rule in fitting if trunk.sip_trunk_id in rule.trunk_ids)
    rule = next(own, None) or next((rule for rule in fitting if not rule.trunk_ids), None)
    return (trunk, rule) if rule else None


def _fits(rule: sip.SIPDispatchRuleInfo, *, dialled: str, caller: str) -> bool:
    to_others = bool(rule.numbers) and dialled not in rule.numbers
    from_others = bool(rule.inbound_numbers) and caller not in rule.inbound_numbers
    return not to_others and not from_others


def admit(
    trunk: sip.SIPInboundTrunkInfo, rule: sip.SIPDispatchRuleInfo, *, dialled: str, caller: str
) -> Admission:
    """A rule that hides numbers keeps all of them out: identity, name, room and every number's attribute."""
    shown, identity = caller, f"sip_{caller}"
    attributes = dict(rule.attributes)
    if rule.hide_phone_number:
        shown = caller[-4:]
        identity = f"sip_{hashlib.sha256(caller.encode()).hexdigest()[:16]}"
    else:
        attributes |= {
            "sip.phoneNumber": caller,
            "sip.hostname": CARRIER_HOST,
            "sip.trunkPhoneNumber": dialled,
        }
    attributes |= {
        "sip.callID": ids.new("SCL_"),
        "sip.trunkID": trunk.sip_trunk_id,
        "sip.ruleID": rule.sip_dispatch_rule_id,
        "sip.callIDFull": f"{ids.new('')}@{CARRIER_HOST}",
        "sip.callTag": ids.new(""),
        "sip.callStatus": "active",
    }
    return Admission(
        room=_room(rule.rule, shown=shown, dialled=dialled),
        identity=identity,
        name=f"Phone {shown}",
        metadata=rule.metadata,
        attributes=attributes,
        config=rule.room_config,
    )


def add_metadata(config: api.RoomConfiguration, more: Mapping[str, str]) -> None:
    """To the JSON object that the rule's room has for metadata."""
    config.metadata = json.dumps(json.loads(config.metadata or "{}") | dict(more))


def _room(rule: sip.SIPDispatchRule, *, shown: str, dialled: str) -> str:
    if rule.HasField("dispatch_rule_direct"):
        return rule.dispatch_rule_direct.room_name
    if rule.HasField("dispatch_rule_callee"):
        callee = rule.dispatch_rule_callee
        return _joined(callee.room_prefix, dialled, random=callee.randomize)
    individual = rule.dispatch_rule_individual
    return _joined(individual.room_prefix, shown, random=not individual.no_randomness)


def _joined(prefix: str, number: str, *, random: bool) -> str:
    return "_".join([*([prefix] if prefix else []), number, *([ids.new("")] if random else [])])
