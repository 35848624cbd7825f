"""A consult in the statistics of its practice: counted beside what happens, of no person."""

import asyncio

import pytest
from sqlalchemy import select

from practice.agenda.ages import Age
from practice.statistics.records import statistics
from tests.opening import of
from tests.organisations import found
from tests.signaling.live.cast import Node, Practice, Worker


async def test_a_consult_is_counted_where_its_practitioner_works(
    node: Node, worker: Worker, practice: Practice
) -> None:
    member = await found(practice.store, practice.practitioner, ["owner", "practitioner"])
    await practice.talk(node)

    wanted = {(member.owner, what, 1) for what in ("consults", "short")}
    async with asyncio.timeout(30):
        while await stored(practice) != wanted:  # noqa: ASYNC110 -- the database tells nobody
            await asyncio.sleep(0.02)


async def stored(practice: Practice) -> set[tuple[str, str, int]]:
    rows = await practice.store.database.ask(select(statistics))
    return {(row.organisation, row.what, row.number) for row in rows}


@pytest.mark.duty("S-16")
async def test_a_childs_consult_is_counted_nowhere(node: Node, worker: Worker, practice: Practice) -> None:
    await found(practice.store, practice.practitioner, ["owner", "practitioner"])
    scope, where = of(practice.appointment.owner), practice.appointment.id
    await practice.store.consents.say_age(scope, where, Age("under-12"))
    await practice.store.consents.lift(scope, where, "emergency", "")
    await practice.talk(node)
    await until_attended(practice)
    await asyncio.sleep(0.5)
    assert await stored(practice) == set()


async def until_attended(practice: Practice) -> None:
    """What stands beside the count is written."""
    async with asyncio.timeout(30):
        while True:
            one = await practice.store.appointments.get(of(practice.appointment.owner), practice.appointment.id)
            if one.attended:
                return
            await asyncio.sleep(0.02)
