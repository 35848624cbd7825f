"""``kill -9`` while records of every kind are made and destroyed, and in the middle of the sweep."""

import contextlib
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import func, select

from practice.accounts.model import Retention
from practice.kinds import KINDS
from practice.storage import Store
from tests.every_kind import Whose, mark_all, readable, somebody, write, write_all
from tests.opening import of, open_store
from tests.people import START, Time, alice, caught_up, charlie, plan
from tests.prove.children import ask, kill_at, start
from tests.prove.figures import Figure, Size, counted
from tests.servers import postgres as servers
from vault.errors import DomainError
from vault.records.scope import SERVER, Scope
from vault.settings import VaultSettings

SETTINGS: tuple[Retention, ...] = ("7d", "30d", "90d", "manual")
DUE_BY = 40
RUN = 4
"""So many kinds further each run begins: it is killed before it comes to all of them."""


@contextlib.contextmanager
def databases(size: Size) -> Iterator[list[tuple[str, servers.Postgres | None]]]:
    """SQLite, and PostgreSQL where it is installed (in the long form)."""
    if not size.full or servers.binaries() is None:
        yield [("SQLite", None)]
        return
    with servers.running() as server:
        yield [("SQLite", None), ("PostgreSQL", server)]


def prove(size: Size) -> list[Figure]:
    """Both campaigns."""
    figures = []
    with databases(size) as found:
        for name, server in found:
            figures += editing(size, name, server)
            figures += sweeping(size, name, server)
    return figures


# --- while creating and editing --------------------------------------------------------------------------------------


def editing(size: Size, name: str, server: servers.Postgres | None) -> list[Figure]:
    """One database that is killed again and again; what was acknowledged is compared each time."""
    folder = size.folder / f"editing-{name}"
    url = server.new_database() if server else None
    settings = VaultSettings(data=folder, trust_clock=True, database_url=url)
    log, ready = folder.with_suffix(".acknowledged"), folder.with_suffix(".ready")
    whose = Whose(*ask(lambda: first(settings, log), folder.with_suffix(".json")))
    kills, lost, half, doubled, made, back, kinds = size.choose(200, 4), 0, 0, 0, 0, 0, 0
    for number in range(kills):
        ready.unlink(missing_ok=True)
        child = start(partial(edit, settings, whose, log, ready, number))
        kill_at(child, ready, size.random.uniform(0, 0.3))
        found = ask(lambda: compare(settings, whose, log), folder.with_suffix(".json"))
        lost, half, doubled = lost + found["lost"], half + found["half"], doubled + found["doubled"]
        made, back, kinds = found["made"], back + found["back"], found["kinds"]
    what = f"{name}: kill -9 while creating and editing"
    return [
        counted(f"{what}: acknowledged and lost", lost, kills, f"kills, {made:,} acknowledged"),
        counted(f"{what}: acknowledged as destroyed and there", back, kills, f"kills, of {kinds} kinds"),
        counted(f"{what}: half rows", half, kills, "kills"),
        counted(f"{what}: duplicates", doubled, kills, "kills"),
    ]


async def first(settings: VaultSettings, log: Path) -> tuple[str, str]:
    async with open_store(settings, now=Time().now, boot=Time().boottime) as store:
        await caught_up(store)
        await alice(store)
        whose = await somebody(store)
        log.write_text("".join(f"written {one}\n" for one in await write_all(store, whose)))
    return whose.owners


