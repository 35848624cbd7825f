"""Sign-in sessions end by themselves."""

from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import insert, update

from practice.accounts.records import sessions
from practice.storage import Store
from tests.opening import of
from tests.people import START, Time, alice, charlie
from vault.database.marks import write_out
from vault.errors import DomainError
from vault.records.writing import Allowed
from vault.settings import VaultSettings

JUST = timedelta(minutes=10)
"""As documents and pages say it."""


async def test_a_token_leads_to_its_practitioner(store: Store) -> None:
    person, other = await alice(store), await charlie(store)
    assert await store.sessions.practitioner(await store.sessions.create(person.id)) == person.id
    assert await store.sessions.practitioner(await store.sessions.create(other.id)) == other.id
    assert await store.sessions.practitioner("no such token") is None


async def test_signing_out_ends_one_session(store: Store) -> None:
    person = await alice(store)
    first, second = await store.sessions.create(person.id), await store.sessions.create(person.id)
    await store.sessions.end(first)
    await store.sessions.end(first)
    assert await store.sessions.practitioner(first) is None
    assert await store.sessions.practitioner(second) == person.id


async def test_signing_out_everywhere_ends_only_ones_own(store: Store) -> None:
    person, other = await alice(store), await charlie(store)
    mine, theirs = await store.sessions.create(person.id), await store.sessions.create(other.id)
    await store.sessions.end_all(person.id)
    assert await store.sessions.practitioner(mine) is None
    assert await store.sessions.practitioner(theirs) == other.id


async def test_thirty_idle_minutes_end_a_session(store: Store, time: Time) -> None:
    token = await store.sessions.create((await alice(store)).id)
    time.pass_(minutes=29, seconds=59)
    assert await store.sessions.practitioner(token)
    time.pass_(minutes=30)
    assert await store.sessions.practitioner(token) is None


async def test_use_keeps_a_session_alive_for_twelve_hours(store: Store, time: Time) -> None:
    token = await store.sessions.create((await alice(store)).id)
    for _ in range(35):
        time.pass_(minutes=20)
        assert await store.sessions.practitioner(token)
    time.pass_(minutes=20)
    assert await store.sessions.practitioner(token) is None


async def test_a_page_that_is_open_keeps_a_session_however_long_it_could_not_say_so(store: Store, time: Time) -> None:
    token = await store.sessions.create((await alice(store)).id)
    reference = store.sessions.reference(token)
    time.pass_(minutes=31)
    await store.retention.sweep()
    assert not await store.sessions.lives(reference), "nothing said that it was open"
    assert await store.sessions.use([reference]) == frozenset()
    assert await store.sessions.lives(reference) and await store.sessions.practitioner(token)
    time.pass_(minutes=29)
    assert await store.sessions.lives(reference)
    time.pass_(minutes=1)
    assert not await store.sessions.lives(reference), "asking is no use"


async def test_a_session_that_ended_is_used_no_more(store: Store, time: Time) -> None:
    person = await alice(store)
    tokens = [await store.sessions.create(person.id) for _ in range(3)]
    gone, old, living = (store.sessions.reference(token) for token in tokens)
    await store.sessions.end(tokens[0])
    time.pass_(hours=1)
    assert await store.sessions.use([gone, old, living]) == {gone}
    for _ in range(10):
        time.pass_(hours=1)
        assert await store.sessions.use([living]) == frozenset()
    time.pass_(hours=1)
    assert await store.sessions.use([living]) == {living}, "twelve hours"
    assert await store.sessions.practitioner(tokens[2]) is None


async def test_the_sweep_forgets_expired_sessions(sqlite_store: Store, time: Time) -> None:
    person = await alice(sqlite_store)
    await sqlite_store.sessions.create(person.id)
    time.pass_(hours=1)
    living = await sqlite_store.sessions.create(person.id)
    await sqlite_store.retention.sweep()
    async with sqlite_store.database.read() as connection:
        count = (await connection.exec_driver_sql("SELECT count(*) FROM sessions")).scalar()
    assert count == 1
    assert await sqlite_store.sessions.practitioner(living)


async def test_the_database_does_not_know_the_token(sqlite_store: Store, sqlite_settings: VaultSettings) -> None:
    token = await sqlite_store.sessions.create((await alice(sqlite_store)).id)
    written = b"".join(path.read_bytes() for path in Path(sqlite_settings.data).rglob("*") if path.is_file())
    assert token.encode() not in written


