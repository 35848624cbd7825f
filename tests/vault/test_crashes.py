"""Killed before durable steps in turn (all of them in ``make prove``): after the next start nothing is half done."""

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select

from practice.agenda.model import Appointment
from practice.agenda.records import APPOINTMENTS, appointments
from practice.legal.records import DISCLOSURES, disclosures
from practice.sentences.records import sentences
from practice.storage import Store
from tests.opening import of, open_store
from tests.people import START, Time, alice, caught_up, charlie, plan
from tests.vault.crashing import DUE_BY, STRIDE
from vault.keys.places import NOBODY
from vault.records.scope import SERVER
from vault.settings import VaultSettings

DAY = START.date()


async def template(folder: Path) -> dict[str, Appointment]:
    """Alice has two appointments that will be due and one that will not; Charlie has one that will not."""
    time = Time()
    settings = VaultSettings(data=folder, trust_clock=True)
    async with open_store(settings, now=time.now, boot=time.boottime) as store:
        await caught_up(store)
        person, other = await alice(store), await charlie(store)
        made = {name: await plan(store, person, name) for name in ("due", "due too")}
        made["kept"] = await plan(store, person, "kept", days=DUE_BY)
        made["foreign"] = await plan(store, other, "foreign", days=DUE_BY)
        await store.sentences.say(of(person.id), "nl", "first")
        await store.sentences.say(of(other.id), "nl", "foreign")
        await store.retention.sweep()
    return made


async def crash(scenario: str, tmp_path: Path) -> tuple[dict[str, Appointment], list[Path]]:
    import asyncio

    made = await template(tmp_path / "template")
    runs = tmp_path / "runs"
    await asyncio.to_thread(runs.mkdir)
    command = [sys.executable, "-m", "tests.vault.crashing", scenario, str(tmp_path / "template"), str(runs)]
    command.append(str(STRIDE))
    done = await asyncio.to_thread(
        subprocess.run, command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[2]
    )
    assert int(done.stdout.split()[-1]) > 3, "the steps were counted"
    return made, sorted(folder for folder in runs.iterdir() if folder.is_dir())


async def owners(store: Store) -> tuple[str, str]:
    people = [await store.practitioners.by_mail(SERVER, f"{name}@example.org") for name in ("alice", "charlie")]
    return tuple(person.id for person in people if person)  # type: ignore[return-value]  # the two of them


@pytest.mark.duty("S-30", "S-31")
async def test_a_sweep_killed_anywhere_is_finished_by_the_next_start(tmp_path: Path) -> None:
    made, folders = await crash("sweep", tmp_path)
    time = Time()
    time.pass_(days=DUE_BY)
    for folder in folders:
        settings = VaultSettings(data=folder, trust_clock=True)
        async with open_store(settings, now=time.now, boot=time.boottime) as store:
            assert store.locked is None, folder.name
            await caught_up(store)
            one, other = await owners(store)
            day = made["kept"].starts_at.date()
            assert await store.appointments.list(of(one), DAY, day) == [made["kept"]], folder.name
            assert await store.appointments.list(of(other), DAY, day) == [made["foreign"]], folder.name
            assert await texts(store, one) == {"nl": "first"}, folder.name
            receipts = await store.appointments.receipts(of(one))
            assert [receipt.generation for receipt in receipts] == [2, 1], folder.name
            assert await store.appointments.receipts(of(other)) == []
            assert await store.keys.missing([made["due"].id, made["due too"].id]) == [
                made["due"].id,
                made["due too"].id,
            ]
            status = await store.retention.status()
            assert (status.overdue, status.alarms, await store.keys.generation()) == (0, 0, 2), folder.name
        epochs = [path.name for path in settings.keystore().parent.glob("epoch*")]
        assert epochs == ["epoch-2.key"], folder.name


async def test_what_was_acknowledged_survives_being_killed_anywhere(tmp_path: Path) -> None:
    made, folders = await crash("create", tmp_path)
    time = Time()
    for folder in folders:
        lines = folder.with_suffix(".acknowledged").read_text().split("\n")[:-1]
        promised = {line.split(" ", 1)[0]: line.split(" ", 1)[1] for line in lines}
        settings = VaultSettings(data=folder, trust_clock=True)
        async with open_store(settings, now=time.now, boot=time.boottime) as store:
            assert store.locked is None, folder.name
            await caught_up(store)
            one, _ = await owners(store)
            found = {
                entry.id: f"{entry.state} {entry.patient}" for entry in await store.appointments.list(of(one), DAY, DAY)
            }
            new = {key: value for key, value in found.items() if key not in {entry.id for entry in made.values()}}
            for key, value in promised.items():
                assert new.get(key) in (value, value.replace("planned", "ended")), folder.name
            assert len(new) <= 2, folder.name
            assert (await store.retention.status()).alarms == 0, folder.name
            time_later = time.now
            time.pass_(minutes=20)
            await store.retention.sweep()
            assert await store.keys.unconfirmed() == [], folder.name
            assert time_later() == time.wall
            assert await store.appointments.list(of(one), DAY, DAY), folder.name


