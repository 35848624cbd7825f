"""A list of some days opens what begins in them, and what it has not seen yet; nothing stays known of what is gone."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import pytest

from practice.accounts.model import Practitioner
from practice.agenda.model import Appointment
from practice.agenda.starts import KnownStart, Starts
from practice.storage import Store
from tests.opening import of
from tests.people import START, Time, alice, charlie, plan
from vault.database.database import Database
from vault.keys.store import KeyStore

DAYS = 5


@contextmanager
def opened_rows(patch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Ids of the rows that are opened meanwhile."""
    found: list[str] = []
    real = KeyStore.get_many

    async def note(self: KeyStore, wanted: Iterable[tuple[str, str]]) -> dict[str, bytes]:
        pairs = list(wanted)
        found.extend(row_id for _, row_id in pairs)
        return await real(self, pairs)

    with patch.context() as now:
        now.setattr(KeyStore, "get_many", note)
        yield found


async def planned(store: Store, person: Practitioner) -> list[Appointment]:
    return [await plan(store, person, f"Day {day}", days=day) for day in range(DAYS)]


async def names(store: Store, person: Practitioner, day: date) -> list[str]:
    return [one.patient for one in await store.appointments.list(of(person.id), day, day)]


async def test_a_second_list_opens_the_days_that_are_asked_for(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    person = await alice(store)
    rows = await planned(store, person)
    with opened_rows(monkeypatch) as opened:
        for number, one in enumerate(rows):
            assert await names(store, person, one.starts_at.date()) == [f"Day {number}"]
            assert len(opened) == DAYS + number
    assert await names(store, person, (START + timedelta(days=DAYS)).date()) == []


async def test_what_is_new_or_has_changed_is_opened_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    person = await alice(store)
    rows = await planned(store, person)
    first = rows[0].starts_at.date()
    await names(store, person, first)
    await store.appointments.end(of(person.id), rows[3].id)
    added = await plan(store, person, "Added", days=9)
    with opened_rows(monkeypatch) as opened:
        assert await names(store, person, first) == ["Day 0"]
    assert sorted(opened) == sorted([rows[0].id, rows[3].id, added.id])


async def test_nothing_stays_known_of_what_is_destroyed(store: Store, time: Time) -> None:
    person = await alice(store)
    rows = await planned(store, person)
    await names(store, person, rows[0].starts_at.date())
    starts = store.appointments._starts
    assert set(starts._owners) == {one.id for one in rows}
    await store.retention.destroy(of(person.id), rows[2].id)
    assert rows[2].id not in starts._owners and rows[2].id not in starts._of[person.id]
    time.pass_(days=60)
    await store.retention.sweep()
    assert not starts._owners and not starts._of


def test_whose_list_was_asked_for_longest_ago_is_forgotten_first() -> None:
    starts = Starts(most=4)
    for owner in ("alice", "bob", "carla"):
        starts.keep(owner, {f"{owner}-{number}": KnownStart(1, START) for number in range(2)})

    def known(owner: str) -> int:
        listed = [(f"{owner}-{number}", 1) for number in range(2)]
        return len(starts.outside(owner, listed, lambda moment: False))

    assert [known(one) for one in ("alice", "bob", "carla")] == [0, 2, 2]


async def test_of_many_rows_all_of_the_owners_are_asked_for(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    person, other = await alice(store), await charlie(store)
    rows = await planned(store, person)
    await planned(store, other)
    monkeypatch.setattr("practice.agenda.store.FEW", DAYS - 1)
    found = await store.appointments.list(of(person.id), START.date(), START.date() + timedelta(days=DAYS))
    assert {one.id for one in found} == {one.id for one in rows}


async def test_where_each_has_to_be_opened_the_rows_are_asked_for_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await alice(store)
    rows = await planned(store, person)
    asked: list[str] = []
    real = Database.ask

    async def note(self: Database, statement: Any, parameters: Any = None) -> Any:
        asked.append(str(statement))
        return await real(self, statement, parameters)

    monkeypatch.setattr(Database, "ask", note)
    for _ in range(2):  # nothing is known of them; then, that all of them are asked for
        asked.clear()
        found = await store.appointments.list(of(person.id), START.date(), START.date() + timedelta(days=DAYS))
        assert {one.id for one in found} == {one.id for one in rows}
        assert len([one for one in asked if "FROM appointments" in one]) == 1
    asked.clear()
    assert await names(store, person, rows[1].starts_at.date()) == ["Day 1"]
    assert len([one for one in asked if "FROM appointments" in one]) == 2
