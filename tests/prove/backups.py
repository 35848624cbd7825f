"""A hundred backups of before the destruction, restored with everything that the operator has: what opens?"""

import asyncio
import shutil
from collections.abc import Collection
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from practice.accounts.model import Language
from practice.agenda.model import Appointment
from practice.kinds import KINDS
from practice.storage import Store
from tests.every_kind import mark_all, readable, somebody, write_all
from tests.opening import of, open_store
from tests.people import START, Time, alice, plan
from tests.prove.figures import Figure, Size, counted
from tests.prove.kills import databases
from vault.backup import data
from vault.errors import DomainError
from vault.proof.ciphertexts import Ciphertext, opens
from vault.records.scope import SERVER, Scope
from vault.settings import VaultSettings, sqlite_url

DOOMED: tuple[Language, ...] = ("nl", "de")
KEPT: tuple[Language, ...] = ("en", "fr")
"""The languages of the sentences that are taken back after the backups, and of those that are not."""


def prove(size: Size) -> list[Figure]:
    """On each database."""
    figures = []
    with databases(size) as found:
        for name, server in found:
            figures += asyncio.run(campaign(size, name, server.new_database() if server else None))
    return figures


async def campaign(size: Size, name: str, url: str | None) -> list[Figure]:
    settings = VaultSettings(data=size.folder / name, trust_clock=True, database_url=url)
    folder, count, clock = size.folder / f"backups-{name}", size.choose(100, 4), Time()
    doomed: list[Appointment] = []
    async with open_store(settings, now=clock.now, boot=clock.boottime) as store:
        await store.retention.catch_up()
        person = await alice(store)
        said = [await store.sentences.say(of(person.id), language, language) for language in (*DOOMED, *KEPT)]
        whose = await somebody(store)
        beside = await somebody(store, "beside")
        kept, taken = await write_all(store, whose), await write_all(store, beside)
        for number in range(count):
            doomed += [await plan(store, person, f"doomed {number}-{part}") for part in range(3)]
            await plan(store, person, f"kept {number}", days=60)
            if number % 5 == 0:
                await store.practitioners.set_retention(of(person.id), "7d" if number % 10 else "30d")
            await asyncio.to_thread(data.write, settings, KINDS, folder, clock.now())
            clock.pass_(seconds=1)
        clock.pass_(days=40)
        destroyed = await store.retention.sweep()
        assert destroyed == len(doomed)
        for one in said[: len(DOOMED)]:
            await store.retention.destroy(of(person.id), one.id)
        await mark_all(store, taken)
        assert await store.retention.sweep() == len(taken)
        keys = await store.keys.every()
    given_back, opened, tried, living = 0, 0, 0, 0
    for number, backup in enumerate(sorted(folder.iterdir())):
        held = [one for one in doomed if int(one.patient.split()[1].split("-")[0]) <= number]
        gone = {*taken, *(one.id for one in held), *(one.id for one in said[: len(DOOMED)])}
        contents = await asyncio.to_thread(ciphertexts, backup, gone)
        assert len(contents) == len(gone), "the backup holds all of them"
        for content in contents:
            tried += 1
            opened += opens(content, keys)
        found = await restored(size, settings, backup, held, (*whose.owners, *beside.owners), clock)
        given_back, living = given_back + found[0] + len(set(found[2]) - set(kept)), living + found[1]
        assert set(found[2]) >= set(kept), "one of each kind came back"
    wanted = sum(range(1, count + 1))
    return [
        counted(f"{name}: records readable from restored backups after destruction", given_back, count, "backups"),
        counted(f"{name}: their ciphertexts that open with any of the operator's keys", opened, tried, "ciphertexts"),
        Figure(f"{name}: living appointments that came back", f"{wanted:,}", f"{living:,}", living == wanted),
    ]


def ciphertexts(backup: Path, ids: set[str]) -> list[Ciphertext]:
    """Of what was destroyed, as the backup holds it."""
    found = []
    with data.opened(sqlite_url(backup)) as engine, engine.connect() as connection:
        for kind in KINDS:
            rows = connection.execute(select(kind.table).where(kind.table.c.id.in_(ids)))
            found += [Ciphertext(row.content, kind.place(row.id, row.owner)) for row in rows]
    return found


async def restored(
    size: Size, settings: VaultSettings, backup: Path, doomed: list[Appointment], owners: Collection[str], clock: Time
) -> tuple[int, int, list[str]]:
    """How many of the doomed and of the kept are read, and which of one of each kind (``owners`` have those).

    On a fresh host, with key store, epoch key and root key of now, by every read path, before any sweep.
    """
    folder = size.folder / "fresh"
    for part in ("keys", "secrets"):
        await asyncio.to_thread(shutil.copytree, settings.data / part, folder / part)
    fresh = VaultSettings(data=folder, trust_clock=True)
    await data.restore(fresh, KINDS, backup)
    async with open_store(fresh, now=clock.now, boot=clock.boottime) as store:
        assert store.locked is None
        back = sum([await given(store, one) for one in doomed])
        person = await store.practitioners.by_mail(SERVER, "alice@example.org")
        assert person is not None
        days = (START.date() - timedelta(days=1), START.date() + timedelta(days=100))
        names = [one.patient for one in await store.appointments.list(of(person.id), *days)]
        said = [one.language for one in (await store.sentences.of(of(person.id))).sentences]
        each = [one.id for _, one in await readable(store, owners)]
    assert set(said) >= set(KEPT), "what was kept came back"
    back += len(set(said) & set(DOOMED)) + sum(name.startswith("doomed") for name in names)
    await asyncio.to_thread(shutil.rmtree, folder)
    return back, sum(name.startswith("kept") for name in names), each


async def given(store: Store, one: Appointment) -> bool:
    """Whether any read path gives it."""
    try:
        await store.appointments.get(of(one.owner), one.id)
    except DomainError:
        return await store.appointments.by_link(Scope.guest(one.id), one.secret) is not None
    return True
