"""An appointment is corrected in place: its link stays, its end moves with its destruction, and nobody is overtaken."""

import asyncio
from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import select, update

from practice.agenda.changes import Clash, Correction
from practice.agenda.model import Appointment
from practice.agenda.records import appointments, seal_appointment
from practice.storage import Store
from tests.opening import Elsewhere, of
from tests.people import START, Time, alice, charlie, plan
from vault.errors import DomainError
from vault.records.scope import Scope

OVERRUN = timedelta(minutes=30)
"""As documents and pages say it."""

MONTH = timedelta(days=30)


async def corrected(store: Store, one: Appointment, **told: Any) -> Appointment:
    return await store.appointments.change(of(one.owner), one.id, Correction(one.version, **told))


async def refused(store: Store, one: Appointment, **told: Any) -> tuple[str, str | None]:
    """Code and field, and nothing is another."""
    before = await stored(store, one.id)
    with pytest.raises(DomainError) as caught:
        await corrected(store, one, **told)
    assert await stored(store, one.id) == before
    return caught.value.code, caught.value.field


async def stored(store: Store, row_id: str) -> Any:
    async with store.database.read() as connection:
        return (await connection.execute(select(appointments).where(appointments.c.id == row_id))).one()


async def test_all_that_may_change_changes_and_the_link_stays(store: Store) -> None:
    one = await plan(store, await alice(store))
    key, _ = await store.keys.get(one.owner, one.id)
    later = START + timedelta(days=3)
    after = await corrected(store, one, patient=" Piet ", starts_at=later, minutes=45, language="fr")
    assert (after.patient, after.starts_at, after.minutes, after.language) == ("Piet", later, 45, "fr")
    assert (after.version, after.state) == (one.version + 1, "planned")
    visit = await store.appointments.by_link(Scope.guest(one.id), one.secret)
    assert visit is not None and visit.appointment == after
    assert (await store.keys.get(one.owner, one.id))[0] == key, "sealed anew under its own key"
    assert await store.appointments.list(of(one.owner), later.date(), later.date()) == [after]
    assert await store.appointments.list(of(one.owner), START.date(), START.date()) == []


@pytest.mark.duty("S-29")
async def test_its_destruction_follows_from_the_new_end(store: Store) -> None:
    person = await alice(store)
    one = await plan(store, person, days=9)
    earlier = await corrected(store, one, starts_at=START + timedelta(days=2), minutes=60)
    assert earlier.due == earlier.ends_at + OVERRUN + MONTH
    assert (await stored(store, one.id)).due_day == (START + timedelta(days=2) + MONTH).date()
    await store.practitioners.set_retention(of(person.id), "24h")
    again = await store.appointments.get(of(person.id), one.id)
    assert again.version == earlier.version + 1, "whoever saw it before is overtaken"
    moved = await corrected(store, again, starts_at=START + timedelta(days=4))
    assert moved.due == moved.ends_at + OVERRUN + timedelta(days=1), "by the setting as it is now"


async def test_it_is_destroyed_at_its_new_time_and_not_at_the_old_one(store: Store, time: Time) -> None:
    person = await alice(store)
    await store.practitioners.set_retention(of(person.id), "end")
    soon, late = await plan(store, person, hours=1), await plan(store, person, hours=5)
    await store.retention.sweep()
    soon = await corrected(store, soon, starts_at=START + timedelta(hours=5))
    late = await corrected(store, late, starts_at=START + timedelta(hours=1))
    time.pass_(hours=3)
    assert await store.retention.sweep() == 1
    assert await store.appointments.get(of(person.id), soon.id) == soon
    with pytest.raises(DomainError, match="gone"):
        await store.appointments.get(of(person.id), late.id)


async def test_what_was_not_seen_is_not_written_over(store: Store) -> None:
    one = await plan(store, await alice(store))
    after = await corrected(store, one, patient="Piet")
    with pytest.raises(Clash, match="conflict") as clash:
        await corrected(store, one, minutes=60)
    assert clash.value.current == after
    assert await store.appointments.get(of(one.owner), one.id) == after


async def test_who_works_for_somebody_is_overtaken_and_reads_no_name(store: Store) -> None:
    one = await plan(store, await alice(store))
    assisting = of(one.owner).assisting(one.owner, "initials")
    after = await store.appointments.change(assisting, one.id, Correction(one.version, minutes=45))
    assert (after.patient, after.minutes) == ("J. J.", 45)
    with pytest.raises(Clash) as clash:
        await store.appointments.change(assisting, one.id, Correction(one.version, minutes=60))
    assert clash.value.current == after
    assert (await store.appointments.get(of(one.owner), one.id)).patient == one.patient, "it was not sent, and stays"


