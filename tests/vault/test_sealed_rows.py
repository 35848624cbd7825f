"""Ciphertext moved by hand, in real rows: between rows, columns, owners, tables and schemas it fails closed."""

from typing import Any

import pytest
from sqlalchemy import select, update

from practice.accounts.records import open_password, practitioners, profile_place, seal_password
from practice.agenda.records import appointments, content_place
from practice.storage import Store
from tests.opening import of
from tests.people import PASSWORD, START, alice, charlie, plan
from vault.errors import DomainError, Tampered
from vault.keys.envelope import Place, pack, seal, unpack, unseal
from vault.records.content import moment, new_id, stamp, utc_day
from vault.records.scope import SERVER, Scope

DAY = START.date()


@pytest.mark.duty("S-15", "S-51")
@pytest.mark.parametrize("part", ["table", "column", "row", "owner", "schema", None])
async def test_an_appointment_sealed_for_any_other_place_is_opened_by_nobody(store: Store, part: str | None) -> None:
    person = await alice(store)
    planned, second = await plan(store, person), await plan(store, person)
    here = content_place(planned.id, person.id)
    changed: dict[str, Any] = {} if part is None else {part: 2 if part == "schema" else second.id}
    there = here._replace(**changed)
    key, _ = await store.keys.get(person.id, planned.id)
    async with store.database.write() as connection:
        rows = select(appointments.c.content).where(appointments.c.id == planned.id)
        content = unpack(unseal(key, (await connection.execute(rows)).scalar_one(), here))
        moved = seal(key, pack(content), there)
        await connection.execute(update(appointments).where(appointments.c.id == planned.id).values(content=moved))
    if part is None:
        assert await store.appointments.get(of(person.id), planned.id) == planned, "the same place opens"
        return
    for attempt in (
        store.appointments.get(of(person.id), planned.id),
        store.appointments.get(Scope.guest(planned.id), planned.id),
        store.appointments.end(Scope.consult(planned.id, planned.owner), planned.id),
    ):
        with pytest.raises(Tampered):
            await attempt
    assert await store.appointments.by_link(Scope.guest(planned.id), planned.secret) is None
    assert await store.appointments.list(of(person.id), DAY, DAY) == [second]


@pytest.mark.duty("S-15")
async def test_two_appointments_that_change_places_with_their_keys_fail_closed(store: Store) -> None:
    """With the wrapped data keys moved along, and with the ids moved instead."""
    one, other = await alice(store), await charlie(store)
    mine, theirs = await plan(store, one), await plan(store, other)

    def swap(keys: object) -> None:
        keys._db.execute("UPDATE data_keys SET id = 'x' WHERE id = ?", (mine.id,))  # type: ignore[attr-defined]  # of the key store in a file
        keys._db.execute("UPDATE data_keys SET id = ? WHERE id = ?", (mine.id, theirs.id))  # type: ignore[attr-defined]  # of the key store in a file
        keys._db.execute("UPDATE data_keys SET id = ? WHERE id = 'x'", (theirs.id,))  # type: ignore[attr-defined]  # of the key store in a file

    await store.keys._run(swap)
    async with store.database.write() as connection:
        for old, new in ((mine.id, "x"), (theirs.id, mine.id), ("x", theirs.id)):
            await connection.execute(update(appointments).where(appointments.c.id == old).values(id=new))
    for person in (one, other):
        for entry in (mine, theirs):
            with pytest.raises(DomainError, match=r"unreadable|not_found"):
                await store.appointments.get(of(person.id), entry.id)
        assert await store.appointments.list(of(person.id), DAY, DAY) == []


@pytest.mark.duty("S-05", "S-51")
async def test_the_columns_of_a_practitioner_cannot_be_exchanged(store: Store) -> None:
    """They are under one key: only the place tells them apart."""
    person = await alice(store)
    async with store.database.write() as connection:
        await connection.execute(
            update(practitioners).values(profile=practitioners.c.password, password=practitioners.c.profile)
        )
    for attempt in (
        store.practitioners.get(of(person.id)),
        store.practitioners.by_mail(SERVER, "alice@example.org"),
        store.practitioners.authenticate("alice@example.org", PASSWORD),
        plan(store, person),
    ):
        with pytest.raises(Tampered):
            await attempt


@pytest.mark.duty("S-51")
@pytest.mark.parametrize("column", ["profile", "password"])
async def test_a_column_of_somebody_else_does_not_open(store: Store, column: str) -> None:
    """Charlie gives himself Alice's password hash, or she his profile."""
    person, other = await alice(store), await charlie(store)
    theirs = select(practitioners.c[column]).where(practitioners.c.id == person.id).scalar_subquery()
    async with store.database.write() as connection:
        await connection.execute(update(practitioners).where(practitioners.c.id == other.id).values({column: theirs}))
    with pytest.raises(Tampered):
        await store.practitioners.authenticate("charlie@example.org", PASSWORD)
    assert (await store.practitioners.authenticate("alice@example.org", PASSWORD)) == person


@pytest.mark.duty("S-51")
async def test_the_mail_index_moved_to_another_row_signs_nobody_in_as_somebody_else(store: Store) -> None:
    person, other = await alice(store), await charlie(store)
    async with store.database.write() as connection:
        mail = practitioners.c.mail
        await connection.execute(update(practitioners).where(practitioners.c.id == person.id).values(mail=b"x" * 32))
        index = store.keys.mail_index("alice@example.org")
        await connection.execute(update(practitioners).where(practitioners.c.id == other.id).values({mail: index}))
    assert await store.practitioners.authenticate("alice@example.org", "another password") is None


def test_the_places_of_all_sealed_columns_differ() -> None:
    places = {content_place("a", "b"), content_place("b", "b"), profile_place("b"), profile_place("a")}
    places.add(Place("practitioners", "password", "b", "b"))
    assert len({place.aad() for place in places}) == 5
    assert content_place("a", "b").aad() == b"appointments|content|a|b|1"
    assert profile_place("b").aad() == b"practitioners|profile|b|b|1"


def test_a_password_is_bound_to_its_row_and_column() -> None:
    key = bytes(32)
    sealed = seal_password(key, "row", "hash")
    assert open_password(key, "row", sealed) == "hash"
    assert unseal(key, sealed, Place("practitioners", "password", "row", "row")) == b"hash"
    with pytest.raises(Tampered):
        open_password(key, "other", sealed)


def test_moments_keep_their_offset_and_never_stays_never() -> None:
    assert (stamp(None), moment(None), utc_day(None)) == (None, None, None)
    assert moment(stamp(START)) == START
    late = START.replace(hour=23).astimezone(START.tzinfo)
    assert utc_day(late) == DAY
    text = "2027-03-02T00:30:00+02:00"
    parsed = moment(text)
    assert parsed is not None
    assert (stamp(parsed), utc_day(parsed)) == (text, DAY)


def test_ids_are_128_random_bits() -> None:
    assert len({new_id() for _ in range(1000)}) == 1000
    assert {len(new_id()) for _ in range(100)} == {22}
