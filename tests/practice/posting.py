"""Stores with a mail server that the test runs, and what is written for it."""

from collections.abc import AsyncIterator
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from practice.accounts.model import Practitioner
from practice.notices.model import News, Word
from practice.notices.postman import Postman
from practice.notices.records import notices
from practice.outgoing import Door
from practice.storage import Store
from signaling import mailing
from tests.opening import open_store
from tests.people import Time
from tests.servers.mail import MailServer, running
from vault.keys.places import NOBODY
from vault.records.writing import always
from vault.settings import VaultSettings

ORIGIN = "https://consult.example.org"


@pytest.fixture
async def store(settings: VaultSettings, time: Time) -> AsyncIterator[Store]:
    async with open_store(settings, now=time.now, boot=time.boottime, mail=True) as opened:
        yield opened


@pytest.fixture
async def sqlite_store(sqlite_settings: VaultSettings, time: Time) -> AsyncIterator[Store]:
    async with open_store(sqlite_settings, now=time.now, boot=time.boottime, mail=True) as opened:
        yield opened


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[MailServer]:
    async with running(tmp_path) as found:
        yield found


def postman(store: Store, server: MailServer, **changes: Any) -> Postman:
    settings = server.settings(**changes)
    made = mailing.postman(store, mailing.mailers(store, settings, Door.of(settings)), ORIGIN, lambda: UTC)
    assert made is not None
    return made


def news(person: Practitioner, word: Word = "password-changed", to: str | None = None) -> News:
    return News(word, to or person.mail, person.language)


async def tell(store: Store, person: Practitioner, word: Word = "password-changed", to: str | None = None) -> None:
    assert await store.notices.along(person.id, [news(person, word, to)], always)


async def rows(store: Store) -> list[tuple[str, str]]:
    async with store.database.read() as connection:
        found = await connection.execute(select(notices).order_by(notices.c.written, notices.c.id))
        return [(row.id, row.state) for row in found]


async def kept(store: Store) -> set[str]:
    return set(await store.keys.ids()) - {NOBODY}


# --- written ----------------------------------------------------------------------------------------------------------
