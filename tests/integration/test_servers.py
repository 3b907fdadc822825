"""The tests' own servers are the real ones."""

from __future__ import annotations

import pytest
import redis
from django.conf import settings
from django.db import connection
from redis.backoff import NoBackoff
from redis.retry import Retry


@pytest.mark.django_db
def test_the_database_is_postgresql_18_and_migrated() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version_num')::int, to_regclass('calls_call') IS NOT NULL")
        version, migrated = cursor.fetchone()
    assert version >= 180000
    assert migrated


def test_valkey_answers_only_with_its_password() -> None:
    redis.Redis.from_url(settings.VALKEY_URL).ping()
    port = settings.VALKEY_URL.rsplit(":", 1)[1].split("/")[0]
    with pytest.raises(redis.AuthenticationError):
        redis.Redis(port=int(port), retry=Retry(NoBackoff(), 0)).ping()
