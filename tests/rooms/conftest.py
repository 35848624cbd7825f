"""Stores on both databases, with a clock that the test moves."""

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from pydantic import SecretStr

from rooms.keys.backends import backend
from rooms.keys.wrapped import WrappedKeys
from rooms.settings import RoomsSettings
from rooms.store import Store
from rooms.store.migrate import migrate
from tests.opening import Elsewhere, open_store
from tests.rooms import bao as bao_servers
from tests.rooms import postgres as servers
from tests.rooms.people import START, Time


@pytest.fixture(autouse=True)
def quick_hashing(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """argon2id with almost no work, except where the work is what is tested."""
    if "real_hashing" not in request.fixturenames:
        quick = partial(PasswordHasher, time_cost=1, memory_cost=8, parallelism=1)
        monkeypatch.setattr("rooms.store.practitioners.PasswordHasher", quick)


@pytest.fixture
def real_hashing() -> None:
    """Asks for argon2id as it is in production."""


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture(scope="session")
def postgres() -> Iterator[servers.Postgres]:
    if servers.binaries() is None:
        if os.environ.get("CI"):
            pytest.fail("PostgreSQL is not installed, and CI may not skip it")
        pytest.skip("NOT TESTED ON POSTGRESQL: install the package postgresql")
    with servers.running() as server:
        yield server


@pytest.fixture(scope="session")
def bao() -> Iterator[bao_servers.Bao]:
    with bao_servers.running() as server:
        yield server


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database with all tables: migrating for every test would be most of the time."""
    settings = RoomsSettings(data=tmp_path_factory.mktemp("template"))
    migrate(settings.database())
    return Path(settings.database().database or "")


@pytest.fixture
def sqlite_settings(tmp_path: Path, migrated: Path) -> RoomsSettings:
    settings = RoomsSettings(data=tmp_path / "data", trust_clock=True)
    database = Path(settings.database().database or "")
    database.parent.mkdir(parents=True)
    shutil.copy(migrated, database)
    return settings


@pytest.fixture(params=["sqlite", "postgres"])
def settings(request: pytest.FixtureRequest, sqlite_settings: RoomsSettings) -> RoomsSettings:
    if request.param == "sqlite":
        return sqlite_settings
    url = request.getfixturevalue("postgres").new_database()
    return RoomsSettings(**sqlite_settings.model_dump(exclude={"database_url"}), database_url=url)


@pytest.fixture
def single(sqlite_settings: RoomsSettings, bao: bao_servers.Bao, tmp_path: Path) -> RoomsSettings:
    """The key store in SQLite, with its epochs in OpenBao."""
    return sqlite_settings.model_copy(update={"transit": bao.transit(tmp_path)})


@pytest.fixture
def nodes(single: RoomsSettings, postgres: servers.Postgres) -> RoomsSettings:
    """The key store in PostgreSQL, with its epochs in OpenBao."""
    return single.model_copy(update={"keystore_url": SecretStr(postgres.new_database(migrated=False))})


@pytest.fixture(params=["sqlite_settings", "single", "nodes"], ids=["files", "transit", "nodes"])
def keystore_settings(request: pytest.FixtureRequest) -> RoomsSettings:
    """The key store wherever it can be; the first is SQLite with epoch files."""
    settings: RoomsSettings = request.getfixturevalue(request.param)
    return settings


@pytest.fixture
def keys(keystore_settings: RoomsSettings) -> Iterator[WrappedKeys]:
    """The key store in each of these places, in which Alice has a key."""
    place = backend(keystore_settings)
    place.create("pair")
    with closing(place.open()) as opened:
        opened.add_practitioner("alice", START)
        yield opened


@pytest.fixture
def elsewhere() -> Elsewhere:
    """What there is beside the store of this test."""
    return Elsewhere()


@pytest.fixture
async def store(settings: RoomsSettings, time: Time, elsewhere: Elsewhere) -> AsyncIterator[Store]:
    async with open_store(settings, elsewhere, now=time.now, boot=time.boottime) as opened:
        yield opened


@pytest.fixture
async def sqlite_store(sqlite_settings: RoomsSettings, time: Time, elsewhere: Elsewhere) -> AsyncIterator[Store]:
    async with open_store(sqlite_settings, elsewhere, now=time.now, boot=time.boottime) as opened:
        yield opened
