"""A client that a generator makes from the description works against the running console."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone

from tests.browser import Console
from tests.keys import key
from tests.world import Story, World
from transfers.models import Manager, Policy, Presence
from transfers.states import TransferState

PACKAGE = "patchbay_client"


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The package, generated from the description as the console serves it, on the path of modules."""
    where = tmp_path_factory.mktemp("client")
    (where / "openapi.json").write_bytes(Client().get("/api/v1/openapi.json").content)
    (where / "config.yml").write_text(f"package_name_override: {PACKAGE}\npost_hooks: []\n")
    generator = str(Path(sys.executable).parent / "openapi-python-client")
    options = ("--path", "openapi.json", "--config", "config.yml", "--meta", "none", "--output-path", PACKAGE)
    made = subprocess.run(
        [generator, "generate", "--fail-on-warning", *options],
        cwd=where,
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    sys.path.insert(0, str(where))
    yield where / PACKAGE
    sys.path.remove(str(where))


def part(name: str) -> Any:
    return import_module(f"{PACKAGE}.{name}")


def test_a_generated_client_lists_asks_approves_cancels_and_sets_presence(
    world: World, generated: Path, console: Console
) -> None:
    world.at = timezone.now()  # the console has a clock of its own
    story = Story(world, approval=Policy.Approval.APPROVE)
    _, secret = key(story.where)
    models = part("models")
    client = part("client").AuthenticatedClient(
        base_url=console.url, token=secret, raise_on_unexpected_status=True
    )

    calls = part("api.calls.list_calls").sync(client=client)
    assert [call.id for call in calls.items] == [story.call.pk]
    assert calls.items[0].caller == "+12025550144"

    ask = models.Ask(reason="charged twice", department_id=story.where.pk)
    request = part("api.transfers.request_transfer").sync
    asked = request(story.call.pk, client=client, body=ask, idempotency_key="one")
    assert isinstance(asked.id, UUID)
    assert asked.waits_for_approval
    again = request(story.call.pk, client=client, body=ask, idempotency_key="one")
    assert again.id == asked.id

    refused = request(story.call.pk, client=client, body=ask, idempotency_key="two")
    assert isinstance(refused, models.ProblemDetails)
    assert (refused.status, refused.type_) == (409, "urn:patchbay:problem:refused")

    approve = models.Approve(seen_version=asked.version)
    approved = part("api.transfers.approve_transfer").sync(asked.id, client=client, body=approve)
    assert approved.approved
    world.at = timezone.now()
    world.settle()
    ringing = part("api.transfers.get_transfer").sync(asked.id, client=client)
    assert ringing.state == TransferState.CONNECTING
    assert ringing.attempts[0].manager == "Dana"

    part("api.transfers.cancel_transfer").sync(asked.id, client=client)
    world.at = timezone.now()
    world.settle()
    listed = part("api.transfers.list_transfers").sync(client=client, call_id=story.call.pk)
    assert [(row.id, row.state) for row in listed.items] == [(asked.id, TransferState.CANCELLED)]

    omar = story.people["Omar"]
    away = models.SetPresence(presence=models.SetPresencePresence.AWAY, reason="lunch")
    changed = part("api.presence.set_presence").sync(omar.pk, client=client, body=away)
    assert (changed.presence, Manager.objects.get(pk=omar.pk).presence) == (Presence.AWAY, Presence.AWAY)