async def test_a_new_setting_is_there_for_all_or_for_none(tmp_path: Path) -> None:
    made, folders = await crash("setting", tmp_path)
    time = Time()
    for folder in folders:
        acknowledged = folder.with_suffix(".acknowledged").read_text() == "90d\n"
        async with open_store(VaultSettings(data=folder), now=time.now, boot=time.boottime) as store:
            one, _ = await owners(store)
            person = await store.practitioners.get(of(one))
            living = await store.appointments.list(of(one), DAY, made["kept"].starts_at.date())
            days = {(entry.due - entry.ends_at).days for entry in living if entry.due}
            assert (person.retention, days) in (("30d", {30}), ("90d", {90})), folder.name
            assert not acknowledged or person.retention == "90d", folder.name


async def texts(store: Store, owner: str) -> dict[str, str]:
    said = await store.sentences.of(of(owner))
    assert said.damaged == []
    return {one.language: one.text for one in said.sentences}


@pytest.mark.duty("S-28", "S-31")
async def test_what_lives_with_an_account_is_whole_or_gone_wherever_it_is_killed(tmp_path: Path) -> None:
    _, folders = await crash("sentences", tmp_path)
    time = Time()
    for folder in folders:
        said = folder.with_suffix(".acknowledged").read_text().split("\n")[:-1]
        settings = VaultSettings(data=folder, trust_clock=True)
        async with open_store(settings, now=time.now, boot=time.boottime) as store:
            await caught_up(store)
            person = await store.practitioners.by_mail(SERVER, "alice@example.org")
            other = await store.practitioners.by_mail(SERVER, "charlie@example.org")
            assert other is not None
            assert await texts(store, other.id) == {"nl": "foreign"}, folder.name
            if person is not None:
                assert "closed" not in said, folder.name
                found = await texts(store, person.id)
                assert found["nl"] in (("anders",) if "said nl anders" in said else ("first", "anders")), folder.name
                if any(line.startswith("destroyed") for line in said):
                    assert found.keys() == {"nl"}, folder.name
                elif "said en new" in said:
                    assert found.get("en") in ("new", None), folder.name
            async with store.database.read() as connection:
                rows = {row.id: row.state for row in await connection.execute(select(sentences))}
            assert set(rows.values()) == {"kept"}, folder.name
            assert (await store.retention.status()).alarms == 0, folder.name
            time.pass_(minutes=20)
            await store.retention.sweep()
            people = {one.id for one in (person, other) if one}
            living = {
                one.id for who in people for one in await store.appointments.list(of(who), DAY, DAY.replace(year=9999))
            }
            assert set(await store.keys.ids()) - {NOBODY} == people | rows.keys() | living, folder.name
            assert await store.keys.unconfirmed() == [], folder.name


@pytest.mark.duty("S-36")
async def test_what_a_law_demands_is_kept_or_not_wherever_it_is_killed(tmp_path: Path) -> None:
    """And is gone at its end, with all that was to be destroyed meanwhile."""
    _, folders = await crash("preserving", tmp_path)
    for folder in folders:
        said = (
            folder.with_suffix(".acknowledged").read_text().splitlines()
            if folder.with_suffix(".acknowledged").exists()
            else []
        )
        ids = [line.split()[1] for line in said if line.startswith("planned")]
        time = Time()
        settings = VaultSettings(data=folder, trust_clock=True)
        async with open_store(settings, now=time.now, boot=time.boottime) as store:
            await caught_up(store)
            rows = await store.database.ask(select(appointments).where(appointments.c.id.in_(ids)))
            kept = [one.preserved is not None for one in (await store.reader.open(APPOINTMENTS, rows)).living]
            told = (await store.reader.open(DISCLOSURES, await store.database.ask(select(disclosures)))).living
            assert sum(kept) == len(told), "both or neither"
            assert "kept" not in said or kept == [True], folder.name
            time.pass_(days=59)
            await caught_up(store)
            assert (await store.keys.missing(ids) == []) or not any(kept), folder.name
            time.pass_(days=DUE_BY)
            await caught_up(store)
            assert await store.keys.missing(ids) == ids, folder.name
            assert store.retention.damage == (0, 0)