async def edit(settings: VaultSettings, whose: Whose, log: Path, ready: Path, run: int) -> None:
    """Make and change appointments, and make and destroy one of each kind, until killed.

    Each line is written after the call returned, but for what says that something is about to be destroyed.
    """
    clock = Time()
    clock.pass_(hours=2)
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def acknowledge(*words: str) -> None:
        os.write(descriptor, (" ".join(words) + "\n").encode())

    async with open_store(settings, now=clock.now, boot=clock.boottime) as store:
        person = await store.practitioners.by_mail(SERVER, "alice@example.org")
        assert person is not None
        ready.touch()
        number = 0
        while True:
            name = f"{run}-{number}"
            made = await store.appointments.create(of(person.id), name, START + timedelta(hours=1), 30, "nl")
            acknowledge("made", made.id, name)
            if number % 3 == 0:
                await store.appointments.end(Scope.consult(made.id, made.owner), made.id)
                acknowledge("ended", made.id)
            if number % 4 == 0:
                await store.sentences.say(of(person.id), "nl" if number % 8 else "en", name)
                acknowledge("said", "nl" if number % 8 else "en", name)
            if number % 7 == 0:
                await store.practitioners.set_retention(of(person.id), SETTINGS[number % 4])
            kind = KINDS.records[(run * RUN + number) % len(KINDS.records)]
            for _, earlier in await readable(store, whose.owners, kind):
                acknowledge("destroying", earlier.id)
                await store.retention.destroy(of(earlier.owner), earlier.id, kind)
                acknowledge("destroyed", earlier.id, kind.name)
            acknowledge("written", (await write(store, kind, whose)).id)
            number += 1


async def compare(settings: VaultSettings, whose: Whose, log: Path) -> dict[str, int]:
    """What is there against what was acknowledged."""
    clock = Time()
    clock.pass_(hours=2)
    lines = [line.split() for line in log.read_text().split("\n")[:-1]]
    made = {line[1]: line[2] for line in lines if line[0] == "made"}
    ended = {line[1] for line in lines if line[0] == "ended"}
    words = ("written", "destroying", "destroyed")
    written, destroying, destroyed = ({line[1] for line in lines if line[0] == word} for word in words)
    async with open_store(settings, now=clock.now, boot=clock.boottime) as store:
        assert store.locked is None
        await caught_up(store)
        person = await store.practitioners.by_mail(SERVER, "alice@example.org")
        assert person is not None
        found = {one.id: one for one in await store.appointments.list(of(person.id), START.date(), START.date())}
        lost = [key for key, name in made.items() if key not in found or found[key].patient != name]
        lost += [key for key in ended if key in found and found[key].state != "ended"]
        names = [one.patient for one in found.values()]
        rows, unconfirmed = await counts(store)
        said = await store.sentences.of(of(person.id))
        each = await readable(store, whose.owners)
        there = {one.id for _, one in each}
        lost += sorted(written - destroying - there)
        back = destroyed & there | destroyed - set(await store.keys.missing(sorted(destroyed)))
        half = rows - len(found) - len(said.sentences) - len(there) + (await store.retention.status()).alarms
        del unconfirmed
        names += [*(one.language for one in said.sentences), *(kind.name for kind, _ in each)]
        # The last one that was acknowledged, or one that came after it.
        after = {line[1]: place for place, line in enumerate(lines) if line[0] == "said"}
        texts: dict[str, str] = {one.language: one.text for one in said.sentences}
        newest = {line[2]: place for place, line in enumerate(lines) if line[0] in ("made", "said")}
        lost += [one for one, place in after.items() if newest.get(texts.get(one, ""), -1) < place]
    return {
        "lost": len(lost),
        "half": half,
        "doubled": len(names) - len(set(names)),
        "made": len(made) + len(written),
        "back": len(back),
        "kinds": len({line[2] for line in lines if line[0] == "destroyed"}),
    }


async def counts(store: Store) -> tuple[int, int]:
    async with store.database.read() as connection:
        counted = [await connection.execute(select(func.count()).select_from(kind.table)) for kind in KINDS]
    return sum(found.scalar_one() for found in counted), len(await store.keys.unconfirmed())


# --- in the sweep ----------------------------------------------------------------------------------------------------


