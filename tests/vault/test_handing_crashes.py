"""Handing over, killed before durable steps in turn: at each an appointment is whole, and one person's alone."""

from pathlib import Path

import pytest
from sqlalchemy import select

from practice.agenda.model import Appointment
from practice.kinds import KINDS
from practice.storage import Store
from tests.opening import of, open_store
from tests.people import Time, caught_up
from tests.vault.test_crashes import DAY, crash, owners
from vault import keystore
from vault.database.tables import marks
from vault.keys.places import NOBODY
from vault.proof import prove
from vault.records.scope import Scope
from vault.settings import VaultSettings


async def of_whom(store: Store, planned: dict[str, Appointment]) -> dict[str, str]:
    """Who has each, as links lead; and nobody else has it in a list."""
    found = {}
    for name, one in planned.items():
        visit = await store.appointments.by_link(Scope.guest(one.id), one.secret)
        assert visit is not None, name
        assert (visit.appointment.patient, visit.appointment.starts_at) == (one.patient, one.starts_at)
        found[name] = visit.appointment.owner
    listed = []
    for person in await owners(store):
        agenda = await store.appointments.agenda(of(person), DAY, DAY.replace(year=9000))
        assert agenda.damaged == []
        listed += [(one.patient, person) for one in agenda.appointments]
    assert sorted(listed) == sorted((planned[name].patient, person) for name, person in found.items())
    return found


@pytest.mark.duty("S-31")
async def test_handing_over_is_finished_by_the_next_start_wherever_it_is_killed(tmp_path: Path) -> None:
    planned, folders = await crash("handing", tmp_path)
    halves = set()
    for folder in folders:
        time = Time()  # as later what was to come is over
        said = folder.with_suffix(".acknowledged").read_text().split()
        settings = VaultSettings(data=folder, trust_clock=True)
        async with open_store(settings, now=time.now, boot=time.boottime) as store:
            assert store.locked is None, folder.name
            giver, taker = await owners(store)
            before = await of_whom(store, planned)  # as it was left, and nothing has been mended
            halves.add(frozenset(before.values()))
            await caught_up(store)
            after = await of_whom(store, planned)
            if "asked" in said or taker in (before[name] for name in planned if name != "foreign"):
                assert set(after.values()) == {taker}, folder.name
            assert set(after.values()) in ({taker}, {giver, taker}), folder.name
            rows = await store.database.ask(select(marks).where(marks.c.name.like("handing-%")))
            assert rows == [], folder.name
            moved = [planned[name] for name, owner in after.items() if owner == taker and name != "foreign"]
            receipts = await store.appointments.receipts(of(giver))
            assert len(receipts) == len(moved) in (0, 3), folder.name
            acts = [entry.act async for entry in store.audit.entries()]
            assert len(moved) <= acts.count("appointment-handed-over") <= 2 * len(moved), folder.name
            assert acts.count("destroyed") >= len(moved), folder.name
            assert await store.keys.missing([one.id for one in moved]) == [one.id for one in moved]
            time.pass_(minutes=20)
            await store.retention.sweep()
            assert await store.keys.unconfirmed() == [], folder.name
            assert (await store.retention.status()).alarms == 0, folder.name
            others = {giver, taker, NOBODY}
            living = {row.id for row in await store.database.ask(KINDS.with_ids(await store.keys.ids()))}
            assert set(await store.keys.ids()) - others == living - others, folder.name
            assert (await store.audit.verify()).bad is None
        assert (await keystore.verify(settings, KINDS, time.now)).findings == (), folder.name
        for receipt in receipts[:1]:
            proof = await prove(settings, KINDS, receipt.receipt, redis=None, folders=[])
            assert proof.destroyed, proof.text()
    assert len(halves) == 2, "killed before and after the step that counts"
