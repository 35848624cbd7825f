"""Mail about an account: written with its cause, sent once by whoever holds the lease, gone when it is delivered."""

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from practice.accounts.records import practitioners
from practice.notices.records import notices
from practice.storage import Store
from tests.opening import of, open_store
from tests.people import Time, alice, caught_up, charlie
from tests.practice.posting import kept, news, postman, rows, server, sqlite_store, store, tell
from tests.servers.mail import SENDER, USER, MailServer
from vault.errors import DomainError
from vault.settings import VaultSettings

__all__ = ["server", "sqlite_store", "store"]


async def test_it_is_delivered_once_encrypted_and_signed_in(store: Store, server: MailServer) -> None:
    person, sender = await alice(store), postman(store, server)
    await tell(store, person)
    await sender.round()
    await sender.round()
    (mail,) = server.taken
    assert (mail.sender, mail.recipient, mail.encrypted, mail.user) == (SENDER, "Alice@example.org", True, USER)
    assert dict(sender.fates) == {"sent": 1}
    assert [state for _, state in await rows(store)] == ["destroying"]


@pytest.mark.duty("S-31")
async def test_delivered_it_is_destroyed_as_every_record_is(store: Store, server: MailServer, time: Time) -> None:
    person = await alice(store)
    await tell(store, person)
    ((written, _),) = await rows(store)
    assert await kept(store) == {person.id, written}
    (notice,) = await store.notices.waiting()
    assert (notice.id, notice.owner, notice.tries, notice.version) == (written, person.id, 0, 1)
    assert notice.written == notice.again == time.now()
    store.wake.clear()
    await postman(store, server).round()
    assert store.wake.is_set(), "the sweep is told"
    assert await store.retention.sweep() == 1
    assert await rows(store) == []
    assert await kept(store) == {person.id}
    assert len(await store.appointments.receipts(of(person.id))) == 1


async def test_who_is_still_to_be_told_is_known(store: Store, server: MailServer) -> None:
    person, other = await alice(store), await charlie(store)
    await tell(store, person)
    assert await store.notices.any_of([other.id, person.id])
    assert not await store.notices.any_of([other.id])
    assert not await store.notices.any_of([])
    await postman(store, server).round()
    assert not await store.notices.any_of([person.id])


async def test_a_cause_that_does_not_happen_tells_nothing(store: Store) -> None:
    person = await alice(store)

    async def not_after_all(connection: AsyncConnection) -> bool:
        await connection.execute(update(practitioners).values(version=7))
        return False

    async def breaks(connection: AsyncConnection) -> bool:
        await connection.execute(update(practitioners).values(version=8))
        raise DomainError("conflict")

    assert not await store.notices.along(person.id, [news(person)], not_after_all)
    assert await kept(store) == {person.id}
    with pytest.raises(DomainError, match="conflict"):
        await store.notices.along(person.id, [news(person)], breaks)
    assert await rows(store) == []


async def test_a_cause_and_what_is_told_of_it_are_one_transaction(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A notice that cannot be written takes its cause back."""
    person = await alice(store)

    async def changes(connection: AsyncConnection) -> bool:
        await connection.execute(update(practitioners).values(version=7))
        return True

    monkeypatch.setattr("practice.notices.store.new_id", lambda: "A" * 22)
    await tell(store, person)
    with pytest.raises(DomainError):
        await store.notices.along(person.id, [news(person)], changes)
    assert (await store.practitioners.get(of(person.id))).version == 1
    assert len(await rows(store)) == 1


async def test_without_a_mail_server_nothing_is_written(sqlite_settings: VaultSettings, time: Time) -> None:
    async with open_store(sqlite_settings, now=time.now, boot=time.boottime) as store:
        assert not store.notices.on
        await tell(store, await alice(store))
        assert await rows(store) == []


async def test_an_account_that_closes_is_told_nothing_more_and_takes_what_is_written_along(
    store: Store, server: MailServer
) -> None:
    person = await alice(store)
    await tell(store, person)
    await store.retention.request_closure(of(person.id))
    assert [state for _, state in await rows(store)] == ["destroying"]
    await tell(store, person)
    assert len(await rows(store)) == 1
    await postman(store, server).round()
    await caught_up(store)
    assert (await rows(store), await kept(store), server.taken) == ([], set(), [])


async def test_nobody_reads_it_without_the_key_store(store: Store) -> None:
    person = await alice(store)
    await tell(store, person)
    async with store.database.read() as connection:
        (row,) = (await connection.execute(select(notices))).all()
    assert b"Alice" not in row.content and b"password" not in row.content
    assert "Alice" not in repr(await store.notices.waiting())


# --- sent -------------------------------------------------------------------------------------------------------------