def sweeping(size: Size, name: str, server: servers.Postgres | None) -> list[Figure]:
    """Each time the same due and living appointments, killed at another moment of the sweep, then started again."""
    template = size.folder / f"sweep-{name}"
    url = server.new_database() if server else None
    settings = VaultSettings(data=template, trust_clock=True, database_url=url)
    answer = size.folder / "answer.json"
    due = size.choose(150, 20)
    filled = Filled(*ask(lambda: fill(settings, due), answer))
    kills, interrupted, left, touched = size.choose(200, 4), 0, 0, 0
    duration = 0.0
    for number in range(kills + 1):
        folder = size.folder / f"run-{name}"
        shutil.copytree(template, folder)
        copy = VaultSettings(data=folder, trust_clock=True, database_url=copied(server, url))
        ready = folder.with_suffix(".ready")
        ready.unlink(missing_ok=True)
        began = time.monotonic()
        child = start(partial(sweep, copy, ready))
        if number == 0:  # the first one is let through, to know how long it takes
            while not ready.exists():
                time.sleep(0.001)
            began = time.monotonic()
            os.waitpid(child, 0)
            duration = time.monotonic() - began
        else:
            interrupted += kill_at(child, ready, size.random.uniform(0, duration))
        found = ask(partial(after, copy, filled), answer)
        left, touched = left + found["left"], touched + found["touched"]
        shutil.rmtree(folder)
    what = f"{name}: kill -9 in the sweep"
    return [
        counted(
            f"{what}: due and not destroyed after the restart",
            left,
            kills,
            f"kills ({interrupted} in mid-sweep), {due + len(KINDS.records)} due each",
        ),
        counted(f"{what}: destroyed and not due", touched, kills, "kills"),
    ]


def copied(server: servers.Postgres | None, url: str | None) -> str | None:
    """A database like the one at this address."""
    if server is None or url is None:
        return None
    return server._create(url.removeprefix(f"postgresql://{servers.ACCOUNT}@/").partition("?")[0])


@dataclass(frozen=True)
class Filled:
    """An account's and an organisation's one of each kind, whose ids are kept; those of the two beside are not."""

    owners: list[str]
    kept: list[str]


async def fill(settings: VaultSettings, due: int) -> tuple[list[str], list[str]]:
    clock = Time()
    async with open_store(settings, now=clock.now, boot=clock.boottime) as store:
        await caught_up(store)
        one, other = await alice(store), await charlie(store)
        for number in range(due):
            await plan(store, one if number % 2 else other, f"due {number}")
        for number in range(10):
            await plan(store, one if number % 2 else other, f"kept {number}", days=DUE_BY)
        for person in (one, other):
            await store.sentences.say(of(person.id), "nl", "kept")
        whose, beside = await somebody(store), await somebody(store, "beside")
        kept = await write_all(store, whose)
        # As if the server had been killed after the first step.
        await mark_all(store, await write_all(store, beside))
        return [*whose.owners, *beside.owners], kept


async def sweep(settings: VaultSettings, ready: Path) -> None:
    clock = Time()
    clock.pass_(days=DUE_BY)
    async with open_store(settings, now=clock.now, boot=clock.boottime) as store:
        ready.touch()
        await caught_up(store)


async def after(settings: VaultSettings, filled: Filled) -> dict[str, int]:
    """After one more start."""
    clock = Time()
    clock.pass_(days=DUE_BY)
    last = (START + timedelta(days=DUE_BY + 1)).date()
    kept, said, receipts = [], [], 0
    async with open_store(settings, now=clock.now, boot=clock.boottime) as store:
        assert store.locked is None
        await caught_up(store)
        for name in ("alice", "charlie"):
            person = await store.practitioners.by_mail(SERVER, f"{name}@example.org")
            assert person is not None
            with contextlib.suppress(DomainError):
                kept += [one.patient for one in await store.appointments.list(of(person.id), START.date(), last)]
            said += [one.text for one in (await store.sentences.of(of(person.id))).sentences]
            receipts += len(await store.keys.receipts(person.id))
        each = [one.id for _, one in await readable(store, filled.owners)]
        receipts += sum([len(await store.keys.receipts(owner)) for owner in filled.owners])
        rows, _ = await counts(store)
        generation = await store.keys.generation()
        keys = len(await store.keys.ids())
    right = sorted(kept) == sorted(f"kept {number}" for number in range(10)) and said == ["kept", "kept"]
    right = right and each == filled.kept
    # Nobody's key, those of four accounts and two organisations; ten living, two sentences and what else is kept.
    living = 12 + len(filled.kept)
    left = max(0, rows - living) + max(0, keys - living - 7) + (receipts != generation)
    return {"left": left, "touched": 0 if right else 1}
