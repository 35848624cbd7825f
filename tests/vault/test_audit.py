"""The audit trail: who did what, told to nobody else, and whole or known not to be."""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from practice.storage import Store
from tests.opening import of, open_store
from tests.people import START, Time, alice, charlie, plan
from vault.audit import PATIENT, SERVER, Act, Draft, Entry, TrailReport, appointment, operator, practitioner, receipt
from vault.errors import DomainError
from vault.settings import VaultSettings


async def fill(store: Store, count: int = 5) -> None:
    await store.audit.record_all([Draft(Act.DESTROYED, SERVER, detail=str(n + 1)) for n in range(count)])


async def everything(store: Store) -> list[Entry]:
    return [entry async for entry in store.audit.entries()]


@contextlib.asynccontextmanager
async def unguarded(store: Store) -> AsyncIterator[None]:
    """The database as who owns it has it: without the triggers that hold us back."""
    on = "" if store.database.sqlite else " ON audit"
    async with store.database.write() as connection:
        for name in ("audit_keeps", *(["audit_stands"] if store.database.sqlite else [])):
            await connection.exec_driver_sql(f"DROP TRIGGER {name}{on}")
    yield


async def tamper(store: Store, statement: str) -> TrailReport:
    """What a walk over the trail says after somebody meddled with it."""
    async with unguarded(store):
        async with store.database.write() as connection:
            await connection.exec_driver_sql(statement)
        return await store.audit.verify()


async def test_what_was_entered_comes_back(store: Store) -> None:
    owner = await alice(store)
    planned = await plan(store, owner)
    await store.audit.record(Act.APPOINTMENT_CREATED, practitioner(owner.id), appointment(owner.id, planned.id))
    await store.audit.record(Act.KEYS_ROTATED, operator(), detail="3")
    created, rotated = await everything(store)
    assert (created.number, created.act, created.actor) == (1, "appointment-created", "practitioner")
    assert created.subject == "appointment"
    assert created.moment == START
    assert (rotated.number, rotated.actor, rotated.subject, rotated.detail) == (2, "operator", None, "3")
    assert (await store.audit.verify()).bad is None


async def test_it_is_read_by_day_and_by_act(store: Store, time: Time) -> None:
    await fill(store, 2)
    time.pass_(days=1)
    await store.audit.record(Act.KEYS_ROTATED, operator())
    await fill(store, 1)
    tomorrow = START + timedelta(hours=12)
    assert [entry.number async for entry in store.audit.entries(first=tomorrow)] == [3, 4]
    assert [entry.number async for entry in store.audit.entries(last=tomorrow)] == [1, 2]
    assert [entry.number async for entry in store.audit.entries(act=Act.KEYS_ROTATED)] == [3]


async def test_more_than_fits_in_one_batch_is_read_and_verified(store: Store) -> None:
    await fill(store, 2_100)
    assert [entry.number for entry in await everything(store)] == list(range(1, 2_101))
    assert (await store.audit.verify()).entries == 2_100


async def test_many_at_once_share_a_transaction_and_keep_one_chain(store: Store) -> None:
    writes = 0
    real = store.database.write

    def counted() -> contextlib.AbstractAsyncContextManager[object]:
        nonlocal writes
        writes += 1
        return real()

    store.database.write = counted  # type: ignore[method-assign, assignment]  # counts them
    await asyncio.gather(*(fill(store, 1) for _ in range(300)))
    report = await store.audit.verify()
    assert (report.bad, report.entries, report.first, report.last) == (None, 300, 1, 300)
    assert writes <= 3


async def test_several_processes_write_one_chain(settings: VaultSettings, time: Time) -> None:
    async with contextlib.AsyncExitStack() as stack:
        stores = [
            await stack.enter_async_context(
                open_store(settings, now=time.now, boot=time.boottime, exclusive=not number)
            )
            for number in range(3)
        ]
        for _ in range(5):
            await asyncio.gather(*(fill(store, 2) for store in stores))
        report = await stores[0].audit.verify()
        assert (report.bad, report.entries, report.gaps) == (None, 30, [])


# --- who ------------------------------------------------------------------------------------------------------------


