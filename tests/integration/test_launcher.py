"""The launcher with everything it starts, as `make start` runs it."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from functools import partial

import pytest

from tests.product import Product, gone, until

KILLED = ("worker", "clock-1", "web", "valkey", "livekit")


@pytest.fixture(scope="module")
def product() -> Iterator[Product]:
    with Product() as up:
        yield up


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", KILLED)
def test_a_killed_process_is_back_within_seconds(product: Product, name: str) -> None:
    before = product.kill(name)
    until(lambda: product.pid(name) != before, 2, f"{name} was started again")
    assert product.note["processes"][name]["restarts"] == 1
    until(product.answers, 20, "the console answers")


def test_a_second_terminal_finds_the_running_product(product: Product) -> None:
    done = product.manage("showmigrations", "calls")
    assert done.returncode == 0, done.stderr
    assert "[X] 0001_tables" in done.stdout


@pytest.mark.timeout(300)
def test_a_second_checkout_does_not_collide_and_stopping_it_leaves_nothing_of_it(product: Product) -> None:
    with Product(env={"LOG_LEVEL": "ERROR"}) as other:  # which is up whatever it logs
        ports, others = set(product.note["ports"].values()), set(other.note["ports"].values())
        assert not ports & others
        assert product.answers()
        assert other.answers()
        pids = [child["pid"] for child in other.note["processes"].values()]
        began = time.monotonic()
        assert other.launcher
        other.launcher.send_signal(signal.SIGINT)
        assert other.launcher.wait(15) == 0
        assert time.monotonic() - began < 10
        assert all(gone(pid) for pid in pids)
    assert product.answers()


@pytest.mark.timeout(300)
def test_a_killed_launcher_leaves_nothing(product: Product) -> None:
    """The last of those that need the product."""
    children = {name: child["pid"] for name, child in product.note["processes"].items()}
    assert product.launcher
    product.launcher.kill()
    product.launcher.wait()
    for name, pid in children.items():
        until(partial(gone, pid), 15, f"{name} has ended")


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("setting", "url"),
    [
        ("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none"),
        ("VALKEY_URL", "redis://127.0.0.1:1/0"),
        ("LIVEKIT_URL", "ws://127.0.0.1:1"),
    ],
)
def test_a_server_that_is_not_there_is_one_line_that_names_its_setting(
    setting: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.product.UP_SECONDS", 100.0)
    keys = {"LIVEKIT_API_KEY": "APIsome", "LIVEKIT_API_SECRET": "s" * 40} if setting == "LIVEKIT_URL" else {}
    with pytest.raises(AssertionError) as ended, Product(env={setting: url, **keys}):
        pass
    last = str(ended.value).strip().splitlines()
    (told,) = [line for line in last if line.startswith("Patchbay:")]
    assert "127.0.0.1:1 does not answer" in told
    assert told.endswith(f"Check {setting}.")
