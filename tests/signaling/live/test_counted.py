"""A consult in the statistics of its practice: counted beside what happens, of no person."""

import asyncio

from sqlalchemy import select

from practice.statistics.records import statistics
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
