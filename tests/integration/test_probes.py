"""What load balancers, kubelets and Prometheus are told, over the app that the web serves them with."""

from __future__ import annotations

import socket
from datetime import timedelta
from typing import Any

import pytest
import redis
from asgiref.testing import ApplicationCommunicator
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder

from calls import probe_app, readiness
from calls.link import shutdown
from calls.models import Owner, OwnerRole
from calls.probe_app import Probes
from calls.timing import now
from config import alive
from config.env import ROOT

TOKEN = "a-token-for-metrics"
HERE, THERE = "127.0.0.1", "192.0.2.7"


async def asked(path: str, *, client: str = THERE, method: str = "GET", **headers: str) -> tuple[int, str]:
    scope: dict[str, Any] = {
        "type": "http",
        "method": method,
        "path": path,
        "client": (client, 1),
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
    }
    probes = Probes(boot="b00t", token=TOKEN)
    assert probes.answers(scope)
    talk = ApplicationCommunicator(probes, scope)
    await talk.send_input({"type": "http.request"})
    start, body = await talk.receive_output(5), await talk.receive_output(5)
    return int(start["status"]), body["body"].decode()


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> readiness.Watch:
    """A process that has not been ready yet."""
    watch = readiness.Watch()
    monkeypatch.setattr(probe_app, "READINESS", watch)
    return watch


def nobody(*_: Any, **__: Any) -> Any:
    raise redis.ConnectionError


async def test_a_living_process_says_which_start_it_is() -> None:
    assert await asked("/healthz") == (200, "ok b00t")
    assert (await asked("/healthz", method="POST"))[0] == 405


@pytest.mark.django_db(transaction=True)
async def test_a_whole_process_is_ready(fresh: readiness.Watch) -> None:
    assert await asked("/healthz/ready") == (200, "database: ok\nmigrations: ok\nvalkey: ok\n")


@pytest.mark.django_db(transaction=True)
async def test_without_its_database_it_is_not(fresh: readiness.Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise OperationalError

    monkeypatch.setattr(readiness, "_database", away)
    status, words = await asked("/healthz/ready")
    assert status == 503
    assert "database: does not answer (OperationalError)" in words


@pytest.mark.django_db(transaction=True)
def test_a_database_of_an_older_version_is_waited_for(fresh: readiness.Watch) -> None:
    recorder = MigrationRecorder(connection)
    names = list(recorder.migration_qs.filter(app="transfers").order_by("id").values_list("name", flat=True))
    for name in names:
        recorder.record_unapplied("transfers", name)
    try:
        found = fresh.look()
    finally:
        for name in names:
            recorder.record_applied("transfers", name)
    assert not found.ready
    missing = list((ROOT / "transfers" / "migrations").glob("0*.py"))
    assert f"migrations: {len(missing)} missing, run `manage.py migrate`" in found.words
    assert fresh.look().ready


@pytest.mark.django_db(transaction=True)
def test_valkey_is_needed_to_begin_and_not_to_go_on(
    fresh: readiness.Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(readiness, "valkey", nobody)
        assert not fresh.look().ready
    assert fresh.look().ready
    monkeypatch.setattr(readiness, "valkey", nobody)
    later = fresh.look()
    assert later.ready
    assert "valkey: does not answer (ConnectionError)" in later.words


@pytest.mark.django_db(transaction=True)
def test_a_process_that_is_stopped_is_sent_nothing_more(
    fresh: readiness.Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutdown, "begun", lambda: True)
    found = fresh.look()
    assert (found.ready, "process: stopping" in found.words) == (False, True)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("asks", "may"),
    [
        ({"client": HERE}, True),
        ({"client": "::1"}, True),
        ({"authorization": f"Bearer {TOKEN}"}, True),
        ({"client": THERE}, False),
        ({"authorization": "Bearer another"}, False),
        ({"authorization": "Bearer"}, False),
        ({"client": HERE, "x_forwarded_for": THERE}, False),
        ({"client": "nowhere"}, False),
    ],
)
async def test_metrics_are_for_this_machine_and_for_who_has_the_token(asks: dict[str, str], may: bool) -> None:
    status, words = await asked("/metrics", **asks)
    assert status == (200 if may else 403)
    assert ("# HELP" in words) == may


@pytest.mark.django_db(transaction=True)
class TestAlive:
    def owner(self, *, silent_s: float = 0, host: str = "") -> None:
        beat = now() - timedelta(seconds=silent_s)
        Owner.objects.create(role=OwnerRole.WORKER, host=host or socket.gethostname(), pid=1, beat_at=beat)

    @pytest.fixture(autouse=True)
    def database(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """That of the tests, which the environment does not name."""
        settings = connection.settings_dict
        url = f"postgresql://{settings['USER']}@/{settings['NAME']}?host={settings['HOST']}"
        monkeypatch.setenv("DATABASE_URL", url)

    def test_a_heartbeat_of_this_host_and_kind_is_life(self) -> None:
        self.owner(silent_s=300)
        assert alive.main(["worker"]) == 1
        self.owner()
        assert alive.main(["worker"]) == 0
        assert alive.main(["clock"]) == 1

    def test_another_hosts_is_not(self) -> None:
        self.owner(host="another")
        assert alive.main(["worker"]) == 1

    def test_a_database_that_is_away_is_no_reason_to_be_restarted(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
        assert alive.main(["worker"]) == 0

    def test_only_known_kinds_are_looked_for(self) -> None:
        with pytest.raises(SystemExit, match="worker, clock"):
            alive.main(["web"])
