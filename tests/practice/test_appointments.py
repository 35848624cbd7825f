"""Appointments: planned, found, ended; Charlie never gets in."""

import asyncio
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from practice.agenda.model import Appointment
from practice.storage import Store
from tests.opening import of
from tests.people import START, Time, alice, charlie, plan
from vault.errors import DomainError
from vault.records import reading
from vault.records.scope import Scope

OVERRUN = timedelta(minutes=30)
"""As documents and pages say it."""

DAY = START.date()
UNKNOWN = "AAAAAAAAAAAAAAAAAAAAAA"


async def test_an_appointment_comes_back_as_it_was_planned(store: Store) -> None:
    person = await alice(store)
    planned = await plan(store, person, "Zoë 🌷 المريض")
    assert (planned.owner, planned.patient, planned.minutes, planned.state) == (
        person.id,
        "Zoë 🌷 المريض",
        30,
        "planned",
    )
    assert planned.due == planned.ends_at + OVERRUN + timedelta(days=30)
    assert await store.appointments.get(of(person.id), planned.id) == planned
    assert await store.appointments.get(Scope.guest(planned.id), planned.id) == planned


async def test_charlie_cannot_open_the_appointment_of_alice(store: Store) -> None:
    planned, other = await plan(store, await alice(store)), await charlie(store)
    with pytest.raises(DomainError, match="not_found"):
        await store.appointments.get(of(other.id), planned.id)
    assert await store.appointments.list(of(other.id), DAY, DAY) == []
    with pytest.raises(DomainError, match="not_found"):
        await store.retention.destroy(of(other.id), planned.id)
    assert (await store.appointments.get(Scope.guest(planned.id), planned.id)) == planned


async def test_the_list_holds_the_days_asked_for_in_order_of_time(store: Store) -> None:
    person = await alice(store)
    late = await plan(store, person, "late", hours=5)
    early = await plan(store, person, "early", hours=1)
    tomorrow = await plan(store, person, "tomorrow", days=1)
    assert await store.appointments.list(of(person.id), DAY, DAY) == [early, late]
    assert await store.appointments.list(of(person.id), DAY, DAY + timedelta(days=1)) == [early, late, tomorrow]
    assert await store.appointments.list(of(person.id), DAY + timedelta(days=2), DAY + timedelta(days=9)) == []


async def test_a_day_is_the_local_day_of_the_appointment(store: Store) -> None:
    person = await alice(store)
    midnight = datetime(2027, 3, 2, 0, 30, tzinfo=timezone(timedelta(hours=1)))  # 1 March 23:30 in UTC
    planned = await store.appointments.create(of(person.id), "Jan", midnight, 30, "nl")
    assert planned.starts_at.utcoffset() == timedelta(hours=1)
    assert await store.appointments.list(of(person.id), date(2027, 3, 2), date(2027, 3, 2)) == [planned]
    assert await store.appointments.list(of(person.id), date(2027, 3, 1), date(2027, 3, 1)) == []


@pytest.mark.parametrize(
    ("patient", "start", "minutes", "language"),
    [
        ("", START, 30, "nl"),
        ("   ", START, 30, "nl"),
        ("x" * 201, START, 30, "nl"),
        ("Jan", START, 4, "nl"),
        ("Jan", START, 481, "nl"),
        ("Jan", START, 30, "xx"),
        ("Jan", START.replace(tzinfo=None), 30, "nl"),
        ("Jan", START - timedelta(days=60), 30, "nl"),
    ],
)
async def test_what_makes_no_appointment_is_refused(
    sqlite_store: Store, patient: str, start: datetime, minutes: int, language: str
) -> None:
    person = await alice(sqlite_store)
    with pytest.raises(DomainError, match="invalid"):
        await sqlite_store.appointments.create(of(person.id), patient, start, minutes, language)  # type: ignore[arg-type]  # the type refuses it as well


async def test_nobody_plans_for_a_practitioner_that_does_not_exist(store: Store) -> None:
    with pytest.raises(DomainError, match="not_found"):
        await store.appointments.create(of(UNKNOWN), "Jan", START, 30, "nl")


async def test_a_link_leads_to_its_appointment_as_often_as_it_is_opened(store: Store) -> None:
    planned = await plan(store, await alice(store))
    for _ in range(3):
        visit = await store.appointments.by_link(Scope.guest(planned.id), planned.secret)
        assert visit is not None and visit.appointment == planned


