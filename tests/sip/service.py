"""livekit-sip beside a livekit-server: on loopback, for the time of a test run."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import yaml

from config.launcher import state
from config.launcher.children import Child
from config.launcher.commands import Command
from config.launcher.state import write_private
from tests.livekit import wait_for

HOST = "127.0.0.1"


class SipService:
    """From `start` to `stop`. It finds its livekit-server through the Valkey that both use."""

    def __init__(self, *, url: str, key: str, secret: str, valkey_port: int, valkey_password: str) -> None:
        self.port = state.any_port(set(), udp=True)
        self._folder = Path(tempfile.mkdtemp(prefix="patchbay-sip-"))
        (self._folder / "logs").mkdir()
        first = state.any_port({self.port}, udp=True)
        config = {
            "api_key": key,
            "api_secret": secret,
            "ws_url": url,
            "redis": {"address": f"{HOST}:{valkey_port}", "password": valkey_password},
            "sip_port": self.port,
            "rtp_port": f"{first}-{first + 400}",
            "nat_1_to_1_ip": HOST,
            "listen_ip": HOST,
            "use_external_ip": False,
            "max_cpu_utilization": 1,  # it takes no call on a busy machine otherwise
            "logging": {"level": "debug"},
        }
        path = self._folder / "sip.yaml"
        write_private(path, yaml.safe_dump(config))
        binary = shutil.which("livekit-sip")
        assert binary
        command = Command("livekit-sip", (binary, "--config", str(path)), bare=True)
        self._child = Child(command, logs=self._folder / "logs", env=dict(os.environ))

    @property
    def address(self) -> str:
        return f"{HOST}:{self.port}"

    @property
    def log(self) -> str:
        return "".join(one.read_text(errors="replace") for one in (self._folder / "logs").iterdir())

    def start(self) -> SipService:
        self._child.start()
        wait_for(lambda: "service ready" in self.log, "livekit-sip")
        return self

    def stop(self) -> None:
        self._child.terminate()
        self._child.finish(10)
        shutil.rmtree(self._folder, ignore_errors=True)
