"""Starts the servers before Django's settings are read, and stops them after the last test."""

from __future__ import annotations

import os

import pytest

from tests.servers import Servers

_servers = Servers()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Before pytest-django sets Django up (it does that last of all)."""
    config.add_cleanup(_servers.stop)
    _servers.start()
    os.environ.update(_servers.environment)
    from django.conf import settings

    from config import celery  # noqa: F401 - as every process of the product has it

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