@pytest.mark.parametrize("damage", ["secret", "id", "swapped", "empty", "odd", "long", "nobody", "nul", "letters"])
async def test_any_other_link_leads_nowhere(store: Store, damage: str) -> None:
    person = await alice(store)
    planned, other = await plan(store, person), await plan(store, person)
    row, secret = {
        "secret": (planned.id, UNKNOWN),
        "id": (UNKNOWN, planned.secret),
        "swapped": (planned.id, other.secret),
        "empty": ("", ""),
        "odd": ("é' OR 1=1 --", "💣"),
        "long": ("A" * 100_000, "A" * 100_000),
        "nobody": ("nobody", ""),
        "nul": ("\0" * 22, "\0"),
        "letters": (planned.id.swapcase(), planned.secret),
    }[damage]
    assert await store.appointments.by_link(Scope.guest(row), secret) is None


async def test_an_unknown_link_makes_the_same_decryptions(sqlite_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    planned = await plan(sqlite_store, await alice(sqlite_store))
    await sqlite_store.appointments.by_link(Scope.guest(UNKNOWN), "")
    opened: list[int] = []

    class Counting:
        def __init__(self, key: bytes) -> None:
            self._cipher = AESGCM(key)

        def decrypt(self, nonce: bytes, data: bytes, aad: bytes) -> bytes:
            opened.append(len(data))
            return self._cipher.decrypt(nonce, data, aad)

    monkeypatch.setattr("vault.keys.envelope.AESGCM", Counting)
    await sqlite_store.appointments.by_link(Scope.guest(planned.id), UNKNOWN)
    wrong, opened[:] = list(opened), []
    for unknown in (UNKNOWN, "no id at all"):
        await sqlite_store.appointments.by_link(Scope.guest(unknown), UNKNOWN)
        assert opened == wrong
        opened.clear()
    assert len(wrong) == 5, "group, practitioner, both data keys, content"


async def test_the_first_end_of_a_consult_counts(store: Store, time: Time) -> None:
    person = await alice(store)
    planned = await plan(store, person)
    time.pass_(hours=1, minutes=20)
    ended = await store.appointments.end(Scope.consult(planned.id, planned.owner), planned.id)
    assert (ended.state, ended.ended_at, ended.due) == ("ended", time.wall, time.wall + timedelta(days=30))
    time.pass_(minutes=1)
    assert await store.appointments.end(Scope.consult(planned.id, planned.owner), planned.id) == ended
    assert await store.appointments.get(of(person.id), planned.id) == ended


async def test_an_end_is_taken_back(store: Store, time: Time) -> None:
    person = await alice(store)
    planned = await plan(store, person)
    assert await store.appointments.reopen(of(person.id), planned.id) == planned
    await store.appointments.end(Scope.consult(planned.id, planned.owner), planned.id)
    time.pass_(minutes=1)
    opened = await store.appointments.reopen(of(person.id), planned.id)
    assert (opened.state, opened.ended_at, opened.due) == ("planned", None, planned.due)
    visit = await store.appointments.by_link(Scope.guest(planned.id), planned.secret)
    assert visit is not None and visit.appointment == opened


async def test_an_end_that_was_due_is_not_taken_back(store: Store, time: Time) -> None:
    person = await alice(store)
    await store.practitioners.set_retention(of(person.id), "end")
    planned = await plan(store, person)
    await store.appointments.end(Scope.consult(planned.id, planned.owner), planned.id)
    with pytest.raises(DomainError, match="gone"):
        await store.appointments.reopen(of(person.id), planned.id)
    await store.retention.sweep()
    with pytest.raises(DomainError, match="gone"):
        await store.appointments.reopen(of(person.id), planned.id)


async def test_nobody_opens_what_is_somebody_elses(store: Store) -> None:
    planned = await plan(store, await alice(store))
    await store.appointments.end(Scope.consult(planned.id, planned.owner), planned.id)
    with pytest.raises(DomainError, match="not_found"):
        await store.appointments.reopen(of(UNKNOWN), planned.id)


async def test_what_does_not_exist_is_not_found(store: Store) -> None:
    person = await alice(store)
    for attempt in (
        store.appointments.get(of(person.id), UNKNOWN),
        store.appointments.get(Scope.guest(UNKNOWN), UNKNOWN),
        store.appointments.end(Scope.consult(UNKNOWN, UNKNOWN), UNKNOWN),
        store.retention.destroy(of(person.id), UNKNOWN),
    ):
        with pytest.raises(DomainError, match="not_found"):
            await attempt


async def test_nothing_personal_is_in_repr(store: Store) -> None:
    planned: Appointment = await plan(store, await alice(store))
    text = repr(planned)
    assert "Jansen" not in text
    assert planned.secret not in text
    assert "datetime" not in text


@pytest.mark.duty("S-15")
async def test_a_row_swapped_between_owners_or_rows_fails_closed(store: Store) -> None:
    one, other = await alice(store), await charlie(store)
    mine, theirs, second = await plan(store, one), await plan(store, other, "Piet"), await plan(store, one, "Kees")
    foreign = f"SELECT content FROM appointments WHERE id = '{theirs.id}'"
    statements = [
        f"UPDATE appointments SET content = ({foreign}) WHERE id = '{mine.id}'",
        f"UPDATE appointments SET owner = '{one.id}' WHERE id = '{theirs.id}'",
    ]
    async with store.database.write() as connection:
        for statement in statements:
            await connection.exec_driver_sql(statement)
    for owner, row in ((one, mine), (one, theirs)):
        with pytest.raises(DomainError, match="unreadable"):
            await store.appointments.get(of(owner.id), row.id)
    assert await store.appointments.by_link(Scope.guest(theirs.id), theirs.secret) is None
    assert await store.appointments.list(of(one.id), DAY, DAY) == [second]
    assert await store.appointments.by_link(Scope.guest(mine.id), mine.secret) is None


async def test_many_at_once_all_stay(store: Store) -> None:
    person = await alice(store)
    made = await asyncio.gather(*(plan(store, person, f"Patient {n}", minutes=n) for n in range(40)))
    assert list(await store.appointments.list(of(person.id), DAY, DAY)) == list(made)
    assert len({planned.secret for planned in made}) == 40
    assert all(planned.due and planned.due.tzinfo == UTC for planned in made)


async def test_a_full_agenda_does_not_hold_up_others(sqlite_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "AT_ONCE", 2)
    person = await alice(sqlite_store)
    for number in range(5):
        await plan(sqlite_store, person, f"Patient {number}", minutes=number)
    seen: list[str] = []
    plain = sqlite_store.appointments._reader._whole

    def noted(*given: Any) -> Any:
        seen.append("row")
        return plain(*given)

    monkeypatch.setattr(sqlite_store.appointments._reader, "_whole", noted)

    async def others() -> None:
        while True:
            seen.append("another")
            await asyncio.sleep(0)

    busy = asyncio.create_task(others())
    assert len(await sqlite_store.appointments.list(of(person.id), DAY, DAY)) == 5
    busy.cancel()
    turns = "".join("r" if one == "row" else "." for one in seen).strip(".")
    assert turns.count("r") == 5
    assert "rrr" not in turns


@pytest.mark.parametrize("happening", ["destroyed", "due"])
async def test_what_goes_while_its_end_is_taken_back_is_gone(
    store: Store, time: Time, monkeypatch: pytest.MonkeyPatch, happening: str
) -> None:
    person = await alice(store)
    planned = await plan(store, person)
    await store.appointments.end(Scope.consult(planned.id, planned.owner), planned.id)
    plain = store.appointments.get

    async def meanwhile(scope: Scope, appointment: str) -> Appointment:
        found = await plain(scope, appointment)
        if happening == "destroyed":
            await store.retention.destroy(of(person.id), planned.id)
        else:
            time.pass_(days=40)
        return found

    monkeypatch.setattr(store.appointments, "get", meanwhile)
    with pytest.raises(DomainError, match="gone"):
        await store.appointments.reopen(of(person.id), planned.id)


async def test_nothing_ends_in_an_account_whose_key_is_gone(store: Store, time: Time) -> None:
    person = await alice(store)
    planned = await plan(store, person)
    await store.keys.destroy([(person.id, person.id)], time.now())
    with pytest.raises(DomainError, check=lambda error: error.code in ("gone", "not_found")):
        await store.appointments.end(Scope.consult(planned.id, person.id), planned.id)
