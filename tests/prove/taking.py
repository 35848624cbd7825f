"""All of an account taken along while the sweep runs, and taken back: what is destroyed is in no file, and no row is
lost, doubled or other than it was.
"""

import asyncio
import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from practice.accounts.model import Practitioner
from practice.portability.file import Pack
from practice.portability.opened import directory, entry
from practice.portability.reading import ArchiveReader
from practice.portability.taken import Taken
from practice.storage import Store
from tests.opening import of, open_store
from tests.people import PASSWORD, Time
from tests.prove.figures import Figure, Size, at_most, counted
from vault.errors import DomainError
from vault.settings import VaultSettings

SECRET = "abcde-abcde-abcde-abcde-abcde"
MEGABYTES = 120
"""By which a server may grow that puts an archive together, however large it is."""

SMALL_DISK = "700m"


def prove(size: Size) -> list[Figure]:
    return asyncio.run(campaign(size))


@dataclass
class Fetched:
    """An archive, how long it took and by how many bytes the process grew meanwhile."""

    data: bytes
    seconds: float
    grown: int


async def campaign(size: Size) -> list[Figure]:
    count, clock = size.choose(10_000, 300), Time()
    settings = VaultSettings(data=size.memory / "data", trust_clock=True)
    async with open_store(settings, now=clock.now, boot=clock.boottime) as store:
        alice = await store.practitioners.add("alice@example.org", PASSWORD, "Alice", "nl", "7d")
        bob = await store.practitioners.add("bob@example.org", PASSWORD, "Bob", "nl", "7d")
        kept, by_hand, past = await fill(store, alice, clock, count)
        # Here the archive is ready: nothing of it exists. From here on they are destroyed.
        for one in by_hand:
            await store.retention.destroy(of(alice.id), one)
        clock.pass_(days=8)
        sweeping = asyncio.create_task(store.retention.sweep())
        first = await fetch(store, alice, clock)
        swept = await sweeping
        found = names(first.data)
        gone = {f"Gone {number:06}" for number in range(len(by_hand))} | {f"Past {number:06}" for number in range(past)}
        wrong = sum(len(gone & said) for said in found.values())
        missing = sum(len(kept - said) for said in found.values())
        taken = await ArchiveReader().opened(first.data, SECRET, clock.now())
        began = time.perf_counter()
        done = await store.imports.take(of(bob.id), taken)
        back = time.perf_counter() - began
        second = await fetch(store, bob, clock)
        differences = len(set(lines(first.data)) ^ set(lines(second.data)))
        figures = [
            counted("destroyed between ready and fetched, and in a file", wrong, len(gone) * len(found), "looks"),
            counted("kept, and in no file", missing, len(kept) * len(found), "looks"),
            counted("taken along, taken back and taken along: differences", differences, done.appointments, "rows"),
            at_most(
                f"memory while {len(kept):,} are put together", MEGABYTES, first.grown / 1e6, "MB",
                f"{len(first.data) / 1e6:.1f} MB in {first.seconds:.1f} s, {swept:,} swept; back in {back:.1f} s",
            ),
        ]  # fmt: skip
    return [*figures, *await on_a_full_disk(size, first.data, clock)]


async def fill(store: Store, person: Practitioner, clock: Time, count: int) -> tuple[set[str], list[str], int]:
    """Names of those that stay, ids of those that are destroyed by hand, and how many the sweep destroys."""
    scope, now = of(person.id), clock.now()
    hand, past = count // 20, count // 5
    by_hand = []
    for number in range(count):
        # those to be past due end before the clock moves on by eight days; the others after it
        soon = number < hand + past
        word = "Gone" if number < hand else "Past" if soon else "Kept"
        index = number if number < hand else number - hand if soon else number - hand - past
        begins = now + (timedelta(minutes=10) if word == "Past" else timedelta(days=20, minutes=number % 600))
        one = await store.appointments.create(scope, f"{word} {index:06}", begins, 30, "nl")
        if word == "Gone":
            by_hand.append(one.id)
    return {f"Kept {index:06}" for index in range(count - hand - past)}, by_hand, past


