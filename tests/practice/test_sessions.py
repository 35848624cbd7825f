"""Sign-in sessions end by themselves."""

from hashlib import sha256
from pathlib import Path

from sqlalchemy import insert, update

from practice.accounts.records import sessions
from practice.storage import Store
from tests.people import Time, alice, charlie
from vault.settings import VaultSettings


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
