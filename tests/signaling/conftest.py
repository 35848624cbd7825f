"""A whole application on a real port: real storage, real Redis, no media worker. Alice and Bob are practitioners."""

import asyncio
import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import aiohttp
import pytest
from aiohttp import web
from argon2 import PasswordHasher
from redis.asyncio import Redis

from client.wire import Wire
from media.control import MediaClient
from practice.accounts.model import Practitioner
from practice.agenda.model import Appointment
from practice.notices.postman import Postman
from practice.opening import open_storage
from practice.outgoing import Door
from practice.post import Letterbox
from practice.settings import PracticeSettings
from practice.storage import Store
from rooms.consult import new
from rooms.consult_events import Arrive
from rooms.consult_state import PRACTITIONER
from signaling import app, gate, listener
from signaling.gate import SIGNALING
from signaling.mailing import mailers, postman
from signaling.redis import connect
from signaling.redis_child import SOCKET
from signaling.settings import SignalingSettings
from signaling.typedefs import POSTMAN, STORE, ZONE, SignInLink
from tests.opening import of, open_store
from tests.words import assert_in_words
from turn.credentials import TurnCredentials
from turn.settings import TurnSettings
from vault.audit import Draft
from vault.records.scope import SERVER
from vault.settings import VaultSettings
from web import routes as pages

SECRET = b"a secret of the tests, 32 bytes or more"
PASSWORD = "correct horse battery staple"
ROOT = Path(__file__).parents[2]
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
DEMO_TOKEN = "the-token-of-the-demo-link"


@dataclass
class Time:
    """The wall clock, which a test can move."""

    ahead: timedelta = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass
class Answer:
    """What came back."""

    status: int
    body: Any
    headers: Any

    @property
    def code(self) -> str:
        """The stable code of an error."""
        code: str = self.body["error"]["code"]
        return code


@dataclass
class Server:
    """One running application and the people it knows."""

    app: web.Application
    store: Store
    time: Time
    port: int
    alice: Practitioner
    bob: Practitioner
    jars: dict[str, aiohttp.CookieJar] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        return f"http://localhost:{self.port}"

    async def call(
        self, method: str, path: str, body: object = None, *, who: str = "nobody", headers: dict[str, str] | None = None
    ) -> Answer:
        """One request in the browser of ``who``."""
        jar = self.jars.setdefault(who, aiohttp.CookieJar(unsafe=True))
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        sent = {"Origin": self.origin} | ({"Content-Type": "application/json"} if data is not None else {})
        sent |= headers or {}
        sent = {name: value for name, value in sent.items() if value}
        async with (
            aiohttp.ClientSession(cookie_jar=jar) as session,
            session.request(method, f"http://127.0.0.1:{self.port}{path}", data=data, headers=sent) as response,
        ):
            text = await response.text()
            is_json = response.content_type == "application/json"
            return Answer(response.status, json.loads(text) if is_json else text, response.headers)

    async def sign_in(self, who: str) -> Answer:
        return await self.call("POST", "/api/v1/sign-in", {"mail": f"{who}@example.org", "password": PASSWORD}, who=who)

    async def appoint(self, who: Practitioner, minutes_from_now: int = 0, patient: str = "Charlie") -> Appointment:
        starts_at = self.time.now() + timedelta(minutes=minutes_from_now)
        return await self.store.appointments.create(of(who.id), patient, starts_at, 30, "nl")

    async def run(self, appointment: Appointment) -> None:
        """Its consult runs: the practitioner is in it."""
        consults = self.app[SIGNALING].consults
        fresh = new(appointment.id, appointment.owner, self.time.now())
        arrival = Arrive(
            participant="doctor", seat=PRACTITIONER, role="practitioner", socket="a socket", node=consults.node
        )
        await consults.live.transition(appointment.id, arrival, absent=fresh)


@pytest.fixture(scope="session")
def redis_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One private Redis for all tests of this process."""
    folder = tempfile.mkdtemp(prefix="spreekkamer-test-")
    command = [sys.executable, "-m", "signaling.redis_child", folder]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as child:
        assert child.stdin is not None and child.stdout is not None
        assert child.stdout.readline()
        yield f"unix://{folder}/{SOCKET}"
        child.stdin.close()
        child.wait(5)


@pytest.fixture
async def redis(redis_address: str) -> AsyncIterator[Redis]:
    """Empty."""
    client = connect(redis_address)
    await client.flushall()
    yield client
    await client.aclose()


@pytest.fixture(scope="session")
def first_start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder after its first start, with Alice and Bob: migrating it again for each test would take seconds."""
    data = tmp_path_factory.mktemp("first-start") / "data"

    asyncio.run(furnish(VaultSettings(data=data, trust_clock=True)))
    return data