async def fetch(store: Store, person: Practitioner, clock: Time) -> Fetched:
    before, most = resident(), 0
    began = time.perf_counter()

    async def told(_done: int) -> None:
        nonlocal most
        most = max(most, resident() - before)

    pack = Pack(store.exports, of(person.id), person, {"account": {}}, clock.now(), ZoneInfo("Europe/Amsterdam"), told)
    parts = [part async for part in pack.pieces(SECRET)]
    return Fetched(b"".join(parts), time.perf_counter() - began, most)


def names(archive: bytes) -> dict[str, set[str]]:
    """Whose appointments stand in each file that has any."""
    files = [name.decode() for name in directory(archive) if b"appointments" in name or name.endswith(b".json")]
    found = {}
    for name in files:
        text = entry(archive, name, SECRET).decode().replace("\r\n ", "")
        found[name] = {text[at : at + 11] for word in ("Gone", "Past", "Kept") for at in places(text, word)}
    return found


def places(text: str, word: str) -> Iterator[int]:
    at = text.find(f"{word} ")
    while at >= 0:
        yield at
        at = text.find(f"{word} ", at + 1)


def lines(archive: bytes) -> list[str]:
    """Each appointment, without when it is due: that follows from the account's setting."""
    records = json.loads(entry(archive, "account.json", SECRET))["records"]["appointments"]
    return [json.dumps({name: value for name, value in one.items() if name != "due"}) for one in records]


async def on_a_full_disk(size: Size, archive: bytes, clock: Time) -> list[Figure]:
    """An account of 100,000 rows, and then no room: what is asked for is answered at once, and nothing is half done."""
    rows = size.choose(100_000, 1_000)
    with small_disk(size.folder / "disk") as disk:
        if disk is None:
            return []
        settings = VaultSettings(data=disk / "data", trust_clock=True)
        async with open_store(settings, now=clock.now, boot=clock.boottime) as store:
            alice = await store.practitioners.add("alice@example.org", PASSWORD, "Alice", "nl", "7d")
            bob = await store.practitioners.add("bob@example.org", PASSWORD, "Bob", "nl", "7d")
            taken = await ArchiveReader().opened(archive, SECRET, clock.now())
            many = Taken((list(taken.appointments) * (rows // len(taken.appointments) + 1))[:rows], (), ())
            await store.imports.take(of(alice.id), many)
            before = await numbers(store)
            await asyncio.to_thread(fill_up, disk)
            answers = [await refusal(store, bob, many)]  # before anybody noticed that it is full
            await asyncio.to_thread(store.reserve.look)
            answers.append(await refusal(store, bob, many))
            began = time.perf_counter()
            fetched = await fetch(store, alice, clock)
            seconds = time.perf_counter() - began
            inside = len(lines(fetched.data))
            half = await numbers(store) - before
        beside = f"{inside:,} rows fetched in {seconds:.1f} s with no room left"
        wrong = sum(one != "try_again" for one in answers)
        return [
            counted("disk full: answers other than one clear one", wrong, len(answers), f"imports of {rows:,} rows"),
            counted(f"disk full: rows that are half there ({beside})", abs(half) + abs(inside - rows), rows, "rows"),
        ]


async def numbers(store: Store) -> int:
    async with store.database.read() as connection:
        return int((await connection.exec_driver_sql("SELECT count(*) FROM appointments")).scalar_one())


async def refusal(store: Store, person: Practitioner, many: Taken) -> str:
    try:
        await store.imports.take(of(person.id), many)
    except DomainError as error:
        return error.code
    return "taken"


@contextmanager
def small_disk(place: Path) -> Iterator[Path | None]:
    """One that can be filled; None where nothing can be mounted."""
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK}", "tmpfs", str(place)]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        yield None
        return
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def fill_up(disk: Path) -> None:
    """Not a byte is left."""
    with (disk / "of-another-program").open("wb", buffering=0) as stream:
        try:
            while True:
                stream.write(bytes(4096))
        except OSError:
            return


def resident() -> int:
    """Bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
