"""Fixtures of the relay's tests."""

from collections.abc import AsyncIterator

import pytest

from tests.media.client import Client
from tests.media.simulation import LIBRARY, Simulation


@pytest.fixture(params=[False, True], ids=["python", "pump"])
async def simulation(request: pytest.FixtureRequest) -> AsyncIterator[Simulation]:
    """A router with one open room for three, under a simulated clock; its plain packets forwarded both ways."""
    if request.param and LIBRARY is None:
        pytest.skip("there is no pump: no C compiler")
    made = Simulation(pumped=request.param)
    made.open(capacity=3)
    yield made
    await made.close()


@pytest.fixture
async def pair(simulation: Simulation) -> tuple[Client, Client]:
    """Alice and Bob, connected."""
    return simulation.join("alice"), simulation.join("bob")
