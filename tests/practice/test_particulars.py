"""What somebody tells of themselves: kept as it may be, changed by one at a time, and destroyed as every record is."""

import asyncio
from dataclasses import fields, replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select, update

from practice.particulars.check import checked, phone
from practice.particulars.model import Particulars, Told
from practice.particulars.records import PARTICULARS, particulars
from practice.storage import Store
from tests.opening import of
from tests.people import alice, charlie
from vault.errors import DomainError
from vault.keys.envelope import pack, seal

TODAY = date(2026, 2, 28)
ALL = Told(
    gender="vrouw",
    born=date(1980, 2, 29),
    street="Maanweg 2",
    postal_code="3511 AB",
    city="Utrecht",
    country="NL",
    phone="+31612345678",
    note="Dinsdag niet.\nAnders na tienen.",
)


async def test_all_of_it_is_kept_and_told_to_its_owner_only(store: Store) -> None:
    person, other = await alice(store), await charlie(store)
    nothing = await store.particulars.of(of(person.id))
    assert (nothing.told.any, nothing.version) == (False, 0)
    kept = await store.particulars.tell(of(person.id), ALL, 0)
    assert (kept.told, kept.version, kept.owner) == (ALL, 1, person.id)
    assert await store.particulars.of(of(person.id)) == kept
    assert not (await store.particulars.of(of(other.id))).told.any
    assert "Utrecht" not in repr(kept) + repr(ALL)
    assert {one.name for one in fields(Told)} == PARTICULARS.layout.fields


async def test_who_comes_second_changes_nothing(store: Store) -> None:
    person = await alice(store)
    await store.particulars.tell(of(person.id), ALL, 0)
    for seen in (0, 2):
        with pytest.raises(DomainError, match="conflict"):
            await store.particulars.tell(of(person.id), Told(city="Gent"), seen)
    changed = await store.particulars.tell(of(person.id), replace(ALL, city="Gent"), 1)
    assert (changed.told.city, changed.version) == ("Gent", 2)


async def test_of_many_who_tell_first_at_once_one_is_heard(store: Store) -> None:
    person = await alice(store)
    told = await asyncio.gather(
        *(store.particulars.tell(of(person.id), Told(city=f"Plaats {one}"), 0) for one in range(4)),
        return_exceptions=True,
    )
    assert [isinstance(one, Particulars) for one in told].count(True) == 1
    assert all(isinstance(one, Particulars) or getattr(one, "code", "") in ("conflict", "try_again") for one in told)
    async with store.database.read() as connection:
        assert len((await connection.execute(select(particulars))).all()) == 1


@pytest.mark.duty("S-28")
async def test_taken_back_or_with_the_account_it_is_destroyed(store: Store) -> None:
    person, other = await alice(store), await charlie(store)
    theirs = await store.particulars.tell(of(other.id), ALL, 0)
    kept = await store.particulars.tell(of(person.id), ALL, 0)
    await store.retention.destroy(of(person.id), kept.id, PARTICULARS)
    assert await store.keys.missing([kept.id]) == [kept.id]
    assert not (await store.particulars.of(of(person.id))).told.any
    again = await store.particulars.tell(of(person.id), ALL, 0)
    await store.retention.close(of(person.id))
    assert await store.keys.receipt(person.id, again.id) is not None
    with pytest.raises(DomainError, match="not_found"):
        await store.particulars.tell(of(person.id), ALL, 0)
    assert (await store.particulars.of(of(other.id))).id == theirs.id


async def test_what_a_newer_program_added_stays_and_what_it_alone_reads_is_said(store: Store) -> None:
    person = await alice(store)
    kept = await store.particulars.tell(of(person.id), ALL, 0)
    key, _ = await store.keys.get(person.id, kept.id)
    content = dict(PARTICULARS.export(kept) if PARTICULARS.export else {}) | {"version": 1, "fax": "none"}
    await overwrite(store, kept, seal(key, pack(content), PARTICULARS.place(kept.id, person.id)))
    await store.particulars.tell(of(person.id), Told(city="Gent"), 1)
    assert (await store.particulars.of(of(person.id))).unknown == {"fax": "none"}
    for broken in ({"version": 9}, {**content, "born": "30 februari"}):
        await overwrite(store, kept, seal(key, pack(broken), PARTICULARS.place(kept.id, person.id)))
        with pytest.raises(DomainError, match="unreadable"):
            await store.particulars.of(of(person.id))