async def test_of_two_at_once_one_is_told(store: Store) -> None:
    one = await plan(store, await alice(store))
    tries = (corrected(store, one, minutes=length) for length in (20, 40))
    found = await asyncio.gather(*tries, return_exceptions=True)
    done = [each for each in found if isinstance(each, Appointment)]
    told = [each for each in found if isinstance(each, Clash)]
    assert len(done) == len(told) == 1
    assert told[0].current == done[0] == await store.appointments.get(of(one.owner), one.id)


async def test_nothing_new_writes_nothing(store: Store) -> None:
    one = await plan(store, await alice(store))
    before = await stored(store, one.id)
    same = one.starts_at.astimezone(timezone(timedelta(hours=5)))
    assert await corrected(store, one, patient=one.patient, starts_at=same, minutes=30, language="nl") == one
    assert await stored(store, one.id) == before


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({"patient": "\u200b"}, "patient"),
        ({"patient": "x" * 201}, "patient"),
        ({"minutes": 4}, "minutes"),
        ({"minutes": 481}, "minutes"),
        ({"language": "xx"}, "language"),
        ({"starts_at": START.replace(tzinfo=None)}, "starts_at"),
        ({"starts_at": START + timedelta(days=732)}, "starts_at"),
        ({"starts_at": START - timedelta(days=60)}, "starts_at"),
    ],
)
async def test_what_makes_no_appointment_changes_none(sqlite_store: Store, told: Any, field: str) -> None:
    one = await plan(sqlite_store, await alice(sqlite_store))
    assert await refused(sqlite_store, one, **told) == ("invalid", field)


async def test_a_length_with_which_it_would_be_gone_is_refused(sqlite_store: Store, time: Time) -> None:
    person = await alice(sqlite_store)
    await sqlite_store.practitioners.set_retention(of(person.id), "end")
    one = await plan(sqlite_store, person, hours=1)
    time.pass_(hours=1, minutes=50)
    assert await refused(sqlite_store, one, minutes=5) == ("invalid", "minutes")


async def test_a_consult_that_is_held_keeps_its_begin_and_language(sqlite_store: Store) -> None:
    one = await plan(sqlite_store, await alice(sqlite_store))
    for told in ({"starts_at": START}, {"language": "de"}):
        assert (await refused(sqlite_store, one, held=True, **told))[0] == "bad_state"
    after = await corrected(sqlite_store, one, held=True, patient="Piet", minutes=60, starts_at=one.starts_at)
    assert (after.patient, after.minutes, after.starts_at) == ("Piet", 60, one.starts_at)


async def test_what_is_over_stays_as_it_was(sqlite_store: Store) -> None:
    one = await plan(sqlite_store, await alice(sqlite_store))
    ended = await sqlite_store.appointments.end(Scope.consult(one.id, one.owner), one.id)
    assert (await refused(sqlite_store, ended, patient="Piet"))[0] == "ended"
    other = await plan(sqlite_store, await charlie(sqlite_store))
    await sqlite_store.retention.destroy(of(other.owner), other.id)
    with pytest.raises(DomainError, match="gone"):
        await corrected(sqlite_store, other, patient="Piet")


async def test_past_its_due_time_only_the_consult_that_is_held_is_corrected(
    sqlite_store: Store, elsewhere: Elsewhere, time: Time
) -> None:
    async def runs(_: str) -> bool:
        return True

    elsewhere.in_progress = runs
    person = await alice(sqlite_store)
    await sqlite_store.practitioners.set_retention(of(person.id), "end")
    one = await plan(sqlite_store, person, hours=1)
    time.pass_(hours=3)
    assert (await refused(sqlite_store, one, patient="Piet"))[0] == "gone"
    assert (await corrected(sqlite_store, one, held=True, patient="Piet")).patient == "Piet"


async def test_what_a_newer_program_keeps_beside_it_stays(sqlite_store: Store) -> None:
    one = await plan(sqlite_store, await alice(sqlite_store))
    key, _ = await sqlite_store.keys.get(one.owner, one.id)
    values = seal_appointment(key, replace(one, unknown={"colour": "blue"}))
    async with sqlite_store.database.write() as connection:
        await connection.execute(update(appointments).where(appointments.c.id == one.id).values(values))
    assert (await corrected(sqlite_store, one, patient="Piet")).unknown == {"colour": "blue"}
    assert (await sqlite_store.appointments.get(of(one.owner), one.id)).unknown == {"colour": "blue"}
