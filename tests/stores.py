"""Stores on both databases, with a clock that the test moves."""

import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from pydantic import SecretStr

from practice.storage import Store
from tests.opening import Elsewhere, open_store
from tests.people import START, Time
from tests.servers import bao as bao_servers
from tests.servers import postgres as servers
from vault.keys.backends import backend
from vault.keys.wrapped import WrappedKeys
from vault.settings import VaultSettings

__all__ = [
    "elsewhere",
    "keys",
    "keystore_settings",
    "nodes",
    "quick_hashing",
    "real_hashing",
    "settings",
    "single",
    "sqlite_settings",
    "sqlite_store",
    "store",
    "time",
]
"""For the ``conftest`` of each folder that needs stores."""


@pytest.fixture(autouse=True)
def quick_hashing(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """argon2id with almost no work, except where the work is what is tested."""
    if "real_hashing" not in request.fixturenames:
        quick = partial(PasswordHasher, time_cost=1, memory_cost=8, parallelism=1)
        monkeypatch.setattr("practice.accounts.store.PasswordHasher", quick)


@pytest.fixture
def real_hashing() -> None:
    """Asks for argon2id as it is in production."""


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def sqlite_settings(tmp_path: Path, migrated: Path) -> VaultSettings:
    settings = VaultSettings(data=tmp_path / "data", trust_clock=True)
    database = Path(settings.database().database or "")
    database.parent.mkdir(parents=True)
    shutil.copy(migrated, database)
    return settings


@pytest.fixture(params=["sqlite", "postgres"])
def settings(request: pytest.FixtureRequest, sqlite_settings: VaultSettings) -> VaultSettings:
    if request.param == "sqlite":
        return sqlite_settings
    url = request.getfixturevalue("postgres").new_database()
    return VaultSettings(**sqlite_settings.model_dump(exclude={"database_url"}), database_url=url)


@pytest.fixture
def single(sqlite_settings: VaultSettings, bao: bao_servers.Bao, tmp_path: Path) -> VaultSettings:
    """The key store in SQLite, with its epochs in OpenBao."""
    return sqlite_settings.model_copy(update={"transit": bao.transit(tmp_path)})


@pytest.fixture
def nodes(single: VaultSettings, postgres: servers.Postgres) -> VaultSettings:
    """The key store in PostgreSQL, with its epochs in OpenBao."""
    return single.model_copy(update={"keystore_url": SecretStr(postgres.new_database(migrated=False))})


@pytest.fixture(params=["sqlite_settings", "single", "nodes"], ids=["files", "transit", "nodes"])
def keystore_settings(request: pytest.FixtureRequest) -> VaultSettings:
    """The key store wherever it can be; the first is SQLite with epoch files."""
    settings: VaultSettings = request.getfixturevalue(request.param)
    return settings


@pytest.fixture
def keys(keystore_settings: VaultSettings) -> Iterator[WrappedKeys]:
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
async def store(settings: VaultSettings, time: Time, elsewhere: Elsewhere) -> AsyncIterator[Store]:
    async with open_store(settings, elsewhere, now=time.now, boot=time.boottime) as opened:
        yield opened


@pytest.fixture
async def sqlite_store(sqlite_settings: VaultSettings, time: Time, elsewhere: Elsewhere) -> AsyncIterator[Store]:
    async with open_store(sqlite_settings, elsewhere, now=time.now, boot=time.boottime) as opened:
        yield opened
