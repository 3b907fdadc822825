"""Running products: one with speech for all of these tests, and for a module one without, where that is enough."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.floor import SCRIPTED, Caller, Floor
from tests.product import Product


@pytest.fixture(scope="session")
def product() -> Iterator[Product]:
    """With demo data and simulated phones, without the demo's callers."""
    with Product("--demo", "--quiet") as running:
        yield running


@pytest.fixture(scope="module")
def house(request: pytest.FixtureRequest) -> Iterator[Product]:
    """The same without speech; with the settings by which a module parametrises it."""
    with Product("--demo", "--quiet", env=SCRIPTED | getattr(request, "param", {})) as running:
        yield running


@pytest.fixture
def floor(house: Product) -> Iterator[Floor]:
    made = Floor(house)
    made.everybody_is_free()
    yield made
    made.close()


@pytest.fixture
def caller(floor: Floor) -> Caller:
    return floor.calls_in("Billing")
