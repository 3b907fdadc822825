"""Somebody's own agent beside the running product, as its own process, with what its engineer would set."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config.env import ROOT
from tests.product import Product, agent_server

THEIRS = ("LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET")


@contextmanager
def agent_process(product: Product, script: Path, **env: str) -> Iterator[Path]:
    """Until the end of the block; its log."""
    log = product.state / "logs" / f"{script.stem}.log"
    theirs = {name: product.settings[name] for name in THEIRS}
    theirs |= {"PATCHBAY_CONSOLE_URL": product.url, "PYTHONPATH": str(ROOT), **env}
    program = [str(script), "start", "--log-level", "DEBUG"]
    with agent_server(program, log=log, env=os.environ | theirs, cwd=product.state):
        yield log
