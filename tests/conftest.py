"""Starts the servers before Django's settings are read, and stops them after the last test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis

from tests.servers import Servers

if TYPE_CHECKING:
    from tests.world import World

_servers = Servers()
# A busy machine is slow, not wrong: no property is judged by the clock.
hypothesis.register_profile("patchbay", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis.load_profile("patchbay")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Before pytest-django sets Django up (it does that last of all)."""
    if config.getoption("numprocesses", None):
        return  # this process only hands tests out; each of those that run them has servers of its own
    config.add_cleanup(_servers.stop)
    _servers.start()
    os.environ.update(_servers.environment)
    from django.conf import settings

    from config import celery  # noqa: F401 - as every process of the product has it
    from tests import emptied

    emptied.install()

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def world(transactional_db: None) -> Iterator[World]:
    """A house whose clock is turned by hand; what must always hold is looked at in the end."""
    from calls.timing import clock_of
    from tests import invariants
    from tests.world import World

    one = World()
    with clock_of(lambda: one.at):
        yield one
    one.close()
    invariants.check(one.server)
