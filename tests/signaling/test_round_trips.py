"""What opening a link asks of PostgreSQL and Redis, counted between them and the server: both are a network away."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC
from pathlib import Path

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from rooms.settings import RoomsSettings
from signaling.redis import connect
from signaling.settings import SignalingSettings
from tests.rooms import bao as bao_servers
from tests.rooms import postgres as postgres_servers
from tests.rooms.round_trips import Counted, before_postgres, before_redis, counting
from tests.signaling.conftest import Server, furnish, serving

AGAIN = 12
"""A duty that goes by the clock may ask something at the same moment, but hardly each time."""


class Counts:
    """Those of the database and of Redis."""

    def __init__(self, postgres: Counted, redis: Counted) -> None:
        self._postgres, self._redis = postgres, redis

    async def least(self, work: Callable[[], Awaitable[object]]) -> tuple[int, int]:
        """Of PostgreSQL and of Redis, by the one of several times in which nothing else was asked."""
        seen = []
        for _ in range(AGAIN):
            before = self._postgres.trips, self._redis.trips
            await work()
            seen.append((self._postgres.trips - before[0], self._redis.trips - before[1]))
        return min(seen, key=sum)


@pytest.fixture(scope="module")
def postgres() -> AsyncIterator[postgres_servers.Postgres]:
    if postgres_servers.binaries() is None:
        pytest.skip("NOT TESTED ON POSTGRESQL: install the package postgresql")
    with postgres_servers.running() as running:
        yield running


@pytest.fixture(scope="module")
def bao() -> AsyncIterator[bao_servers.Bao]:
    with bao_servers.running() as running:
        yield running


@pytest.fixture
async def counted(
    tmp_path: Path, redis: Redis, redis_address: str, postgres: postgres_servers.Postgres, bao: bao_servers.Bao
) -> AsyncIterator[tuple[Server, Counts]]:
    with (
        before_postgres(postgres.socket) as (place, database),
        before_redis(Path(redis_address.removeprefix("unix://"))) as (path, cache),
    ):
        rooms = RoomsSettings(
            data=tmp_path / "data",
            trust_clock=True,
            database_url=SecretStr(counting(postgres.new_database(), place)),
            keystore_url=SecretStr(counting(postgres.new_database(migrated=False), place)),
            transit=bao.transit(tmp_path),
        )
        await furnish(rooms)
        client = connect(f"unix://{path}")
        async with serving(rooms, client, SignalingSettings(), UTC) as server:
            yield server, Counts(database, cache)
        await client.aclose()


async def test_opening_a_link(counted: tuple[Server, Counts]) -> None:
    server, counts = counted
    appointment = await server.appoint(server.alice)
    link = {"link": appointment.id + appointment.secret}

    async def join() -> None:
        assert (await server.call("POST", "/api/v1/join", link)).status == 200

    assert await counts.least(join) == (3, 0), "the rows, the keys, the entry in the audit trail"
    assert [entry.act async for entry in server.store.audit.entries()] == ["link-opened"] * AGAIN
    assert (await server.store.audit.verify()).bad is None
