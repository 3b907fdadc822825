from __future__ import annotations

import pytest

from calls.telephony.gateway import DialRequest, InlineTrunk, StoredTrunk
from calls.telephony.sip_address import what_to_dial

STORED = StoredTrunk(id="ST_1", sip_number="+12025550199", headers={"X-Account": "7"})
INLINE = InlineTrunk(hostname="sip.example.com", sip_number="+12025550199", username="me", password="secret")


def dialled(to: str, trunk: StoredTrunk | InlineTrunk = STORED) -> tuple[str, StoredTrunk | InlineTrunk]:
    return what_to_dial(DialRequest(room="r", identity="i", to=to, trunk=trunk))


def test_a_number_is_dialled_over_its_trunk() -> None:
    assert dialled("+12025550101") == ("+12025550101", STORED)


def test_a_sip_address_is_its_user_over_a_trunk_to_its_host() -> None:
    to, trunk = dialled("sip:dana@pbx.example.com:5070")
    assert to == "dana"
    assert trunk == InlineTrunk(
        hostname="pbx.example.com:5070", sip_number="+12025550199", headers={"X-Account": "7"}
    )


@pytest.mark.parametrize(
    ("address", "transport"),
    [
        ("sip:dana@pbx.example.com", "auto"),
        ("sip:dana@pbx.example.com;transport=tcp", "tcp"),
        ("sip:dana@pbx.example.com;Transport=UDP;user=phone", "udp"),
        ("sip:dana@pbx.example.com;transport=ws", "auto"),
        ("sips:dana@pbx.example.com;transport=tcp", "tls"),
    ],
)
def test_the_address_says_which_transport(address: str, transport: str) -> None:
    trunk = dialled(address)[1]
    assert isinstance(trunk, InlineTrunk)
    assert trunk.transport == transport


def test_a_trunk_s_log_in_goes_to_its_own_host_only() -> None:
    own, other = dialled("sip:dana@sip.example.com", INLINE)[1], dialled("sip:dana@pbx.example.com", INLINE)[1]
    assert isinstance(own, InlineTrunk)
    assert isinstance(other, InlineTrunk)
    assert (own.username, own.password) == ("me", "secret")
    assert (other.username, other.password) == ("", "")
