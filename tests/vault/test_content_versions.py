"""Sealed content of every version: old ones open, what a newer program added stays, a newer one is kept as it is."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from practice.accounts.model import Practitioner
from practice.accounts.records import practitioners, profile_place, sessions
from practice.agenda import records as planned
from practice.agenda.model import Appointment
from practice.agenda.records import APPOINTMENT, appointments, content_place
from practice.kinds import KINDS
from practice.storage import Store
from tests.opening import Elsewhere, of, open_store
from tests.people import PASSWORD, START, Time, alice, charlie, plan
from vault import keystore
from vault.database.marks import accounts_behind
from vault.errors import DomainError, Newer, Unreadable
from vault.keys.envelope import Place, new_key, pack, seal, unpack, unseal
from vault.records.content import Layout, open_content, seal_content
from vault.records.records import Damaged
from vault.records.scope import SERVER, Scope
from vault.settings import VaultSettings

DAY = START.date()
PLACE = Place("table", "column", "row", "owner")
WORD = Layout(frozenset({"word"}))
Writer = Callable[[Store, Appointment, Time], Awaitable[object]]


async def content(store: Store, one: Appointment) -> dict[str, Any]:
    """What is sealed now."""
    key, _ = await store.keys.get(one.owner, one.id)
    async with store.database.read() as connection:
        query = select(appointments.c.content).where(appointments.c.id == one.id)
        return unpack(unseal(key, (await connection.execute(query)).scalar_one(), content_place(one.id, one.owner)))


async def put(store: Store, one: Appointment, fields: dict[str, Any]) -> None:
    key, _ = await store.keys.get(one.owner, one.id)
    sealed_again = seal(key, pack(fields), content_place(one.id, one.owner))
    async with store.database.write() as connection:
        await connection.execute(update(appointments).where(appointments.c.id == one.id).values(content=sealed_again))


async def profile(store: Store, person: Practitioner) -> dict[str, Any]:
    key, _ = await store.keys.get(person.id, person.id)
    async with store.database.read() as connection:
        query = select(practitioners.c.profile).where(practitioners.c.id == person.id)
        return unpack(unseal(key, (await connection.execute(query)).scalar_one(), profile_place(person.id)))


async def put_profile(store: Store, person: Practitioner, fields: dict[str, Any]) -> None:
    key, _ = await store.keys.get(person.id, person.id)
    sealed_again = seal(key, pack(fields), profile_place(person.id))
    async with store.database.write() as connection:
        await connection.execute(
            update(practitioners).where(practitioners.c.id == person.id).values(profile=sealed_again)
        )


async def made_newer(store: Store, one: Appointment) -> None:
    await put(store, one, {"version": APPOINTMENT.version + 1, "subject": "what a later program calls it"})


# --- the writers of an appointment ----------------------------------------------------------------------------------


async def by_a_new_setting(store: Store, one: Appointment, time: Time) -> None:
    await store.practitioners.set_retention(of(one.owner), "7d")


async def by_a_new_cap(store: Store, one: Appointment, time: Time) -> None:
    store.practitioners._planned._due_times._cap = timedelta(days=1)  # type: ignore[attr-defined]  # what follows a setting
    await store.practitioners.reschedule_all(SERVER)


async def by_its_end(store: Store, one: Appointment, time: Time) -> None:
    time.pass_(hours=1)
    await store.appointments.end(Scope.consult(one.id, one.owner), one.id)


async def by_opening_it_again(store: Store, one: Appointment, time: Time) -> None:
    time.pass_(hours=1)
    await store.appointments.end(Scope.consult(one.id, one.owner), one.id)
    await store.appointments.reopen(of(one.owner), one.id)


async def by_hastening(store: Store, one: Appointment, time: Time) -> None:
    assert (await store.retention.destroy_all(of(one.owner))).waiting == 1


WRITERS = (by_a_new_setting, by_a_new_cap, by_its_end, by_opening_it_again, by_hastening)


@pytest.mark.parametrize("write", WRITERS)
async def test_every_writer_brings_old_content_up_and_keeps_what_it_does_not_know(
    store: Store, elsewhere: Elsewhere, time: Time, write: Writer
) -> None:
    async def talking(_: str) -> bool:
        return True

    elsewhere.in_progress = talking
    person = await alice(store)
    one = await plan(store, person)
    first = {name: value for name, value in (await content(store, one)).items() if name != "version"}
    await put(store, one, {**first, "reason": ["a", {"b": None}], "colour": "red"})
    opened = await store.appointments.get(of(person.id), one.id)
    assert opened == one
    assert opened.unknown == {"reason": ["a", {"b": None}], "colour": "red"}
    assert "reason" not in repr(opened)
    await write(store, one, time)
    after = await content(store, one)
    assert after["version"] == APPOINTMENT.version
    assert (after["reason"], after["colour"]) == (["a", {"b": None}], "red")
    assert set(after) == {*first, "version", "reason", "colour"}
    changed = {name for name in first if after[name] != first[name]}
    assert changed <= {"due", "ended_at"}
    assert changed or write is by_opening_it_again


async def test_what_is_new_carries_its_version_and_a_profile_does_not_yet(store: Store) -> None:
    person = await alice(store)
    assert (await content(store, await plan(store, person)))["version"] == 1
    assert set(await profile(store, person)) == {"mail", "display_name", "language", "retention"}, (
        "a server of the first release takes every key for a field"
    )


async def test_a_profile_keeps_what_a_newer_program_added(store: Store) -> None:
    person = await alice(store)
    await put_profile(store, person, {**await profile(store, person), "title": "dr"})
    found = await store.practitioners.get(of(person.id))
    assert found == person
    assert found.unknown == {"title": "dr"}
    await store.practitioners.set_retention(of(person.id), "7d")
    after = await profile(store, person)
    assert (after["title"], after["retention"]) == ("dr", "7d")


# --- a newer version ------------------------------------------------------------------------------------------------


async def test_a_newer_version_is_kept_said_in_its_place_and_counted(store: Store, time: Time) -> None:
    person = await alice(store)
    one, other = await plan(store, person), await plan(store, person, hours=50)
    await made_newer(store, one)
    before = await content(store, one)
    agenda = await store.appointments.agenda(of(person.id), DAY, DAY + timedelta(days=3))
    assert agenda.appointments == [other]
    assert agenda.damaged == [Damaged(one.id, person.id, "planned", newer=True)]
    for attempt in (
        store.appointments.get(of(person.id), one.id),
        store.appointments.get(Scope.guest(one.id), one.id),
        store.appointments.end(Scope.consult(one.id, one.owner), one.id),
        store.appointments.reopen(of(person.id), one.id),
    ):
        with pytest.raises(Newer, match="unreadable"):
            await attempt
    assert await store.appointments.by_link(Scope.guest(one.id), one.secret) is None
    await store.practitioners.set_retention(of(person.id), "24h")
    time.pass_(hours=40)
    assert await store.retention.sweep() == 0
    status = await store.retention.status()
    assert (status.newer, status.unreadable, status.overdue) == (1, 0, 0)
    assert store.retention.damage == (0, 0), "nothing is damaged: the server is ready"
    assert await content(store, one) == before
    time.pass_(hours=60)
    assert await store.retention.sweep() == 1
    assert await content(store, one) == before


async def destroyed(store: Store, one: Appointment) -> None:
    await store.retention.destroy(of(one.owner), one.id)


async def destroyed_with_all(store: Store, one: Appointment) -> None:
    assert (await store.retention.destroy_all(of(one.owner))).destroyed == 1


async def destroyed_with_the_account(store: Store, one: Appointment) -> None:
    assert (await store.retention.close(of(one.owner))).receipt is not None


@pytest.mark.parametrize("end", [destroyed, destroyed_with_all, destroyed_with_the_account])
async def test_its_owner_destroys_a_newer_version_as_any_other(
    store: Store, end: Callable[[Store, Appointment], Awaitable[None]]
) -> None:
    person = await alice(store)
    one = await plan(store, person)
    await made_newer(store, one)
    await store.appointments.agenda(of(person.id), DAY, DAY)
    assert (await store.retention.status()).newer == 1
    await end(store, one)
    assert await store.keys.receipt(person.id, one.id) is not None
    assert await store.keys.missing([one.id]) == [one.id]
    async with store.database.read() as connection:
        assert (await connection.execute(select(appointments))).all() == []
    assert (await store.retention.status()).newer == 0


async def test_a_shorter_setting_reaches_a_newer_version_as_soon_as_somebody_can_read_it(
    store: Store, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await alice(store)
    one = await plan(store, person)
    later = replace(APPOINTMENT, upgrades=(dict,))
    await put(store, one, {**await content(store, one), "version": 2})
    assert await store.practitioners.set_retention(of(person.id), "24h") == 0
    await store.retention.sweep()
    time.pass_(hours=26)
    assert await store.retention.sweep() == 0, "this version cannot know"
    monkeypatch.setattr(planned, "APPOINTMENT", later)
    assert await store.retention.sweep() == 1, "a newer server beside it can"
    async with store.database.read() as connection:
        assert await accounts_behind(connection) == []


async def test_a_newer_profile_is_said_and_keeps_nobody_else_back(store: Store) -> None:
    person, other = await alice(store), await charlie(store)
    whole = await profile(store, person)
    await put_profile(store, person, {"version": 2, "mails": ["a"]})
    with pytest.raises(Newer, match="unreadable"):
        await store.practitioners.authenticate(person.mail, PASSWORD)
    await store.practitioners.reschedule_all(SERVER)
    assert (await store.retention.status()).newer == 1
    assert store.retention.damage == (0, 0)
    assert await store.practitioners.authenticate(other.mail, PASSWORD) == other
    await put_profile(store, person, whole)
    assert await store.practitioners.get(of(person.id)) == person
    assert (await store.retention.status()).newer == 0


async def test_keys_verify_tells_newer_from_damaged(settings: VaultSettings, time: Time) -> None:
    async with open_store(settings, now=time.now, boot=time.boottime) as store:
        person = await alice(store)
        await made_newer(store, await plan(store, person))
        (finding,) = (await keystore.verify(settings, KINDS, time.now)).findings
        assert finding.startswith("Rows that a newer version of this program wrote: 1.")


async def test_a_value_that_only_a_newer_program_knows_stops_nothing(store: Store) -> None:
    person = await alice(store)
    one, other = await plan(store, person), await plan(store, person)
    await put(store, one, {**await content(store, one), "language": "es"})
    agenda = await store.appointments.agenda(of(person.id), DAY, DAY)
    assert agenda.appointments == [other]
    assert agenda.damaged == [Damaged(one.id, person.id, "planned", newer=True)]
    await put_profile(store, person, {**await profile(store, person), "retention": "14d"})
    with pytest.raises(Newer):
        await plan(store, person)


# --- steps from version to version ----------------------------------------------------------------------------------


def in_cents(fields: dict[str, Any]) -> dict[str, Any]:
    return {**fields, "seconds": fields["minutes"] * 60}


def without_minutes(fields: dict[str, Any]) -> dict[str, Any]:
    return {
        "length": fields["seconds"],
        **{name: fields[name] for name in fields if name not in ("seconds", "minutes")},
    }


THIRD = Layout(frozenset({"length"}), (in_cents, without_minutes))


def test_steps_are_taken_one_by_one_from_where_the_content_is() -> None:
    key = new_key()
    for fields in (
        {"minutes": 2, "more": 1},
        {"version": 1, "minutes": 2, "more": 1},
        {"version": 2, "minutes": 2, "seconds": 120, "more": 1},
        {"version": 3, "length": 120, "more": 1},
    ):
        opened = open_content(key, THIRD, seal(key, pack(fields), PLACE), PLACE)
        assert opened == ({"length": 120}, {"more": 1})
    written = unpack(unseal(key, seal_content(key, THIRD, opened.fields, PLACE, opened.unknown), PLACE))
    assert written == {"more": 1, "length": 120, "version": 3}


async def test_a_later_program_opens_todays_rows_and_today_keeps_its_rows(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next version of an appointment, made up: looking changes nothing, writing brings it up for good."""
    person = await alice(store)
    one = await plan(store, person)
    today = await content(store, one)

    def step(fields: dict[str, Any]) -> dict[str, Any]:
        return {**fields, "patient": fields["patient"].upper()}

    with monkeypatch.context() as later:
        later.setattr(planned, "APPOINTMENT", replace(APPOINTMENT, upgrades=(step,)))
        assert (await store.appointments.get(of(person.id), one.id)).patient == one.patient.upper()
        assert await content(store, one) == today
        await store.practitioners.set_retention(of(person.id), "7d")
        assert (await content(store, one))["version"] == 2
        assert (await content(store, one))["patient"] == one.patient.upper()
    with pytest.raises(Newer):
        await store.appointments.get(of(person.id), one.id)


