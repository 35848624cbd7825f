"""Listing and creating appointments, beside what the disk itself takes to flush."""

import asyncio
import os
import statistics
import time
from datetime import timedelta
from pathlib import Path

from practice.storage import Store
from tests.opening import of, open_store
from tests.people import START, Time, alice
from tests.prove.figures import Figure, Size, at_most
from tests.prove.kills import databases
from vault.settings import VaultSettings

LIST_MILLISECONDS = 60
CREATE_MILLISECONDS = 5


def prove(size: Size) -> list[Figure]:
    """On each database."""
    figures = []
    with databases(size) as found:
        for name, server in found:
            url = server.new_database() if server else None
            settings = VaultSettings(data=size.folder / name, trust_clock=True, database_url=url)
            figures += asyncio.run(measure(size, name, settings))
    return figures


async def measure(size: Size, name: str, settings: VaultSettings) -> list[Figure]:
    """Medians; the worst are beside them."""
    clock = Time()
    count = size.choose(1000, 100)
    async with open_store(settings, now=clock.now, boot=clock.boottime) as store:
        person = await alice(store)
        creating = [await create(store, person.id, number) for number in range(count)]
        first, last = START.date(), (START + timedelta(days=count)).date()
        listing = []
        for _ in range(size.choose(20, 3)):
            began = time.perf_counter()
            found = await store.appointments.list(of(person.id), first, last)
            listing.append((time.perf_counter() - began) * 1000)
            assert len(found) == count
            assert [one.starts_at for one in found] == sorted(one.starts_at for one in found)
    disk = await asyncio.to_thread(flushes, settings.data)
    flushing = f"the disk flushes 4 kB in {statistics.median(disk):.2f}, p95 {quantile(disk):.2f}"
    return [
        at_most(
            f"{name}: listing {count:,} living appointments, decrypted and sorted",
            LIST_MILLISECONDS,
            statistics.median(listing),
            "ms",
            f"slowest {max(listing):.0f}",
        ),
        at_most(
            f"{name}: creating one",
            CREATE_MILLISECONDS,
            statistics.median(creating),
            "ms",
            f"p95 {quantile(creating):.1f}; {flushing}",
        ),
    ]


async def create(store: Store, owner: str, number: int) -> float:
    """Milliseconds."""
    began = time.perf_counter()
    await store.appointments.create(of(owner), f"Patient {number}", START + timedelta(hours=16 * number), 30, "nl")
    return (time.perf_counter() - began) * 1000


def flushes(folder: Path) -> list[float]:
    """Milliseconds of writing 4 kB at the end of a file and flushing it."""
    path, taken = folder / "flushes", []
    with path.open("wb", buffering=0) as file:
        for _ in range(200):
            began = time.perf_counter()
            file.write(os.urandom(4096))
            os.fsync(file.fileno())
            taken.append((time.perf_counter() - began) * 1000)
    path.unlink()
    return taken


def quantile(values: list[float]) -> float:
    """95 %."""
    return sorted(values)[int(len(values) * 0.95)]
