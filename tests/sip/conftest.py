"""Real SIP: livekit-sip and SIPp, where they are on the PATH. Elsewhere these tests are skipped and say so."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from tests.livekit import KEY, SECRET, LiveKitServer
from tests.sip.service import SipService

NEEDED = ("livekit-sip", "sipp")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if not missing:
        return
    reason = f"{' and '.join(missing)} not on the PATH: real SIP is not tried here (docs/telephony.md)"
    for item in items:
        if item.get_closest_marker("sip"):
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def sip_server() -> Iterator[LiveKitServer]:
    server = LiveKitServer()
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(scope="session")
def sip(sip_server: LiveKitServer) -> Iterator[SipService]:
    service = SipService(
        url=sip_server.url,
        key=KEY,
        secret=SECRET,
        valkey_port=sip_server.valkey_port,
        valkey_password=sip_server.valkey_password,
    )
    try:
        yield service.start()
    finally:
        service.stop()
