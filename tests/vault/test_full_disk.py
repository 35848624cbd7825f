"""A disk that is full: said, nothing new is acknowledged, and what is to be destroyed is."""

import asyncio
import errno
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.opening import of, open_store
from tests.people import START, Time, alice, plan
from vault.errors import DomainError
from vault.reserve import BYTES, Reserve
from vault.settings import VaultSettings

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="NOT TESTED: mounting a small disk needs root")


@pytest.fixture(autouse=True)
def whole_reserve(monkeypatch: pytest.MonkeyPatch) -> None:
    """As large as a server's; other tests have a small one."""
    monkeypatch.setattr("vault.reserve.BYTES", BYTES)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 24 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(place)], check=False)
    if done.returncode:
        if os.environ.get("CI"):
            pytest.fail("mounting must work in CI")
        pytest.skip("NOT TESTED: nothing can be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill(disk: Path) -> Path:
    """Not a byte is left."""
    file = disk / "log-of-another-program"
    with file.open("wb", buffering=0) as stream:
        try:
            while True:
                stream.write(bytes(4096))
        except OSError:
            return file


@needs_root
async def test_on_a_full_disk_destroying_goes_on_and_nothing_new_is_planned(disk: Path, time: Time) -> None:
    settings = VaultSettings(data=disk / "data", trust_clock=True)
    async with open_store(settings, now=time.now, boot=time.boottime) as store:
        await store.retention.catch_up()
        await asyncio.to_thread(store.reserve.look)
        assert store.reserve.trouble is None
        person = await alice(store)
        due, gone, kept = await plan(store, person), await plan(store, person), await plan(store, person, hours=900)
        in_the_way = await asyncio.to_thread(fill, disk)
        with pytest.raises(DomainError):
            await plan(store, person)
        await asyncio.to_thread(store.reserve.look)
        assert "nearly full" in (store.reserve.trouble or "")
        with pytest.raises(DomainError, match="try_again"):
            await plan(store, person)
        receipt = await store.retention.destroy(of(person.id), gone.id)
        assert (await store.appointments.receipts(of(person.id))) == [receipt]
        time.pass_(days=31)
        assert await store.retention.sweep() == 1
        for one in (gone, due):
            with pytest.raises(DomainError, match="gone"):
                await store.appointments.get(of(person.id), one.id)
        assert await store.appointments.get(of(person.id), kept.id) == kept
        assert await store.keys._run(lambda keys: keys._epochs.number()) > 1
        await asyncio.to_thread(store.reserve.look)
        assert store.reserve.trouble is not None, "the disk is as full as before"
        in_the_way.unlink()
        await asyncio.to_thread(store.reserve.look)
        assert store.reserve.trouble is None
        await plan(store, person, days=40)


@needs_root
async def test_a_server_starts_on_a_full_disk_and_destroys(disk: Path, time: Time) -> None:
    settings = VaultSettings(data=disk / "data", trust_clock=True)
    async with open_store(settings, now=time.now, boot=time.boottime) as store:
        person = await alice(store)
        due = await plan(store, person)
        await asyncio.to_thread(store.reserve.look)
    await asyncio.to_thread(fill, disk)
    time.pass_(days=40)
    async with open_store(settings, now=time.now, boot=time.boottime) as store:
        assert await store.retention.catch_up() == 1
        with pytest.raises(DomainError, match="gone"):
            await store.appointments.get(of(person.id), due.id)


def test_the_reserve_is_real_room_and_one_for_each_disk(tmp_path: Path) -> None:
    other = tmp_path / "of the same disk"
    other.mkdir()
    reserve = Reserve([tmp_path, other, tmp_path / "not there"])
    reserve.look()
    assert reserve.trouble is None
    file = tmp_path / "reserve"
    status = file.stat()
    assert status.st_size == 16 << 20
    assert status.st_blocks * 512 >= status.st_size
    assert status.st_mode & 0o077 == 0
    assert not (other / "reserve").exists()
    file.unlink()
    reserve.look()
    assert file.exists(), "it comes back by itself"


async def test_a_clock_that_goes_back_is_said(settings: VaultSettings, time: Time) -> None:
    async with open_store(settings, now=time.now, boot=time.boottime) as store:
        await store.retention.catch_up()
        await store.retention.resume()
        person = await alice(store)
        one = await plan(store, person)
        assert store.retention.clock_trouble is None
        time.jump(days=-30)
        assert "behind" in (store.retention.clock_trouble or "")
        assert store.retention.behind == pytest.approx(30 * 86_400, rel=0.01)
        time.jump(days=30)
        assert store.retention.clock_trouble is None
        await store.retention.destroy(of(person.id), one.id)


async def test_a_clock_that_is_behind_at_the_start_is_said(settings: VaultSettings, time: Time) -> None:
    async with open_store(settings, now=time.now, boot=time.boottime) as store:
        person = await alice(store)
        await store.retention.destroy(of(person.id), (await plan(store, person)).id)
    time.jump(days=-30)
    time.boot = 5.0
    async with open_store(settings, now=time.now, boot=time.boottime) as store:
        await store.retention.catch_up()
        assert "behind" in (store.retention.clock_trouble or "")
        await store.retention.resume()
        assert store.retention.clock_trouble is None, "the operator says that it is right"
        assert time.now() < START


def test_a_disk_that_keeps_no_reserve_for_another_reason_is_not_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def failing(number: int) -> Callable[..., None]:
        def fail(*_: object) -> None:
            raise OSError(number, "as a disk says it")

        return fail

    kept = Reserve([tmp_path])
    monkeypatch.setattr(os, "posix_fallocate", failing(errno.EIO))
    kept.look()
    assert kept.trouble is None
    assert "the reserve on the disk cannot be kept" in caplog.text
    monkeypatch.setattr(os, "posix_fallocate", failing(errno.ENOSPC))
    kept.look()
    assert kept.low
    assert list(tmp_path.iterdir()) == []
    monkeypatch.undo()
    monkeypatch.setattr(shutil, "disk_usage", failing(errno.EDQUOT))
    kept.look()
    assert kept.low
    monkeypatch.undo()
    kept.look()
    assert not kept.low
    kept.require()