def test_bare_content_gets_its_mark_with_the_second_version() -> None:
    key = new_key()
    for layout, written in (
        (Layout(frozenset({"word"}), bare=True), {"word": "x"}),
        (Layout(frozenset({"word"}), (dict,), bare=True), {"word": "x", "version": 2}),
        (WORD, {"word": "x", "version": 1}),
    ):
        assert unpack(unseal(key, seal_content(key, layout, {"word": "x"}, PLACE), PLACE)) == written


@pytest.mark.parametrize("mark", [0, -1, True, 1.0, "1", None, [1]])
def test_a_version_that_is_none_is_damage(mark: object) -> None:
    key = new_key()
    with pytest.raises(Unreadable) as refused:
        open_content(key, WORD, seal(key, pack({"word": "x", "version": mark}), PLACE), PLACE)
    assert not isinstance(refused.value, Newer)


@pytest.mark.parametrize("plain", [b"", b"[]", b"null", b'"word"', b"{", b"\xff", b'{"version": 1}', b'{"words": 1}'])
def test_content_that_is_none_is_damage_and_never_a_missing_key(plain: bytes) -> None:
    key = new_key()
    with pytest.raises(Unreadable):
        open_content(key, WORD, seal(key, plain, PLACE), PLACE)


def test_a_field_that_is_no_part_of_the_content_is_not_sealed() -> None:
    with pytest.raises(ValueError, match="fields"):
        seal_content(new_key(), WORD, {"word": "x", "more": 1}, PLACE)


# --- columns of numbers ---------------------------------------------------------------------------------------------


async def test_text_where_a_number_stands_is_damage_of_that_row(sqlite_store: Store) -> None:
    store = sqlite_store
    person, other = await alice(store), await charlie(store)
    one, second = await plan(store, person), await plan(store, person)
    async with store.database.write() as connection:
        await connection.exec_driver_sql("UPDATE appointments SET version = 'x' WHERE id = ?", (one.id,))
        await connection.exec_driver_sql("UPDATE practitioners SET version = 'x' WHERE id = ?", (other.id,))
    agenda = await store.appointments.agenda(of(person.id), DAY, DAY)
    assert (agenda.appointments, [lost.id for lost in agenda.damaged]) == ([second], [one.id])
    with pytest.raises(DomainError, match="unreadable"):
        await store.practitioners.set_retention(of(other.id), "7d")


@pytest.mark.parametrize("column", ["used", "created"])
async def test_text_in_a_session_ends_it(sqlite_store: Store, column: str) -> None:
    store = sqlite_store
    token = await store.sessions.create((await alice(store)).id)
    async with store.database.write() as connection:
        await connection.execute(update(sessions).values({sessions.c[column]: sessions.c.token}))
    assert await store.sessions.practitioner(token) is None
