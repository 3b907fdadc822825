"""Phones of SIPp, one process each: what they do is a scenario, their sound is an `Rtp` of the test."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import tempfile
from pathlib import Path

from config.launcher import state
from tests.sip.rtp import Rtp

SCENARIOS = Path(__file__).parent / "scenarios"
AT_MOST_S = 120
HOST = "127.0.0.1"


class Phone:
    """`scenario` is a file's name; `words` are what stands in brackets in it. One call, then it ends."""

    def __init__(self, scenario: str, **words: str) -> None:
        self.sound = Rtp()
        self.port = state.any_port(set(), udp=True)
        self._scenario, self._words = scenario, words
        self._folder = Path(tempfile.mkdtemp(prefix="patchbay-sipp-"))
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self, *, calls: str = "") -> Phone:
        """Wait for a call, or place one to `calls` (host:port)."""
        await self.sound.open()
        binary = shutil.which("sipp")
        assert binary
        command = [binary, *([calls] if calls else []), "-sf", str(self._written())]
        command += ["-i", HOST, "-p", str(self.port), "-m", "1", "-nostdin", "-timeout", str(AT_MOST_S)]
        command += ["-trace_err", "-error_file", str(self._folder / "errors.log")]
        self._process = subprocess.Popen(  # noqa: ASYNC220 - it has to be there before the call
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        if not calls:
            await self._listens()
        return self

    def _written(self) -> Path:
        """The scenario with this phone's own words: SIPp takes none in its times."""
        text = (SCENARIOS / f"{self._scenario}.xml").read_text()
        for name, value in (self._words | {"sound": str(self.sound.port)}).items():
            text = text.replace(f"[{name}]", value)
        path = self._folder / f"{self._scenario}.xml"
        path.write_text(text)
        return path

    async def _listens(self) -> None:
        async with asyncio.timeout(10):
            while state.free(self.port, udp=True):  # noqa: ASYNC110 - another process tells nobody
                await asyncio.sleep(0.02)

    async def ended(self) -> str:
        """What went otherwise than the scenario says; empty if nothing did."""
        assert self._process
        code = await asyncio.to_thread(self._process.wait, AT_MOST_S)
        errors = self._folder / "errors.log"
        return f"{code}: {errors.read_text() if errors.exists() else ''}" if code else ""

    async def close(self) -> None:
        if self._process and self._process.poll() is None:
            self._process.kill()
            await asyncio.to_thread(self._process.wait)
        await self.sound.close()
        shutil.rmtree(self._folder, ignore_errors=True)
