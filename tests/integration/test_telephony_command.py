"""`manage.py telephony`: what it says, what it makes, and how it ends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from calls import webhook_trip
from calls.models import Department, Event, NumberRoute
from calls.telephony import loop
from calls.telephony.gateway import Retryable
from calls.telephony.memory import MemoryGateway
from transfers.models import Trunk

pytestmark = pytest.mark.django_db(transaction=True)
OUTBOUND = ("--host", "sip.example.com", "--number", "+1 202 555 0199")


@pytest.fixture
def livekit(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[MemoryGateway]:
    """No webhook ever comes of this one."""
    monkeypatch.setattr(webhook_trip, "WITHIN_S", 0.0)
    settings.PATCHBAY_CONSOLE_URL = "https://console.example.com"
    gateway = MemoryGateway()
    loop.use(gateway)
    yield gateway
    loop.use(None)


@pytest.fixture
def billing() -> Department:
    made = Department.objects.create(name="Billing")
    NumberRoute.objects.create(department=made, number="+12025550150")
    return made


def telephony(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Its exit code, and what it printed."""
    code = 0
    try:
        call_command("telephony", *arguments)
    except SystemExit as end:
        code = int(str(end.code))
    return code, capsys.readouterr().out


def test_an_empty_livekit_lacks_everything(livekit: MemoryGateway, capsys: Any) -> None:
    code, said = telephony(capsys, "plan")
    assert code == 2
    assert [line.split("  ")[0] for line in said.splitlines() if line.startswith("missing")] == ["missing"] * 3
    assert "Give --host and --number" in said
    assert not {name for name in livekit.calls if not name.startswith("list_")}  # it only looked


@pytest.mark.usefixtures("billing")
def test_what_is_planned_is_made_once_with_its_row(livekit: MemoryGateway, capsys: Any) -> None:
    livekit_has = loop.run(
        livekit.create_outbound_trunk(name="Theirs", address="a.example", numbers=["+12025550111"])
    )
    code, said = telephony(capsys, "plan", *OUTBOUND)
    assert code == 2
    assert said.count("would create") == 3
    assert "for calls to +12025550150" in said
    assert f"outbound trunk  “Theirs” ({livekit_has}), left alone" in said

    code, said = telephony(capsys, "apply", *OUTBOUND)
    assert code == 2  # all is made, but no webhook comes
    assert [line.split("  ")[0] for line in said.splitlines()[:3]] == ["created"] * 3
    assert "api_key: APItest" in said
    assert "- https://console.example.com/webhooks/livekit" in said
    trunk = Trunk.objects.get()
    assert (trunk.trunk_id, trunk.sip_number, trunk.is_default) == (
        next(id for id in livekit._outbound if id != livekit_has),
        "+12025550199",
        True,
    )
    assert list(Event.objects.values_list("type", flat=True)) == ["setting.saved"]
    made = {name: n for name, n in livekit.calls.items() if name.startswith(("create_", "update_"))}

    code, said = telephony(capsys, "plan")
    assert code == 0
    assert said.count("exists") == 3
    telephony(capsys, "apply")
    again = {name: n for name, n in livekit.calls.items() if name.startswith(("create_", "update_"))}
    assert again == made | {"create_room": 2}  # the webhook's try
    assert Trunk.objects.count() == 1


@pytest.mark.usefixtures("billing")
def test_as_json_it_says_the_same(livekit: MemoryGateway, settings: Settings, capsys: Any) -> None:
    settings.SIP_AUTH_PASSWORD = "hush-hush"
    arguments = (
        "--json",
        "--username",
        "u",
        *OUTBOUND,
        "--inbound-number",
        "+12025550151",
        "--allow",
        "203.0.113.7",
    )
    code, said = telephony(capsys, "plan", *arguments)
    told = json.loads(said)
    assert (code, told["complete"], told["webhooks"]["arrive"]) == (2, False, None)
    assert [(part["part"], part["state"]) for part in told["parts"]] == [
        ("outbound trunk", "would create"),
        ("inbound trunk", "would create"),
        ("dispatch rule", "would create"),
    ]
    assert "hush-hush" not in said
    code, said = telephony(capsys, "apply", *arguments)
    told = json.loads(said)
    assert (code, told["complete"], told["webhooks"]["arrive"]) == (2, True, False)
    (out,) = livekit._outbound.values()
    (into,) = livekit._inbound.values()
    assert (out.username, out.password) == ("u", "hush-hush")
    assert (into.numbers, into.allowed_addresses) == (("+12025550151", "+12025550150"), ("203.0.113.7",))
    assert "hush-hush" not in said


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--number", "12"), "begin with \\+"),
        (("--host", "sip:carrier.example"), "No sip: in front"),
        (("--allow", "carrier.example"), "--allow takes an IP address"),
        (("--username", "u"), "SIP_AUTH_PASSWORD is not set"),
        (("--new-password",), "SIP_AUTH_PASSWORD is not set"),
    ],
)
def test_an_option_that_cannot_be_is_one_line(livekit: MemoryGateway, arguments: Any, why: str) -> None:
    with pytest.raises(CommandError, match=f"^Patchbay: .*{why}"):
        call_command("telephony", "plan", *arguments)


def test_without_livekit_there_is_one_line(livekit: MemoryGateway) -> None:
    livekit.down = Retryable("LiveKit at 127.0.0.1:1 (LIVEKIT_API_URL) cannot be reached", code="unreachable")
    for action in ("plan", "apply"):
        with pytest.raises(CommandError, match=r"could not be read or set up\. LiveKit at 127.0.0.1:1"):
            call_command("telephony", action)
    assert not Trunk.objects.exists()


def test_a_wrong_address_is_one_line(settings: Settings) -> None:
    settings.LIVEKIT_API_URL = "livekit.example.com"
    loop.use(None)
    with pytest.raises(CommandError, match="LIVEKIT_API_URL must begin with"):
        call_command("telephony", "plan")


def test_a_trunk_of_somebody_else_s_brings_its_number(
    livekit: MemoryGateway, settings: Settings, capsys: Any
) -> None:
    theirs = loop.run(
        livekit.create_outbound_trunk(name="Theirs", address="a.example", numbers=["*", "+12025550111"])
    )
    settings.SIP_TRUNK_ID = theirs
    telephony(capsys, "apply")
    assert (Trunk.objects.get().trunk_id, Trunk.objects.get().sip_number) == (theirs, "+12025550111")


def test_doctor_tries_webhooks_only_when_it_is_told_to(livekit: MemoryGateway, capsys: Any) -> None:
    for arguments, said in ((("doctor",), False), (("doctor", "--webhooks"), True)):
        with pytest.raises(SystemExit):
            call_command(*arguments)
        assert (webhook_trip.NAME in capsys.readouterr().out) == said
    assert livekit.calls["create_room"] == 1


def test_webhooks_alone_are_tried_and_what_to_set_is_printed(
    livekit: MemoryGateway, settings: Settings, capsys: Any
) -> None:
    settings.PATCHBAY_CONSOLE_URL, settings.LIVEKIT_URL = "http://127.0.0.1:8000", "wss://livekit.example.com"
    code, said = telephony(capsys, "webhooks")
    assert code == 2
    assert "name one that LiveKit can reach" in said
    assert livekit._rooms == {}  # the room is gone again
    code, said = telephony(capsys, "webhooks", "--json")
    assert json.loads(said)["webhooks"]["arrive"] is False
