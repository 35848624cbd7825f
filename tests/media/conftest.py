"""Fixtures of the relay's tests."""

from collections.abc import AsyncIterator

import pytest

from tests.media.client import Client
from tests.media.simulation import Simulation


@pytest.fixture
async def simulation() -> AsyncIterator[Simulation]:
    """A router with one open room for three, under a simulated clock."""
    made = Simulation()
    made.open(capacity=3)
    yield made
    await made.router.close()


@pytest.fixture
async def pair(simulation: Simulation) -> tuple[Client, Client]:
    """Alice and Bob, connected."""
    return simulation.join("alice"), simulation.join("bob")
