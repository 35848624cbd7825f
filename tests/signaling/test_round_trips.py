"""What coming in asks of PostgreSQL and Redis, counted between them and the server: both are a network away.

Numbers of these are what a join takes on a network, and how many of them a node carries: raise none without a reason.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC
from pathlib import Path
from secrets import token_urlsafe

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from client.wire import Wire
from signaling.limiter import Limit
from signaling.presence import Presence
from signaling.protocol.events import Arrive
from signaling.redis import connect
from signaling.settings import SignalingSettings
from tests.servers import bao as bao_servers
from tests.servers import postgres as postgres_servers
from tests.signaling.conftest import Opening, Server, furnish, serving
from tests.vault.round_trips import Counted, before_postgres, before_redis, counting
from vault.records.scope import Scope
from vault.settings import VaultSettings

AGAIN = 12
"""A duty that goes by the minute may ask something at the same moment, but not each time."""


class Counts:
    """Those of the database and of Redis."""

    def __init__(self, postgres: Counted, redis: Counted) -> None:
        self._postgres, self._redis = postgres, redis

    async def least(self, work: Callable[[], Awaitable[object]]) -> tuple[int, int]:
        """Of PostgreSQL and of Redis: the least of each, of several times in some of which something else was asked."""
        seen = []
        for _ in range(AGAIN):
            before = self._postgres.trips, self._redis.trips
            await work()
            seen.append((self._postgres.trips - before[0], self._redis.trips - before[1]))
        postgres, redis = zip(*seen, strict=True)
        return min(postgres), min(redis)


@pytest.fixture
def postgres_door(postgres: postgres_servers.Postgres) -> Iterator[tuple[Path, Counted]]:
    with before_postgres(postgres.socket) as door:
        yield door


@pytest.fixture
def redis_door(redis: Redis, redis_address: str) -> Iterator[tuple[Path, Counted]]:
    with before_redis(Path(redis_address.removeprefix("unix://"))) as door:
        yield door


@pytest.fixture
def counts(postgres_door: tuple[Path, Counted], redis_door: tuple[Path, Counted]) -> Counts:
    return Counts(postgres_door[1], redis_door[1])


@pytest.fixture
async def server(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    postgres: postgres_servers.Postgres,
    bao: bao_servers.Bao,
    postgres_door: tuple[Path, Counted],
    redis_door: tuple[Path, Counted],
) -> AsyncIterator[Server]:
    """Over databases and a Redis that are each behind a door, without the duties that ask Redis every second."""

    async def rest(_: Presence) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(Presence, "watch", rest)
    monkeypatch.setattr(Presence, "run", rest)
    rooms = VaultSettings(
        data=tmp_path / "data",
        trust_clock=True,
        database_url=SecretStr(counting(postgres.new_database(), postgres_door[0])),
        keystore_url=SecretStr(counting(postgres.new_database(migrated=False), postgres_door[0])),
        transit=bao.transit(tmp_path),
    )
    await furnish(rooms)
    client = connect(f"unix://{redis_door[0]}")
    async with serving(rooms, client, SignalingSettings(), UTC) as running:
        yield running
    await client.aclose()


async def test_opening_a_link(server: Server, counts: Counts) -> None:
    appointment = await server.appoint(server.alice)
    link = {"link": appointment.id + appointment.secret}

    async def join() -> None:
        assert (await server.call("POST", "/api/v1/join", link)).status == 200

    assert await counts.least(join) == (3, 0), "the rows, the keys, the entry in the audit trail"
    assert [entry.act async for entry in server.store.audit.entries()] == ["link-opened"] * AGAIN
    assert (await server.store.audit.verify()).bad is None


async def test_what_is_read_while_waiting(server: Server, counts: Counts) -> None:
    appointment = await server.appoint(server.alice)
    await server.store.sentences.say(Scope.practitioner(server.alice.id), "nl", "Ik kom zo.")
    body = {"link": appointment.id + appointment.secret, "language": "nl"}

    async def read() -> None:
        assert (await server.call("POST", "/api/v1/join/sentence", body)).body == {"text": "Ik kom zo."}

    assert await counts.least(read) == (5, 0), "as for the link, and the sentences with their keys"


@pytest.mark.parametrize("link", ["A" * 44, "", "{id}wrong" + 17 * "x"])
async def test_a_link_that_opens_nothing_asks_for_as_much_whatever_is_wrong(
    server: Server, counts: Counts, monkeypatch: pytest.MonkeyPatch, link: str
) -> None:
    monkeypatch.setattr("signaling.rest.join.JOIN_ADDRESS", Limit("join-address", 10_000, "Links."))
    appointment = await server.appoint(server.alice)

    async def join() -> None:
        answer = await server.call("POST", "/api/v1/join", {"link": link.format(id=appointment.id)})
        assert answer.code == "link_invalid"

    assert await counts.least(join) == (2, 1), "the rows, the keys, and that one try more was made"


@pytest.mark.parametrize(("refresh", "more"), [(False, 0), (True, 1)])
async def test_coming_in(server: Server, counts: Counts, opening: Opening, *, refresh: bool, more: int) -> None:
    planned = [await server.appoint(server.alice) for _ in range(AGAIN)]
    links = iter([{"link": one.id + one.secret, "refresh": refresh} for one in planned])
    inside: list[tuple[str, Wire]] = []

    async def come_in() -> None:
        answer = await server.call("POST", "/api/v1/join", next(links))
        inside.append((answer.body["appointment"], await opening(answer.body["access_token"])))

    why = "whether the link is another since; and a refresh token has a family, which is made and looked at"
    assert await counts.least(come_in) == (3, 1 + 3 * more), why
    arriving = iter(inside)

    async def arrive() -> None:
        appointment, wire = next(arriving)
        await wire.request("arrive", Arrive(appointment=appointment, participant=token_urlsafe(16), take_over=False))

    # With what follows the answer: the list of events, the desk, the other nodes.
    spent = await counts.least(arrive)
    assert spent[0] == 2
    assert spent[1] <= 3 + 4, "the room, the room under watch, the room as it is now"


async def test_a_practitioner_comes_in(server: Server, counts: Counts) -> None:
    appointment = await server.appoint(server.alice)

    async def sign_in() -> None:
        assert (await server.sign_in("alice")).status == 200

    async def join() -> None:
        answer = await server.call("POST", f"/api/v1/appointments/{appointment.id}/join", who="alice")
        assert answer.status == 200

    asked = await counts.least(sign_in)
    assert asked[0] <= 10 and asked[1] <= 7, "three of them: a second factor and its key, and whether they may sign in"
    assert await counts.least(join) == (5, 0), "session, row, key, who and what for the audit trail, its entry"
