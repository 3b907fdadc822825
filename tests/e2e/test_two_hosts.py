"""Two hosts with a web, a worker, a clock and an agent server each, and one of each killed in one transfer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from calls.agents import tracing
from config.env import ROOT
from tests.hosts import two_hosts

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.long,
    pytest.mark.timeout(420),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can make network namespaces"),
]


@pytest.fixture(scope="module")
def told() -> Iterator[dict[str, Any]]:
    """What happened, told by the first host."""
    with two_hosts() as (one, two):
        places = [f"{host.name},{host.namespace},{host.address}" for host in (one, two)]
        argv = one.argv(sys.executable, "-m", "tests.two_hosts", *places)
        done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False, timeout=400)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-6000:]
        yield json.loads(done.stdout.splitlines()[-1])


def test_the_transfer_ends_joined_and_nobody_is_left(told: dict[str, Any]) -> None:
    assert told["merged"] == "merged"
    assert (told["ended"], told["end_reason"], told["caller_state"]) == ("completed", "connected", "inactive")
    assert len(told["killed"]) == 3


def test_probes_tell_the_dead_from_the_living(told: dict[str, Any]) -> None:
    assert told["alive"]["worker"]
    assert told["ready"] == {"host-1": False, "host-2": True}


def test_all_spans_of_the_transfer_are_under_one_root(told: dict[str, Any]) -> None:
    transfer = UUID(told["transfer"])
    spans = [span for span in told["spans"] if span["context"]["trace_id"] == f"0x{transfer.hex}"]
    roots = [span for span in spans if span["parent_id"] is None]
    assert [root["name"] for root in roots] == [tracing.ROOT_NAME]
    root_id = roots[0]["context"]["span_id"]
    assert {span["parent_id"] for span in spans if span["parent_id"]} == {root_id}
    services = {span["resource"]["attributes"]["service.name"] for span in spans}
    assert services >= {"patchbay-web", "patchbay-agents"}
    assert services & {"patchbay-worker", "patchbay-clock"}
    names = {span["name"] for span in spans}
    phases = {"approval", "until_dial", "hold", "ring", "consultation", "join", "conversation"}
    assert {"request", "directive hold", "directive merge", "report manager_decision"} <= names
    assert phases <= names


def test_the_web_that_is_left_tells_of_both_hosts(told: dict[str, Any]) -> None:
    assert 'patchbay_processes_alive{role="worker"} 1.0' in told["metrics"]
    assert 'patchbay_processes_alive{role="clock"} 2.0' in told["metrics"]
    assert 'patchbay_calls_live{caller_with="manager"} 1.0' in told["metrics"]


def test_lines_are_json_with_ids_and_name_nobody(told: dict[str, Any]) -> None:
    ours = [line for line in told["log_lines"] if line.startswith("{")]
    read = [json.loads(line) for line in ours]
    assert all({"time", "level", "logger", "message"} <= set(line) for line in read)
    assert not [line for line in told["log_lines"] if "+1202" in line or "Dana" in line]
