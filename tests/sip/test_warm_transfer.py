"""The whole product on real SIP: a caller's phone comes in, a manager's phone is called, and the two talk."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator

import pytest
import yaml

from tests.bench.house import Records, records
from tests.floor import SCRIPTED
from tests.product import Product
from tests.sip.rtp import RATE
from tests.sip.service import SipService
from tests.sip.sipp import HOST, Phone
from tests.watching import loudness, until

pytestmark = [pytest.mark.sip, pytest.mark.e2e, pytest.mark.timeout(300)]

SHOWN, DIALLED, CALLER, MANAGER = "+12025550199", "+12025550190", "+12025550141", "+12025550101"
CALLER_HZ, MANAGER_HZ, HEARD = 1000.0, 600.0, 500.0
HOUSE = f"""
from calls.models import NumberRoute
from tests import rows
billing = rows.department("Billing")
rows.manager("Dana", billing)
NumberRoute.objects.create(department=billing, number="{DIALLED}")
"""
ESCALATE = """
from uuid import UUID, uuid4
from transfers.requests import request_transfer
request_transfer(call_id=UUID("{call}"), key=uuid4(), reason="charged twice")
"""
END = """
from uuid import UUID
from calls.services.calls import end_call, locked
from django.db import transaction
with transaction.atomic():
    end_call(locked(UUID("{call}")), reason="test")
"""


@pytest.fixture(scope="module")
def product() -> Iterator[Product]:
    with Product(env=SCRIPTED) as running:
        yield running


@pytest.fixture(scope="module")
def service(product: Product) -> Iterator[SipService]:
    """Beside the product's own livekit-server, through its Valkey."""
    config = yaml.safe_load((product.state / "livekit.yaml").read_text())
    settings = product.settings
    one = SipService(
        url=settings["LIVEKIT_URL"],
        key=settings["LIVEKIT_API_KEY"],
        secret=settings["LIVEKIT_API_SECRET"],
        valkey_port=int(config["redis"]["address"].rpartition(":")[2]),
        valkey_password=config["redis"]["password"],
    )
    try:
        yield one.start()
    finally:
        one.stop()


@pytest.fixture
def found(product: Product) -> Iterator[Records]:
    with records(product) as one:
        yield one


@pytest.fixture
async def manager() -> AsyncIterator[Phone]:
    phone = await Phone("answers").start()
    yield phone
    await phone.close()


@pytest.fixture
async def caller() -> AsyncIterator[Phone]:
    phone = Phone("calls", dialled=DIALLED, shown=CALLER, talks="120000")
    yield phone
    await phone.close()


async def managed(product: Product, *arguments: str) -> str:
    """A management command that goes well; what it said."""
    done = await asyncio.to_thread(product.manage, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


async def test_a_caller_is_warm_transferred_to_a_manager_s_phone(
    product: Product, service: SipService, found: Records, caller: Phone, manager: Phone
) -> None:
    await managed(product, "shell", "-c", HOUSE)
    told = json.loads(
        await managed(
            product, "telephony", "apply", "--json", "--host", f"{HOST}:{manager.port}", "--number", SHOWN
        )
    )
    assert (told["complete"], told["webhooks"]["arrive"]) == (True, True)

    await caller.start(calls=service.address)
    live = "SELECT c.id FROM calls_call c JOIN calls_agentjob j ON j.call_id = c.id WHERE c.state = 'active'"
    await until(lambda: found.one(live), 40)
    call = found.one(live)
    assert (
        found.one("SELECT d.name FROM calls_department d JOIN calls_call c ON c.department_id = d.id") == "Billing"
    )
    await managed(product, "shell", "-c", ESCALATE.format(call=call))
    attempt = "SELECT state FROM transfers_attempt"
    await until(lambda: found.one(attempt) == "summarizing", 40)
    manager.sound.press("1")
    await until(lambda: found.one(attempt) == "merged", 40)

    caller.sound.hz, manager.sound.hz = CALLER_HZ, MANAGER_HZ
    await until(lambda: loudness(manager.sound.last(0.5), CALLER_HZ, RATE) > HEARD, 20)
    await until(lambda: loudness(caller.sound.last(0.5), MANAGER_HZ, RATE) > HEARD, 20)
    assert loudness(caller.sound.last(0.5), CALLER_HZ, RATE) < HEARD  # nobody hears themselves
    assert found.one("SELECT strategy FROM transfers_attempt") == "relay"

    await managed(product, "shell", "-c", END.format(call=call))
    assert (await caller.ended(), await manager.ended()) == ("", "")  # both are hung up on
    assert found.one("SELECT end_reason FROM transfers_transfer") == "connected"
