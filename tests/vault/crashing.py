"""Runs a scenario over and over, each time killed one durable step later.

    python -m tests.vault.crashing SCENARIO TEMPLATE FOLDER STRIDE

Copies the data folder TEMPLATE to FOLDER/0, FOLDER/1, … and runs SCENARIO in each, in a process that kills itself
before its n-th durable step; the last one finishes. Of STRIDE steps one is tried. What was acknowledged stands in
FOLDER/n.acknowledged. Prints how many steps it took.
"""

import asyncio
import os
import shutil
import sqlite3
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from random import randrange
from typing import Any

from sqlalchemy import event

from practice.legal.model import Demand, Operator
from practice.storage import Store
from tests.opening import of, open_store
from tests.organisations import PRACTICE
from tests.people import START, Time
from tests.vault.killing import Killer, counted
from vault.database import database as databases
from vault.errors import DomainError
from vault.keys import files, sqlite
from vault.records.scope import SERVER, Scope
from vault.settings import VaultSettings

DUE_BY = 40  # days
STRIDE = 1 if os.environ.get("PROVE") else 4
"""Of how many steps one is tried: all where it is proven, some others at each run of the tests."""

Scenario = Callable[[Store, Callable[[str], None]], Awaitable[None]]


async def sweep(store: Store, acknowledge: Callable[[str], None]) -> None:
    """Destroy what is due."""
    await store.retention.catch_up()


async def create(store: Store, acknowledge: Callable[[str], None]) -> None:
    """Two new appointments, one of which ends."""
    person = await store.practitioners.by_mail(SERVER, "alice@example.org")
    assert person is not None
    for name in ("first", "second"):
        made = await store.appointments.create(of(person.id), name, START, 30, "nl")
        acknowledge(f"{made.id} planned {name}")
    await store.appointments.end(Scope.consult(made.id, made.owner), made.id)
    acknowledge(f"{made.id} ended second")


async def setting(store: Store, acknowledge: Callable[[str], None]) -> None:
    """Another retention for everything."""
    person = await store.practitioners.by_mail(SERVER, "alice@example.org")
    assert person is not None
    await store.practitioners.set_retention(of(person.id), "90d")
    acknowledge("90d")


async def sentences(store: Store, acknowledge: Callable[[str], None]) -> None:
    """One anew, one for the first time, and both taken back; then the account ends."""
    person = await store.practitioners.by_mail(SERVER, "alice@example.org")
    assert person is not None
    scope = of(person.id)
    for language, text in (("nl", "anders"), ("en", "new")):
        said = await store.sentences.say(scope, language, text)  # type: ignore[arg-type]  # both are languages
        acknowledge(f"said {language} {text}")
    await store.retention.destroy(scope, said.id)
    acknowledge(f"destroyed {said.id}")
    await store.retention.close(scope)
    acknowledge("closed")


async def handing(store: Store, acknowledge: Callable[[str], None]) -> None:
    """What Alice has to come goes to Charlie."""
    people = [await store.practitioners.by_mail(SERVER, f"{name}@example.org") for name in ("alice", "charlie")]
    giver, taker = [person.id for person in people if person]
    await store.retention.handing.ask(giver, taker, taker)
    acknowledge("asked")
    await store.retention.handing.carry_out()
    acknowledge("handed over")


async def preserving(store: Store, acknowledge: Callable[[str], None]) -> None:
    """A law demands that one be kept; then all of it is to be destroyed, by the sweep and by hand."""
    person = await store.practitioners.by_mail(SERVER, "alice@example.org")
    assert person is not None
    await store.organisation.establish(Scope.operator(), PRACTICE)
    until = datetime.fromisoformat(f"{store.clock.now():%Y-%m-%dT%H:%M:%S%z}") + timedelta(days=60)
    made = await store.appointments.create(of(person.id), "wanted", START + timedelta(days=DUE_BY), 30, "nl")
    acknowledge(f"planned {made.id}")
    two = [Operator(name, "", name, "", 0, START) for name in ("Anna", "Ben")]
    demand = Demand("an authority", "a law")
    await store.disclosures.preserve(Scope.operator(person.id), [made.id], until, demand, two)
    acknowledge("kept")
    with suppress(DomainError):
        await store.retention.destroy(of(person.id), made.id)
    acknowledge("asked by hand")
    await store.retention.close(of(person.id))
    acknowledge("closed")


SCENARIOS: dict[str, tuple[Scenario, int]] = {
    "sweep": (sweep, DUE_BY),
    "create": (create, 0),
    "setting": (setting, 0),
    "sentences": (sentences, 0),
    "handing": (handing, 0),
    "preserving": (preserving, 0),
}


def watch(killer: Killer) -> None:
    """Count before everything that changes a disk; what comes after one step comes before the next."""
    for owner, name in (
        (files, "write_new"),
        (files, "flush_folder"),
        (sqlite, "truncate_wal"),
        (os, "fsync"),
        (Path, "unlink"),
    ):
        counted(killer, owner, name)

    class Counted(sqlite3.Connection):
        def commit(self) -> None:
            killer.count()
            super().commit()

    plain_connect = sqlite3.connect
    sqlite3.connect = lambda *args, **kwargs: plain_connect(*args, **{"factory": Counted, **kwargs})
    plain_listen = databases.listen

    def listen(engine: Any) -> None:
        plain_listen(engine)
        event.listen(engine, "commit", killer.count)

    databases.listen = listen


async def run(scenario: Scenario, days: int, folder: Path, killer: Killer) -> None:
    time = Time()
    time.pass_(days=days)
    settings = VaultSettings(data=folder, trust_clock=True)
    with folder.with_suffix(".acknowledged").open("a") as file:

        def acknowledge(line: str) -> None:
            file.write(line + "\n")
            file.flush()

        async with open_store(settings, now=time.now, boot=time.boottime) as store:
            killer.armed = True
            await scenario(store, acknowledge)


def main(name: str, template: str, place: str, stride: str) -> int:
    scenario, days = SCENARIOS[name]
    for fatal in range(randrange(int(stride)), 10_000, int(stride)):
        folder = Path(place, str(fatal))
        shutil.copytree(template, folder)
        child = os.fork()
        if child == 0:
            killer = Killer(fatal)
            watch(killer)
            asyncio.run(run(scenario, days, folder, killer))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status):
            return os.WEXITSTATUS(status) or fatal + 1
    raise AssertionError("it never finished")


if __name__ == "__main__":
    print(main(*sys.argv[1:]))