async def overwrite(store: Store, one: Particulars, content: bytes) -> None:
    async with store.database.write() as connection:
        await connection.execute(update(particulars).where(particulars.c.id == one.id).values(content=content))


@pytest.mark.duty("S-07")
@pytest.mark.parametrize(
    ("born", "right"),
    [
        ("1900-01-01", True), ("1899-12-31", False), ("2010-02-28", True), ("2010-03-01", False),
        ("2026-03-01", False), ("1980-02-29", True), (None, True),
    ],
)  # fmt: skip
def test_a_birth_is_of_who_may_have_an_account(born: str | None, right: bool) -> None:
    told = Told(born=date.fromisoformat(born) if born else None)
    assert outcome(told) == (told if right else "born")


@pytest.mark.parametrize(
    ("country", "typed", "kept"),
    [
        ("NL", "3511ab", "3511 AB"), ("NL", "3511 AB", "3511 AB"), ("NL", "0511 AB", None), ("NL", "3511", None),
        ("BE", "9000", "9000"), ("BE", "0900", None), ("DE", "01067", "01067"), ("DE", "1067", None),
        ("FR", "75011", "75011"), ("GB", "sw1a 1aa", "SW1A 1AA"), ("", "whatever", "WHATEVER"), ("NL", "", ""),
    ],
)  # fmt: skip
def test_a_postal_code_is_as_its_country_writes_it(country: str, typed: str, kept: str | None) -> None:
    found = outcome(Told(country=country, postal_code=typed))
    assert (found.postal_code if isinstance(found, Told) else None) == kept


@pytest.mark.duty("S-09")
@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("+31 6 1234 5678", "+31612345678"), ("0031-(0)6 12345678", "+31612345678"), (" ", ""),
        ("\u2066+49 (0)30/1234567\u2069", "+49301234567"), ("06 12345678", None), ("+31", None),
        ("+1234567890123456", None), ("+31 6 bellen", None), ("+٣١٦١٢٣٤٥٦٧٨", None),
    ],
)  # fmt: skip
def test_a_number_is_kept_as_it_is_dialled_from_anywhere(typed: str, kept: str | None) -> None:
    try:
        assert phone(typed) == kept
    except DomainError as error:
        assert (error.code, error.field, kept) == ("invalid", "phone", None)


@pytest.mark.duty("S-06")
@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("gender", "x" * 61), ("gender", "a\nb"), ("street", "\u200b"), ("city", "\ud800"), ("country", "nl"),
        ("country", "NLD"), ("street", "x" * 201), ("city", "x" * 101), ("note", "x" * 1001),
        ("note", "\n".join(["x" * 500] * 2)), ("note", "a\x00b"), ("postal_code", "1" * 13),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_its_field(field: str, text: str) -> None:
    told: dict[str, Any] = {field: text}
    assert outcome(Told(**told)) == field
    assert outcome(Told()) == Told()


def test_names_of_any_script_and_lines_stay() -> None:
    for text in ("شارع القمر ٢", "Ул. Ленина", "é" * 200):
        assert outcome(Told(street=text)) == Told(street=text)
    for told in (Told(gender="x" * 60), Told(city="x" * 100), Told(postal_code="X" * 12), Told(note="x" * 1000)):
        assert outcome(told) == told, "to the last character"
    lines = "\n".join(["x" * 499, "x" * 500])
    assert outcome(Told(note=lines)) == Told(note=lines)
    assert outcome(Told(note=" eerst \r\n\r\nlaatst ")) == Told(note="eerst\n\nlaatst")


def outcome(told: Told) -> Any:
    """What is kept, or the field that is wrong."""
    try:
        return checked(told, TODAY)
    except DomainError as error:
        assert error.code == "invalid"
        return error.field
