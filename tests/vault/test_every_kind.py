"""What holds for every kind of record: sealed, nothing of it in any file, destroyed where a sweep is left with it."""

import pytest

from practice.kinds import KINDS
from practice.storage import Store
from tests.every_kind import MADE, WORD, mark_all, readable, somebody, write_all
from tests.opening import of, open_store
from tests.people import Time
from tests.vault.test_at_rest import found
from vault.settings import VaultSettings


def test_there_is_a_way_to_write_one_of_each_kind() -> None:
    """What walks over all kinds (``tests/prove``) would leave out one that has no line in ``MADE``."""
    assert MADE.keys() == {kind.name for kind in KINDS}


@pytest.mark.duty("S-15", "S-31")
async def test_one_of_each_kind_is_in_no_file_and_dies_by_the_sweep(sqlite_settings: VaultSettings, time: Time) -> None:
    async with open_store(sqlite_settings, now=time.now, boot=time.boottime) as store:
        whose, other = await somebody(store), await somebody(store, "another")
        kept, gone = await write_all(store, whose), await write_all(store, other)
        there = await readable(store, {*whose.owners, *other.owners})
        searched: dict[str, str | bytes] = {"word": WORD}
        searched |= await store.keys.get_many([(one.owner, one.id) for _, one in there])
        assert len(searched) == 1 + 2 * len(KINDS.records)
        assert found(sqlite_settings.data, searched) == []
        await mark_all(store, gone)
        assert await store.retention.sweep() == len(KINDS.records)
        assert set(await store.keys.missing([*kept, *gone])) == set(gone)
        assert [one.id for _, one in await readable(store, {*whose.owners, *other.owners})] == kept
        assert found(sqlite_settings.data, searched) == []


@pytest.mark.duty("S-28")
async def test_one_of_each_kind_dies_with_its_owner(store: Store) -> None:
    whose, other = await somebody(store), await somebody(store, "another")
    gone, kept = await write_all(store, whose), await write_all(store, other)
    for owner in whose.owners:
        assert (await store.retention.close(of(owner))).receipt is not None
    assert [one.id for _, one in await readable(store, {*whose.owners, *other.owners})] == kept
    assert set(await store.keys.missing([*kept, *gone])) == set(gone)
    receipts = [one for owner in whose.owners for one in await store.keys.receipts(owner)]
    assert len(receipts) == len(gone) + len(whose.owners)
    assert await store.database.ask(KINDS.with_ids(gone)) == []
