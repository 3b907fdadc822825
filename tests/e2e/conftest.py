"""One running product for all of these tests: with demo data and simulated phones, without the demo's callers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.product import Product


@pytest.fixture(scope="session")
def product() -> Iterator[Product]:
    with Product("--demo", "--quiet") as running:
        yield running