async def furnish(rooms: VaultSettings) -> None:
    """Alice and Bob."""
    async with open_store(rooms) as store:
        store.practitioners._hasher = QUICK
        await store.practitioners.add("alice@example.org", PASSWORD, "Alice", "nl")
        await store.practitioners.add("bob@example.org", PASSWORD, "Bob", "en")


@pytest.fixture
def server_settings() -> SignalingSettings:
    """A test that wants other settings overrides this fixture."""
    return SignalingSettings()


@pytest.fixture
def server_zone() -> tzinfo:
    """The practice's; a test that wants another one overrides this fixture."""
    return UTC


@pytest.fixture
def server_practice() -> PracticeSettings:
    """What it sends, and by whom; a test that wants other settings overrides this fixture."""
    return PracticeSettings()


@contextlib.contextmanager
def every_detail_in_words() -> Iterator[None]:
    """Nothing is entered beside an act that pages would show as a code."""
    checked = Draft.__post_init__

    def in_words(draft: Draft) -> None:
        checked(draft)
        assert_in_words(draft.act, draft.detail)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Draft, "__post_init__", in_words)
        yield


@pytest.fixture
def started(tmp_path: Path, first_start: Path) -> VaultSettings:
    """A copy of it. Made where no loop runs: every call that touches a file is looked into there."""
    shutil.copytree(first_start, tmp_path / "data")
    return VaultSettings(data=tmp_path / "data", trust_clock=True)


@pytest.fixture
async def server(
    started: VaultSettings,
    redis: Redis,
    server_settings: SignalingSettings,
    server_zone: tzinfo,
    server_practice: PracticeSettings,
) -> AsyncIterator[Server]:
    with every_detail_in_words():
        async with serving(started, redis, server_settings, server_zone, practice=server_practice) as running:
            yield running


@contextlib.asynccontextmanager
async def serving(
    rooms: VaultSettings,
    redis: Redis,
    settings: SignalingSettings,
    zone: tzinfo,
    kept: Letterbox | None = None,
    practice: PracticeSettings | None = None,
) -> AsyncIterator[Server]:
    """The application over storage in which Alice and Bob are; with ``kept`` as a sandbox."""
    time = Time()
    async with contextlib.AsyncExitStack() as stack:
        port = listener.bind("127.0.0.1", 0)
        stack.callback(port.close)
        settings = settings.model_copy(update={"port": port.getsockname()[1]})
        live = gate.documents(settings, redis, time.now, SECRET)
        storage = await stack.enter_async_context(
            open_storage(rooms, in_progress=live.are_live, now=time.now, mail=kept is not None)
        )
        storage.practitioners._hasher = QUICK
        alice = await storage.practitioners.by_mail(SERVER, "alice@example.org")
        bob = await storage.practitioners.by_mail(SERVER, "bob@example.org")
        assert alice is not None and bob is not None
        application = app.build(
            settings,
            storage,
            live,
            redis,
            MediaClient(redis, SECRET),
            TurnCredentials(TurnSettings(), time.now),
            time.now,
            secret=SECRET,
            practice=practice,
            sign_in_link=SignInLink(DEMO_TOKEN, alice.id),
            kept=kept,
        )
        pages.attach(application)
        application[ZONE] = lambda: zone
        await stack.enter_async_context(listener.listening(application, port))
        yield Server(application, application[STORE], time, settings.port, alice, bob)


def postman_of(server: Server, settings: PracticeSettings) -> Postman:
    """Who sends notices by the mail server of these settings."""
    by = mailers(server.store, settings, Door.of(settings))
    made = postman(server.store, by, server.origin, lambda: UTC)
    assert made is not None
    return made


Opening = Callable[[str], Awaitable[Wire]]


@pytest.fixture
def mailing(server: Server) -> Server:
    """As with a mail server."""
    server.store.notices.on = True
    server.app._state[POSTMAN] = MagicMock()
    return server


@pytest.fixture
async def opening(server: Server) -> AsyncIterator[Opening]:
    """Opens sockets with a token, and closes them all in the end."""
    wires: list[Wire] = []

    async def open_one(token: str) -> Wire:
        wires.append(Wire(server.origin, lambda _event, _body: None))
        await wires[-1].open(token)
        return wires[-1]

    yield open_one
    for wire in wires:
        await wire.close()
