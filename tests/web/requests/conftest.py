"""Whoever asks without signing in, the practitioner who asks signed in, and the officer who answers."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from signaling.requesting import Requesting
from signaling.typedefs import REQUESTING
from tests.servers.mail import MailServer, running
from tests.signaling.conftest import Server, opening  # noqa: F401 -- a fixture
from tests.web.forms.conftest import *  # noqa: F403 -- pytest finds fixtures by their names here
from tests.web.forms.conftest import Browser
from tests.web.practice.conftest import owner  # noqa: F401 -- a fixture
from tests.web.practice.test_people import be_bob


@pytest.fixture
async def taken(tmp_path: Path) -> AsyncIterator[MailServer]:
    async with running(tmp_path) as found:
        yield found


@pytest.fixture
async def officer(mailing: Server, owner: Browser) -> Browser:  # noqa: F811
    """Bob, who answers and does nothing else; Alice owns the organisation."""
    await be_bob(mailing, "officer")
    assert (await mailing.sign_in("bob")).status == 200
    return Browser(mailing, "bob")


@pytest.fixture
def stranger(mailing: Server) -> Browser:
    return Browser(mailing, "a stranger")


@pytest.fixture
def requesting(mailing: Server) -> Requesting:
    found = mailing.app[REQUESTING]
    found.authority = "https://authority.example/"
    return found
