"""What a practitioner plans often: one record, changed by one at a time, and destroyed as every record is."""

from dataclasses import replace

import pytest

from practice.presets.model import Preset
from practice.presets.records import PRESETS
from practice.presets.store import MOST
from practice.storage import Store
from tests.opening import of
from tests.people import alice, charlie
from vault.errors import DomainError

INTAKE = Preset("Intake", 45, "nl")


async def test_one_is_added_changed_by_its_name_and_removed(sqlite_store: Store) -> None:
    store = sqlite_store
    mine, others = of((await alice(store)).id), of((await charlie(store)).id)
    assert (await store.presets.of(mine)).version == 0
    await store.presets.add(mine, INTAKE, 0)
    await store.presets.add(mine, Preset(" Controle ", 10, "fr"), 1)
    kept = await store.presets.add(mine, replace(INTAKE, minutes=60), 2)
    assert kept.presets == (Preset("Controle", 10, "fr"), Preset("Intake", 60, "nl"))
    assert await store.presets.of(mine) == kept
    assert (await store.presets.of(others)).presets == ()
    assert "Intake" not in repr(kept)
    for seen in (0, 2, 4):
        with pytest.raises(DomainError, match="conflict"):
            await store.presets.remove(mine, "Intake", seen)
    assert (await store.presets.remove(mine, "Intake", 3)).presets == kept.presets[:1]
    with pytest.raises(DomainError, match="not_found"):
        await store.presets.remove(mine, "Intake", 4)


@pytest.mark.parametrize(
    ("preset", "field"),
    [(Preset(" ", 45, "nl"), "name"), (Preset("n" * 61, 45, "nl"), "name"), (Preset("Intake", 4, "nl"), "minutes"),
     (Preset("Intake", 481, "nl"), "minutes")],
    ids=["empty", "long", "short", "hours"],
)  # fmt: skip
async def test_what_cannot_be_planned_is_refused(sqlite_store: Store, preset: Preset, field: str) -> None:
    mine = of((await alice(sqlite_store)).id)
    with pytest.raises(DomainError, match="invalid") as refused:
        await sqlite_store.presets.add(mine, preset, 0)
    assert refused.value.field == field
    assert (await sqlite_store.presets.of(mine)).version == 0


async def test_there_are_so_many_at_most_and_the_account_takes_them_along(sqlite_store: Store) -> None:
    store = sqlite_store
    person = await alice(store)
    for number in range(MOST):
        kept = await store.presets.add(of(person.id), Preset(f"P{number}", 20, "nl"), number)
    with pytest.raises(DomainError, match="invalid"):
        await store.presets.add(of(person.id), Preset("One more", 20, "nl"), MOST)
    await store.presets.add(of(person.id), Preset("P0", 30, "nl"), MOST)
    await store.retention.destroy(of(person.id), kept.id, PRESETS)
    assert await store.keys.missing([kept.id]) == [kept.id]
    again = await store.presets.add(of(person.id), INTAKE, 0)
    await store.retention.close(of(person.id))
    assert await store.keys.receipt(person.id, again.id) is not None
