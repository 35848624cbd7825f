"""A server knows whether its TURN works, and since when."""

import asyncio
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from tests.turn.server import Coturn, settings
from tests.turn.test_coturn import coturn, needs_turnserver  # noqa: F401 -- a fixture
from turn.credentials import TurnCredentials
from turn.settings import TurnSettings
from turn.watch import TurnWatch


def watching(ours: TurnSettings) -> TurnWatch:
    return TurnWatch(TurnCredentials(ours, lambda: datetime.now(UTC)))


@needs_turnserver
async def test_an_allocation_tells_that_turn_works_and_how_fast(coturn: Coturn) -> None:  # noqa: F811 -- the fixture
    watch = watching(coturn.settings)
    await watch.look()
    assert watch.trouble is None
    assert watch.seconds is not None and watch.seconds > 0
    assert watch.age < 5


@needs_turnserver
async def test_a_refusal_is_said_without_the_secret(coturn: Coturn) -> None:  # noqa: F811 -- the fixture
    watch = watching(coturn.settings.model_copy(update={"secrets": [SecretStr("another secret")]}))
    await watch.look()
    assert watch.trouble is not None and "401" in watch.trouble
    assert "another secret" not in watch.trouble
    assert watch.seconds is None


async def test_a_server_that_is_away_is_named(unused_udp_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("turn.probe.SECONDS", 0.3)
    watch = watching(settings(unused_udp_port))
    await watch.look()
    assert watch.trouble is not None and "does not answer" in watch.trouble


async def test_without_turn_there_is_nothing_to_watch() -> None:
    watch = watching(TurnSettings())
    async with asyncio.timeout(60):
        await watch.run()
    assert (watch.trouble, watch.age) == (None, 0.0)
