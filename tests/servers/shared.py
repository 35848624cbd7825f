"""One of each for all tests of a process; of those that remember what they were asked, one for each test."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.servers import bao as bao_servers
from tests.servers import clamd as clamd_servers
from tests.servers import mail as mail_servers
from tests.servers import postgres as servers
from tests.servers import sms as sms_servers
from vault.database.migrate import migrate
from vault.settings import VaultSettings


@pytest.fixture(scope="session")
def shared_postgres() -> Iterator[servers.Postgres]:
    if servers.binaries() is None:
        if os.environ.get("CI"):
            pytest.fail("PostgreSQL is not installed, and CI may not skip it")
        pytest.skip("NOT TESTED ON POSTGRESQL: install the package postgresql")
    with servers.running(segment=1) as server:
        yield server


@pytest.fixture
def postgres(shared_postgres: servers.Postgres) -> Iterator[servers.Postgres]:
    """Without the databases that the test made, when it is over."""
    yield shared_postgres
    shared_postgres.drop_databases()


@pytest.fixture(scope="session")
def clamd() -> Iterator[clamd_servers.Clamd]:
    if not clamd_servers.installed():
        if os.environ.get("CI"):
            pytest.fail("clamd is not installed, and CI may not skip it")
        pytest.skip("NOT TESTED WITH A SCANNER: install the package clamav-daemon")
    with clamd_servers.running() as server:
        yield server


@pytest.fixture(scope="session")
def bao() -> Iterator[bao_servers.Bao]:
    with bao_servers.running() as server:
        yield server


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database with all tables: migrating for every test would be most of the time."""
    settings = VaultSettings(data=tmp_path_factory.mktemp("template"))
    migrate(settings.database())
    return Path(settings.database().database or "")


@pytest.fixture
async def mails(tmp_path: Path) -> AsyncIterator[mail_servers.MailServer]:
    async with mail_servers.running(tmp_path) as server:
        yield server


@pytest.fixture
async def provider(tmp_path: Path) -> AsyncIterator[sms_servers.SmsServer]:
    async with sms_servers.running(tmp_path) as server:
        yield server
