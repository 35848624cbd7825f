"""The audit trail: who did what, told to nobody else, and whole or known not to be."""

import asyncio

from rooms.audit import SERVER, Act, appointment, operator, practitioner
from rooms.store import Store
from tests.rooms.people import alice, plan


async def test_what_was_entered_comes_back(store: Store) -> None:
    owner = await alice(store)
    planned = await plan(store, owner)
    await store.audit.record(Act.APPOINTMENT_CREATED, practitioner(owner.id), appointment(owner.id, planned.id))
    await store.audit.record(Act.KEYS_ROTATED, operator(), detail="3")
    created, rotated = [entry async for entry in store.audit.entries()]
    assert (created.number, created.act, created.actor, created.subject) == (
        1,
        "appointment-created",
        "practitioner",
        "appointment",
    )
    assert (rotated.number, rotated.actor, rotated.detail) == (2, "operator", "3")
    assert (await store.audit.verify()).bad is None


async def test_many_at_once_share_a_transaction_and_keep_one_chain(store: Store) -> None:
    await asyncio.gather(*(store.audit.record(Act.DESTROYED, SERVER, detail=str(n)) for n in range(300)))
    report = await store.audit.verify()
    assert (report.bad, report.entries, report.first, report.last) == (None, 300, 1, 300)
