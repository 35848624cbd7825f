"""What the doctor says of requests: how many and how old, of a database that a server may be using."""

from datetime import timedelta
from pathlib import Path

from operate.doctor.requests import waiting
from practice.requests.model import Filing
from tests.opening import open_store
from tests.organisations import OPERATOR, PRACTICE
from tests.people import START, Time
from vault.records.scope import SERVER
from vault.settings import VaultSettings

TEXT = "Wat weet u van mij?"


async def test_it_says_how_many_wait_and_how_long_and_nothing_else(tmp_path: Path) -> None:
    settings, time = VaultSettings(data=tmp_path / "data"), Time()
    async with open_store(settings, now=time.now, boot=time.boottime) as store:
        await store.organisation.establish(OPERATOR, PRACTICE)
        (found,) = await waiting(settings, START)
        assert (found.state, found.meaning) == ("ok", "None waits for an answer.")
        await store.requests.file(SERVER, Filing("access", "form", "nl", TEXT, mail="jan@example.org"))
        (found,) = await waiting(settings, START + timedelta(days=3))
        assert (found.state, found.meaning) == ("ok", "1 wait for an answer, the oldest 3 days.")
        (found,) = await waiting(settings, START + timedelta(days=29))
        assert (found.state, "oldest waits 29 days" in found.meaning) == ("fail", True)
        assert "jan" not in repr(found) and TEXT not in repr(found)


async def test_without_a_database_it_does_not_know(tmp_path: Path) -> None:
    (found,) = await waiting(VaultSettings(data=tmp_path / "none"), START)
    assert found.state == "unknown"
    assert not (tmp_path / "none").exists(), "a look makes nothing"
