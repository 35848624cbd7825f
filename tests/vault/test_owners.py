"""Owners of more than one kind: a house, which nobody signs in as, owns plans as a practitioner owns appointments."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import Column, Integer, LargeBinary, MetaData, String, Table, insert, select, update

from practice.accounts.records import PRACTITIONERS
from practice.agenda.records import APPOINTMENTS
from practice.agenda.starts import Starts
from practice.opening import assemble
from practice.sentences.records import SENTENCES
from practice.storage import Store
from tests.opening import Elsewhere, of
from tests.people import Time, alice, caught_up, plan
from vault import keystore
from vault.backup.data import of_a_moment
from vault.keys.envelope import Place
from vault.proof.ciphertexts import sealed_columns
from vault.records.content import Fields, Layout, new_id, open_content, seal_content
from vault.records.records import Kind, Kinds, Owners
from vault.records.scope import Scope
from vault.settings import VaultSettings
from vault.vault import open_vault

apart = MetaData()
LAYOUT = Layout(frozenset({"text"}))

houses = Table(
    "houses",
    apart,
    Column("id", String(22), primary_key=True),
    Column("content", LargeBinary, nullable=False),
    Column("version", Integer, nullable=False),
)
plans = Table(
    "plans",
    apart,
    Column("id", String(22), primary_key=True),
    Column("owner", String(22), nullable=False),
    Column("state", String(10), nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("version", Integer, nullable=False),
)


@dataclass(frozen=True)
class Plan:
    id: str
    owner: str
    text: str
    version: int = 1
    unknown: Fields = field(default_factory=dict)


def house_place(row_id: str) -> Place:
    return Place("houses", "content", row_id, row_id)


def plan_place(row_id: str, owner: str) -> Place:
    return Place("plans", "content", row_id, owner)


def open_plan(key: bytes, row: Any) -> Plan:
    content, unknown = open_content(key, LAYOUT, row.content, plan_place(row.id, row.owner))
    return Plan(row.id, row.owner, content["text"], row.version, unknown)


def seal_plan(key: bytes, one: Plan) -> dict[str, Any]:
    content = seal_content(key, LAYOUT, {"text": one.text}, plan_place(one.id, one.owner))
    return {"id": one.id, "owner": one.owner, "state": "kept", "content": content, "version": one.version}


def open_house(key: bytes, row: Any) -> None:
    open_content(key, LAYOUT, row.content, house_place(row.id))


HOUSES = Owners("houses", houses, {"content": house_place}, open_house)
PLANS = Kind("plans", plans, LAYOUT, plan_place, open_plan, seal_plan, timed=False, kept=False)
KINDS = Kinds((PRACTITIONERS, HOUSES), (APPOINTMENTS, SENTENCES, PLANS))


@pytest.fixture
async def store(settings: VaultSettings, time: Time, elsewhere: Elsewhere) -> AsyncIterator[Store]:
    """One whose database has houses too."""
    starts = Starts()
    opening = open_vault(
        settings, KINDS, in_progress=elsewhere.ask, on_forget=starts.forget, now=time.now, boot=time.boottime
    )
    async with opening as vault:
        async with vault.database.write() as connection:
            await connection.run_sync(apart.create_all)
        storage = assemble(vault, starts)
        yield storage.destroying(on_destroy=elsewhere.destroyed, on_close=elsewhere.closed, on_handed=elsewhere.handed)


async def built(store: Store, time: Time) -> str:
    """A house with a plan."""
    house, planned = new_id(), new_id()
    key = await store.keys.add_practitioner(house, time.now())
    content = seal_content(key, LAYOUT, {"text": "brick"}, house_place(house))
    sealed = seal_plan(await store.keys.add(house, planned, time.now()), Plan(planned, house, "two floors"))
    async with store.database.write() as connection:
        await connection.execute(insert(houses).values(id=house, content=content, version=1))
        await connection.execute(insert(plans).values(sealed))
    await store.keys.confirm([house, planned])
    return house


async def rows(store: Store, table: Table) -> list[Any]:
    async with store.database.read() as connection:
        return list((await connection.execute(select(table))).all())


async def test_a_house_closes_as_an_account_does_and_nobody_else_is_touched(store: Store, time: Time) -> None:
    person = await alice(store)
    token = await store.sessions.create(person.id)
    house = await built(store, time)
    (planned,) = await rows(store, plans)
    before = await rows(store, houses)
    closed = await store.retention.close(Scope.operator(house))
    assert (closed.destroyed, closed.waiting) == (1, 0)
    assert closed.receipt is not None
    assert await rows(store, houses) == await rows(store, plans) == []
    assert await store.keys.missing([house, planned.id]) == [house, planned.id]
    assert await store.sessions.practitioner(token) == person.id
    async with store.database.write() as connection:
        await connection.execute(insert(houses).values(dict(before[0]._mapping)))
    await caught_up(store)
    assert await rows(store, houses) == [], "it came back and is closed again"
    assert store.retention.damage == (0, 0)


async def test_its_key_is_compared_and_kept(store: Store, time: Time) -> None:
    house = await built(store, time)
    await caught_up(store)
    time.pass_(days=8)
    await store.retention.sweep()
    assert await store.keys.missing([house]) == []
    assert store.retention.damage == (0, 0)


async def test_one_without_a_key_alarms(store: Store) -> None:
    async with store.database.write() as connection:
        await connection.execute(insert(plans).values(seal_plan(b"k" * 32, Plan(new_id(), new_id(), "lost"))))
    await caught_up(store)
    assert store.retention.damage == (1, 0)


async def test_its_key_opens_no_appointment(store: Store, time: Time) -> None:
    person, house = await alice(store), await built(store, time)
    planned = await plan(store, person)
    assert await store.keys.get_many([(house, planned.id), (house, person.id)]) == {}
    with pytest.raises(Exception, match="not_found"):
        await store.appointments.get(of(house), planned.id)


async def test_what_does_not_open_of_it_is_found(store: Store, settings: VaultSettings, time: Time) -> None:
    await built(store, time)
    assert (await keystore.verify(settings, KINDS, time.now)).findings == ()
    async with store.database.write() as connection:
        await connection.execute(update(houses).values(content=b"x" * 300))
    assert (await keystore.verify(settings, KINDS, time.now)).findings == (
        "Houses whose content cannot be read: 1. Restore them from a backup.",
    )


def test_proof_and_backup_know_of_it() -> None:
    assert {column.table.name for column, _, _ in sealed_columns(KINDS)} >= {"houses", "plans", "practitioners"}
    assert [table.name for table in of_a_moment(KINDS)] == ["sessions", "resets", "mail_changes", "leases"]
