"""A media worker to drive directly, and a whole server."""

import asyncio
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

import pytest
import pytest_asyncio
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from client.media import MediaConnection
from client.rest import Rest
from media.control import Answered, Event, Line, MediaClient, OfferCall, OpenRoom, SlotsChanged
from media.processes import LocalWorkers
from media.settings import MediaSettings
from tests.client.house import House, open_house


@dataclass
class Relay:
    """A room of its own on the worker."""

    client: MediaClient
    worker: str
    room: str
    events: list[Event] = field(default_factory=list)
    joined: dict[str, MediaConnection] = field(default_factory=dict)

    async def join(self, peer: str, media: MediaConnection) -> None:
        """Offer, or offer again."""
        self.joined[peer] = media
        sdp, lines = await media.offer()
        call = OfferCall(room=self.room, fence=1, peer=peer, sdp=sdp, lines=[Line(**line) for line in lines])
        reply = await self.client.call(self.worker, call)
        assert isinstance(reply, Answered)
        await media.answer(reply.sdp)
        media.assign({slot.slot: slot.peer for slot in reply.slots})

    async def listen(self) -> None:
        async for event in self.client.events():
            if event.room != self.room:
                continue
            self.events.append(event)
            if isinstance(event, SlotsChanged) and event.peer in self.joined:
                self.joined[event.peer].assign({slot.slot: slot.peer for slot in event.slots})


@pytest.fixture(scope="session")
def redis_path() -> Iterator[str]:
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed")
    # A Unix socket's path may have 107 bytes: pytest's folders can be longer.
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/redis.sock"
        options = ["--port", "0", "--unixsocket", path, "--save", "", "--appendonly", "no"]
        server = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL)
        yield path
        server.terminate()
        server.wait(10)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def worker(redis_path: str) -> AsyncIterator[tuple[MediaClient, str]]:
    """One worker and who calls it."""
    redis = Redis(unix_socket_path=redis_path)
    async with asyncio.timeout(60):
        while True:
            try:
                await redis.flushall()
            except RedisConnectionError:
                await asyncio.sleep(0.05)
            else:
                break
    secret = secrets.token_bytes(32)
    async with LocalWorkers(MediaSettings(workers=1, port=0), f"unix://{redis_path}", secret) as workers:
        yield MediaClient(redis, secret), workers.workers[0]
    await redis.aclose()


@pytest_asyncio.fixture(loop_scope="session")
async def relay(worker: tuple[MediaClient, str]) -> AsyncIterator[Relay]:
    relay = Relay(*worker, room=secrets.token_urlsafe(16))
    await relay.client.call(relay.worker, OpenRoom(room=relay.room, fence=1))
    listening = asyncio.create_task(relay.listen())
    yield relay
    for media in relay.joined.values():
        await media.close()
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(tmp_path_factory.mktemp("demo")) as house:
        yield house


@pytest.fixture
async def desk(house: House) -> AsyncIterator[Rest]:
    """The practitioner's REST session, signed in."""
    async with Rest(house.url) as rest:
        await rest.sign_in_with_link(house.token)
        yield rest


@pytest.fixture
async def visitor(house: House) -> AsyncIterator[Rest]:
    """Somebody else's."""
    async with Rest(house.url) as rest:
        yield rest
