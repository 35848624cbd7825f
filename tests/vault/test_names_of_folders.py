"""A folder may have any name: no path is read as an address. And nobody else reads what lies in it."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from practice.kinds import KINDS
from tests.opening import of, open_store
from tests.people import START, Time, alice, plan
from vault import keystore
from vault.backup import data, snapshots
from vault.errors import StartRefused
from vault.proof import Folder, prove
from vault.settings import VaultSettings, parse

NAMES = ("what?mode=memory", "a#b", "100%20", "a b & c=d;e", "file:x", "é :memory:")


@pytest.fixture(autouse=True)
def open_to_all() -> Iterator[None]:
    """The system's usual mask lets everybody read a new file."""
    before = os.umask(0)
    yield
    os.umask(before)


def files(folder: Path) -> dict[str, int]:
    return {
        path.relative_to(folder).as_posix(): path.stat().st_mode & 0o777
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("name", NAMES)
async def test_everything_lies_in_the_folder_whatever_its_name(tmp_path: Path, time: Time, name: str) -> None:
    place, outside = tmp_path / name, tmp_path / "backups ?#%"
    settings = VaultSettings(data=place / "data", trust_clock=True, snapshot_keys=tmp_path / "snapshot?keys")
    async with open_store(settings, now=time.now, boot=time.boottime) as store:
        person = await alice(store)
        gone, kept = await plan(store, person), await plan(store, person)
        await asyncio.to_thread(data.write, settings, KINDS, outside, time.now())
        snapshot = await asyncio.to_thread(snapshots.take, settings, outside, time.now())
        receipt = await store.retention.destroy(of(person.id), gone.id)
        assert (await keystore.verify(settings, KINDS, time.now)).findings == ()
        proof = await prove(
            settings, KINDS, receipt.receipt, redis=None, folders=[Folder("backups", outside, copies=True)]
        )
        assert "1 copies of the database" in proof.text()
    assert snapshot is not None
    await data.restore(settings, KINDS, outside, replace=True)
    async with open_store(settings, now=time.now, boot=time.boottime) as store:
        assert await store.appointments.get(of(person.id), kept.id) == kept
        assert await store.appointments.list(of(person.id), START.date(), START.date()) == [kept]
        during = files(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {name, outside.name, "snapshot?keys"}
    assert "database/rooms.sqlite" in {path.removeprefix(f"{name}/data/") for path in during}
    assert {path: oct(mode) for path, mode in during.items() if mode & 0o077} == {}


async def test_an_address_with_a_path_is_that_path(tmp_path: Path, time: Time) -> None:
    path, keys = tmp_path / "a?b" / "of all.sqlite", tmp_path / "c#d" / "keys.sqlite"
    settings = VaultSettings(
        data=tmp_path / "data",
        database_url=SecretStr(f"sqlite:///{path}"),
        keystore_url=SecretStr(f"sqlite:///{keys}"),
        trust_clock=True,
    )
    async with open_store(settings, now=time.now, boot=time.boottime) as store:
        await alice(store)
    assert path.stat().st_size and keys.stat().st_size


async def test_files_that_others_can_read_are_closed_to_them_at_the_next_start(tmp_path: Path, time: Time) -> None:
    settings = VaultSettings(data=tmp_path / "data", trust_clock=True)
    async with open_store(settings, now=time.now, boot=time.boottime):
        pass
    for path in ("database/rooms.sqlite", "keys/keystore.sqlite"):
        (settings.data / path).chmod(0o644)
    async with open_store(settings, now=time.now, boot=time.boottime) as store:
        await alice(store)
        assert {path: oct(mode) for path, mode in files(settings.data).items() if mode & 0o077} == {}


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("anywhere", "must be sqlite:///"),
        ("postgres ql://h/d", "must be sqlite:///"),
        ("sqlite://x", "three slashes"),
        ("sqlite:///~/x", "only a shell replaces"),
        ("postgresql://u:p@x@h/d", "write %40"),
        ("postgresql://h:x/d", "a number as its port"),
        ("postgresql://h:0/d", "from 1 to 65535"),
        ("postgresql://h:65536/d", "from 1 to 65535"),
    ],
)
def test_an_address_that_is_none_is_refused_without_its_password(address: str, said: str) -> None:
    with pytest.raises(StartRefused, match=said) as refused:
        parse("rooms.database_url", address)
    assert address not in str(refused.value)


def test_the_last_port_is_one() -> None:
    assert parse("rooms.database_url", "postgres://h:65535/d").port == 65535