@pytest.mark.duty("S-51")
async def test_the_trail_alone_says_who_nobody_is(store: Store) -> None:
    owner = await alice(store)
    planned = await plan(store, owner)
    who = practitioner(owner.id)
    await store.audit.record(Act.APPOINTMENT_READ, who, appointment(owner.id, planned.id))
    await store.audit.record(Act.LINK_OPENED, PATIENT, appointment(owner.id, planned.id))
    await store.audit.record(Act.BACKUP_MADE, operator())
    async with store.database.read() as connection:
        rows = str((await connection.exec_driver_sql("SELECT * FROM audit")).all())
    for secret in (owner.id, planned.id, planned.secret, "alice", "Alice", "Jan", operator().id):
        assert secret not in rows


async def test_one_object_has_one_name_and_two_have_two(store: Store) -> None:
    owner, other = await alice(store), await charlie(store)
    first, second = await plan(store, owner), await plan(store, owner)
    name = store.audit.name
    assert await name(appointment(owner.id, first.id)) == await name(appointment(owner.id, first.id))
    everybody = [appointment(owner.id, first.id), appointment(owner.id, second.id), practitioner(owner.id)]
    everybody += [practitioner(other.id), operator()]
    assert len({await name(party) for party in everybody} - {None}) == 5
    assert await name(PATIENT) is None
    assert await name(SERVER) is None


@pytest.mark.duty("S-31", "S-51")
async def test_after_destruction_nobody_can_tell_whose_entries_they_were(store: Store) -> None:
    owner = await alice(store)
    planned = await plan(store, owner)
    await store.audit.record(Act.APPOINTMENT_READ, practitioner(owner.id), appointment(owner.id, planned.id))
    (before,) = [entry.subject_name for entry in await everything(store)]
    assert before == await store.audit.name(appointment(owner.id, planned.id))
    proof = await store.retention.destroy(of(owner.id), planned.id)
    assert await store.audit.name(appointment(owner.id, planned.id)) is None
    await store.audit.record(Act.DESTROYED, practitioner(owner.id), receipt(proof.receipt))
    *_, destroyed = await everything(store)
    assert destroyed.subject_name == proof.receipt
    assert before not in (destroyed.actor_name, destroyed.subject_name)


@pytest.mark.parametrize("detail", ["10.1.2.3", "Jan Jansen", "jan@example.org", "x" * 33, "", "Firefox 133", "::1"])
def test_a_detail_that_is_no_word_of_ours_is_refused(detail: str) -> None:
    with pytest.raises(ValueError, match="detail"):
        Draft(Act.SIGNED_IN, SERVER, detail=detail)


# --- whole, or known not to be --------------------------------------------------------------------------------------

MEDDLING = {
    "UPDATE audit SET act = 'signed-out' WHERE number = 3": (3, "changed"),
    "UPDATE audit SET actor_name = 'x' WHERE number = 1": (1, "changed"),
    "UPDATE audit SET at = at + 1 WHERE number = 3": (3, "changed"),
    "UPDATE audit SET detail = NULL WHERE number = 5": (5, "changed"),
    "UPDATE audit SET chain = (SELECT chain FROM audit WHERE number = 2) WHERE number = 4": (4, "changed"),
    "DELETE FROM audit WHERE number = 3": (3, "missing"),
    "DELETE FROM audit WHERE number = 1": (1, "missing"),
    "DELETE FROM audit WHERE number = 5": (5, "missing"),
    "DELETE FROM audit WHERE number >= 3": (3, "missing"),
    "DELETE FROM audit": (1, "missing"),
    "UPDATE audit SET number = 100 - number": (1, "missing"),
}


@pytest.mark.duty("S-51")
@pytest.mark.parametrize("statement", MEDDLING)
async def test_the_first_bad_line_is_named(store: Store, statement: str) -> None:
    await fill(store)
    await store.audit.anchor()
    assert (await store.audit.verify()).bad is None
    bad = (await tamper(store, statement)).bad
    number, word = MEDDLING[statement]
    assert bad is not None
    assert bad.number == number
    assert word in bad.reason


async def test_an_entry_that_was_put_in_by_hand_is_found(store: Store) -> None:
    await fill(store)
    mine = "INSERT INTO audit SELECT 6, at, actor, actor_name, act, subject, subject_name, detail, chain"
    assert (bad := (await tamper(store, f"{mine} FROM audit WHERE number = 5")).bad) is not None
    assert bad.number == 6


async def test_the_database_itself_refuses_to_change_or_delete_entries(store: Store) -> None:
    await fill(store)
    for statement in ("UPDATE audit SET act = 'x'", "DELETE FROM audit WHERE number = 1"):
        with pytest.raises(DomainError):
            async with store.database.write() as connection:
                await connection.exec_driver_sql(statement)
    assert (await store.audit.verify()).entries == 5