async def test_who_can_only_write_to_the_database_signs_in_as_nobody(store: Store, time: Time) -> None:
    person, mallory = await alice(store), await charlie(store)
    own = await store.sessions.create(mallory.id)
    for made_up in ("made up", f"{person.id}.made up"):
        row = {"practitioner": person.id, "created": int(time.now().timestamp()), "used": int(time.now().timestamp())}
        async with store.database.write() as connection:
            await connection.execute(insert(sessions).values(token=sha256(made_up.encode()).digest(), **row))
        assert await store.sessions.practitioner(made_up) is None
    async with store.database.write() as connection:
        await connection.execute(update(sessions).values(practitioner=person.id))
    for turned_over in (own, own.replace(mallory.id, person.id)):
        assert await store.sessions.practitioner(turned_over) is None


@pytest.mark.parametrize("spoilt", ["created", "used"])
async def test_a_session_that_says_no_time_of_itself_is_none(sqlite_store: Store, spoilt: str) -> None:
    person = await alice(sqlite_store)
    token = await sqlite_store.sessions.create(person.id)
    async with sqlite_store.database.write() as connection:
        await connection.exec_driver_sql(f"UPDATE sessions SET {spoilt} = 'for ever'")
    assert await sqlite_store.sessions.practitioner(token) is None


async def test_who_proved_it_with_two_factors_is_not_asked_again_for_a_moment(store: Store, time: Time) -> None:
    person = await alice(store)
    weak, strong = await store.sessions.create(person.id), await store.sessions.create(person.id, "factors")
    assert await store.sessions.just_proved(strong)
    for other in (weak, "no such token", f"{strong}x", await store.sessions.create_for_set_up(person.id)):
        assert not await store.sessions.just_proved(other)
    time.pass_(seconds=JUST.total_seconds() - 1)
    assert await store.sessions.practitioner(strong) == person.id
    assert await store.sessions.just_proved(strong)
    time.pass_(seconds=1)
    assert not await store.sessions.just_proved(strong), "using it is no proof"


async def test_one_that_begins_later_than_now_has_proved_nothing(sqlite_store: Store, time: Time) -> None:
    strong = await sqlite_store.sessions.create((await alice(sqlite_store)).id, "factors")
    time.jump(seconds=-1)
    assert not await sqlite_store.sessions.just_proved(strong)
    time.jump(seconds=1)
    async with sqlite_store.database.write() as connection:
        await connection.exec_driver_sql("UPDATE sessions SET created = 'for ever'")
    assert not await sqlite_store.sessions.just_proved(strong)


async def test_a_minute_of_use_is_written_once(store: Store, time: Time) -> None:
    person = await alice(store)
    token = await store.sessions.create(person.id)
    for seconds, written in ((59, 0), (1, 60), (59, 60), (1, 120)):
        time.pass_(seconds=seconds)
        assert await store.sessions.practitioner(token) == person.id
        (one,) = await store.sessions.of(of(person.id))
        assert one.used == START + timedelta(seconds=written)
        assert (one.began, one.reference) == (START, store.sessions.reference(token))


async def test_what_a_command_ended_is_known_until_the_rest_has_ended_too(store: Store) -> None:
    people = [await alice(store), await charlie(store)]
    for person in people:
        async with store.database.write() as connection:
            await write_out(connection, person.id)
    assert sorted(await store.sessions.ended_by_commands()) == sorted(person.id for person in people)
    await store.sessions.ended_fully(people[0].id)
    assert await store.sessions.ended_by_commands() == [people[1].id]


async def test_of_many_sessions_those_that_are_named_end_and_only_ones_own(store: Store, time: Time) -> None:
    person, other = await alice(store), await charlie(store)
    tokens = []
    for owner in (person, person, person, other):
        tokens.append(await store.sessions.create(owner.id))
        time.pass_(seconds=1)
    names = [store.sessions.reference(token) for token in tokens]
    assert [one.reference for one in await store.sessions.of(of(person.id))] == [names[2], names[1], names[0]]
    await store.sessions.end_of(of(person.id), [names[0], names[3]])
    living = [await store.sessions.practitioner(token) for token in tokens]
    assert living == [None, person.id, person.id, other.id]
    time.pass_(minutes=30)
    assert await store.sessions.of(of(person.id)) == []


async def test_a_session_begins_with_what_is_written_beside_it_or_not_at_all(store: Store) -> None:
    person = await alice(store)

    async def along(begin: Allowed) -> bool:
        async with store.database.write() as connection:
            await write_out(connection, person.id)
            return await begin(connection)

    async def broken(begin: Allowed) -> bool:
        async with store.database.write() as connection:
            await begin(connection)
            raise DomainError("conflict")

    token = await store.sessions.create(person.id, "factors", along)
    assert await store.sessions.practitioner(token) == person.id
    assert await store.sessions.strength(token) == "factors"
    assert await store.sessions.ended_by_commands() == [person.id]
    with pytest.raises(DomainError, match="conflict"):
        await store.sessions.create(person.id, "password", broken)
    assert len(await store.sessions.of(of(person.id))) == 1
