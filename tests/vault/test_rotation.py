"""Epochs end apart from sweeps, once in a while however much is destroyed, and a receipt knows whether that was so."""

import asyncio
from contextlib import closing

import pytest

from practice.accounts.model import Practitioner
from practice.agenda.model import Appointment
from practice.kinds import KINDS
from practice.storage import Store
from tests.opening import of, open_store
from tests.people import START, Time, alice, plan
from tests.vault.test_sweeper import sweeping
from vault.destruction import rotation
from vault.keys.backends import backend
from vault.keys.wrapped import WrappedKeys
from vault.proof import prove
from vault.proof.proving import seconds_left
from vault.settings import VaultSettings


async def epoch(store: Store) -> int:
    return await store.keys._run(lambda keys: keys._epochs.number())


async def until_nobody_waits(store: Store) -> None:
    async with asyncio.timeout(60):
        while (await store.keys.waiting()).people:  # noqa: ASYNC110 -- it tells nobody
            await asyncio.sleep(0.01)


async def destroy(store: Store, person: Practitioner, *planned: Appointment) -> None:
    for one in planned:
        await store.retention.destroy(of(person.id), one.id)


@pytest.mark.duty("S-31")
async def test_many_destructions_by_hand_make_one_epoch(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    person = await alice(store)
    planned = [await plan(store, person) for _ in range(8)]
    first = await epoch(store)
    async with sweeping(store, 3600.0):
        await destroy(store, person, planned[0])
        await until_nobody_waits(store)
        assert await epoch(store) == first + 1, "the first is not waited with"
        await destroy(store, person, *planned[1:])
        sweep = await store.retention.sweep()
        assert sweep == 0
        assert await epoch(store) == first + 1
        assert (await store.keys.waiting()).people == 1
        monkeypatch.setattr(rotation, "PERIOD", 0.0)
        store.retention.rotation._last = float("-inf")
    await store.retention.sweep()
    assert await epoch(store) == first + 2
    assert (await store.keys.waiting()).people == 0


async def test_who_has_not_the_lease_ends_no_epoch(
    settings: VaultSettings, store: Store, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation, "PERIOD", 0.01)
    person = await alice(store)
    planned = await plan(store, person)
    await store.retention.sweep()
    async with open_store(settings, now=time.now, boot=time.boottime, exclusive=False) as other:
        rotating = asyncio.create_task(other.retention.rotation.run())
        try:
            await other.retention.destroy(of(person.id), planned.id)
            assert not await other.retention._lease.held()
            first, asked = await epoch(store), asyncio.Event()
            real = other.retention._lease.held

            async def held() -> bool:
                answer = await real()
                asked.set()
                return answer

            monkeypatch.setattr(other.retention._lease, "held", held)
            async with asyncio.timeout(60):
                await asked.wait()
                asked.clear()
                await asked.wait()
            assert await epoch(store) == first
        finally:
            rotating.cancel()
            await asyncio.gather(rotating, return_exceptions=True)
    assert await store.retention._lease.held()
    await store.retention.sweep()
    assert await epoch(store) == first + 1


async def test_a_fault_is_counted_and_tried_again(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(rotation, "PERIOD", 0.01)
    store, person = sqlite_store, await alice(sqlite_store)
    planned = await plan(store, person)
    refuse = "CREATE TRIGGER refuse BEFORE UPDATE ON group_keys BEGIN SELECT RAISE(ABORT, 'no'); END"
    await store.keys._run(lambda keys: keys._db.execute(refuse))
    async with sweeping(store, 3600.0):
        await destroy(store, person, planned)
        async with asyncio.timeout(60):
            while store.retention.rotation.failures < 2:  # noqa: ASYNC110 -- it tells nobody
                await asyncio.sleep(0.01)
        assert "it is tried again" in caplog.text
        waiting = await store.keys.waiting()
        assert (waiting.people, waiting.since) == (1, START)
        await store.keys._run(lambda keys: keys._db.execute("DROP TRIGGER refuse"))
        await until_nobody_waits(store)
    assert (await store.keys.waiting()).since is None


async def test_a_key_store_that_does_not_say_who_waits_keeps_nothing_else_from_being_said(sqlite_store: Store) -> None:
    store, person = sqlite_store, await alice(sqlite_store)
    planned = await plan(store, person)
    await destroy(store, person, planned)
    assert (await store.retention.status()).waiting == 1
    await store.keys._run(lambda keys: keys._db.execute("ALTER TABLE receipt_epochs RENAME TO elsewhere"))
    status = await store.retention.status()
    assert (status.waiting, status.overdue) == (1, 0)


@pytest.mark.duty("S-31")
def test_a_receipt_is_final_when_the_epoch_before_is_erased(keys: WrappedKeys, monkeypatch: pytest.MonkeyPatch) -> None:
    keys.add_practitioner("bob", START)
    for owner in ("alice", "bob"):
        keys.add(owner, f"{owner}'s", START)
    (receipt,) = keys.destroy([("alice", "alice's")], START)
    (nothing,) = keys.destroy([("bob", "unknown")], START)
    assert not keys.final(receipt)
    assert keys.final(nothing), "there was nothing that could come back"
    with monkeypatch.context() as broken:
        broken.setattr(type(keys.secrets), "tidy", lambda *_: (_ for _ in ()).throw(OSError("read-only")))
        with pytest.raises(OSError, match="read-only"):
            keys.rotate()
    assert not keys.final(receipt), "there is a new epoch, and the old one's secret still"
    keys.rotate()
    assert keys.final(receipt)
    (other,) = keys.destroy([("bob", "bob's")], START)
    assert (keys.final(receipt), keys.final(other)) == (True, False)


def test_a_receipt_of_an_older_program_is_final_when_nothing_of_its_owner_waits(
    keystore_settings: VaultSettings,
) -> None:
    place = backend(keystore_settings)
    place.create("pair")
    with closing(place.open()) as keys:
        keys.add_practitioner("alice", START)
        keys.add_practitioner("bob", START)
        receipts = [keys.destroy([(name, name)], START)[0] for name in ("alice", "bob")]
        keys._db.execute("DELETE FROM receipt_epochs")
        assert [keys.final(one) for one in receipts] == [False, False]
        keys._db.execute("UPDATE practitioner_keys SET stale = 0 WHERE id = 'bob'")
        assert [keys.final(one) for one in receipts] == [False, True]
        keys.rotate()
        assert [keys.final(one) for one in receipts] == [True, True]


@pytest.mark.duty("S-31")
async def test_the_proof_says_final_in_so_many_seconds_until_then(store: Store, settings: VaultSettings) -> None:
    person = await alice(store)
    planned = await plan(store, person)
    receipt = await store.retention.destroy(of(person.id), planned.id)
    proof = await prove(settings, KINDS, receipt.receipt, redis=None, folders=[])
    assert (proof.destroyed, proof.data()["destroyed"]) == (False, False)
    assert proof.final_in is not None
    assert "NOT FINAL YET" in proof.text()
    await store.retention.sweep()
    proof = await prove(settings, KINDS, receipt.receipt, redis=None, folders=[])
    assert (proof.destroyed, proof.final_in) == (True, None)
    assert "FINAL" not in proof.text()


def test_so_many_seconds_are_left(time: Time) -> None:
    given = time.now()
    assert seconds_left(given, given) == 20
    time.pass_(seconds=12.5)
    assert seconds_left(given, time.now()) == 8
    time.pass_(hours=1)
    assert seconds_left(given, time.now()) == 0, "it is late"
    time.jump(days=-3)
    assert seconds_left(given, time.now()) == 20, "a clock that is wrong makes no other promise"


async def test_what_a_sweep_destroys_is_told_to_whoever_ends_epochs(sqlite_store: Store, time: Time) -> None:
    store, ends = sqlite_store, sqlite_store.retention.rotation
    ends.running = True
    await store.retention.sweep()
    assert not ends._wake.is_set(), "nothing was destroyed"
    await plan(store, await alice(store))
    before = await epoch(store)
    time.pass_(days=40)
    assert await store.retention.sweep() == 1
    assert ends._wake.is_set()
    assert await epoch(store) == before, "it is not done beside"