async def test_a_tail_that_is_cut_off_is_missed_after_a_restart_too(settings: VaultSettings, time: Time) -> None:
    async with open_store(settings, now=time.now, boot=time.boottime) as store:
        await fill(store, 5)
        async with unguarded(store), store.database.write() as connection:
            await connection.exec_driver_sql("DELETE FROM audit WHERE number > 3")
    async with open_store(settings, now=time.now, boot=time.boottime) as store:
        assert (bad := (await store.audit.verify()).bad) is not None
        assert bad.number == 4
        await fill(store, 2)  # life goes on, and the trail says what it lost
        report = await store.audit.verify()
        assert (report.bad, report.gaps, report.last) == (None, [(4, 2)], 8)
        lost = [entry async for entry in store.audit.entries(act=Act.AUDIT_LOST)]
        assert [(entry.number, entry.detail) for entry in lost] == [(6, "2")]


async def test_an_older_copy_that_went_another_way_is_found(sqlite_settings: VaultSettings, time: Time) -> None:
    settings, database = sqlite_settings, Path(sqlite_settings.database().database or "")
    async with open_store(settings, now=time.now, boot=time.boottime) as store:
        await fill(store, 2)
    shutil.copy(database, database.with_suffix(".old"))
    async with open_store(settings, now=time.now, boot=time.boottime) as store:
        await fill(store, 2)
        key = await store.keys.audit_key()
    assert len(key) == 32
    shutil.copy(database.with_suffix(".old"), database)
    async with open_store(settings, now=time.now, boot=time.boottime) as store:
        store.audit._compared = True  # as if the key store had not been asked
        time.pass_(seconds=1)
        await fill(store, 2)
        assert (bad := (await store.audit.verify()).bad) is not None
        assert bad.number == 4
        assert "remembers" in bad.reason


async def test_it_is_anchored_without_being_asked(store: Store) -> None:
    await fill(store, 3)
    assert (await store.keys.anchored())[0] == 3
    await fill(store, 3)
    assert (await store.keys.anchored())[0] == 3, "not at every entry: it costs a flush"
    await store.audit.tidy()
    assert (await store.keys.anchored())[0] == 6


async def test_an_anchor_never_goes_back(store: Store) -> None:
    await store.keys.anchor(9, b"x" * 32)
    await store.keys.anchor(3, b"y" * 32)
    assert await store.keys.anchored() == (9, b"x" * 32)


# --- its own retention ----------------------------------------------------------------------------------------------


@pytest.mark.duty("S-27")
async def test_entries_are_forgotten_when_their_time_is_over_and_the_rest_stays_whole(store: Store, time: Time) -> None:
    await fill(store, 3)
    time.pass_(days=1000)
    await fill(store, 4)
    assert await store.audit.tidy() == 0
    time.pass_(days=830)
    assert await store.audit.tidy() == 3
    assert await store.audit.tidy() == 0
    *kept, pruned = await everything(store)
    assert [entry.number for entry in kept] == [4, 5, 6, 7]
    assert (pruned.act, pruned.detail) == ("audit-pruned", "3")
    assert (await store.audit.verify()).bad is None
    bad = (await tamper(store, "DELETE FROM audit WHERE number = 4")).bad
    assert bad is not None
    assert bad.number == 4


async def test_a_trail_that_is_wholly_forgotten_goes_on(store: Store, time: Time) -> None:
    await fill(store, 3)
    time.pass_(days=2000)
    assert await store.audit.tidy() == 3
    time.pass_(days=2000)
    assert await store.audit.tidy() == 1
    await fill(store, 1)
    assert [entry.number for entry in await everything(store)] == [5, 6]
    assert (await store.audit.verify()).bad is None


async def test_nothing_is_forgotten_while_the_clock_is_in_doubt(store: Store, time: Time) -> None:
    await fill(store, 3)
    time.jump(days=4000)
    assert await store.audit.tidy() == 0


async def test_a_beginning_that_was_moved_by_hand_is_found(store: Store, time: Time) -> None:
    await fill(store, 3)
    time.pass_(days=2000)
    await store.audit.tidy()
    statement = "UPDATE marks SET value = '2' || substr(value, 2) WHERE name = 'audit-base'"
    assert (bad := (await tamper(store, statement)).bad) is not None
    assert "begins" in bad.reason
