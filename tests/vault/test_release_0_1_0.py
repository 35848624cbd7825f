"""A database and a key store as release 0.1.0 wrote them (``release_0_1_0/``) are opened by every later build."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr

from practice.accounts.model import Practitioner
from practice.agenda.model import Appointment
from practice.kinds import KINDS
from practice.storage import Store
from tests.opening import of, open_store
from tests.people import Time, caught_up
from vault.backup import data, snapshots
from vault.errors import DomainError
from vault.keys.receipt import Receipt
from vault.keystore import rotate, upgrade, verify
from vault.records.scope import Scope
from vault.settings import VaultSettings

KEPT = Path(__file__).parent / "release_0_1_0"
FOREVER = (date(1, 1, 1), date(9999, 12, 31))
MOMENTS = ("starts_at", "ended_at", "due", "destroyed_at")


class Release:
    """A copy of what the release wrote, and what it knew of it. Its clock begins where the release stopped."""

    def __init__(self, kept: Path, settings: VaultSettings) -> None:
        self.kept = kept
        self.settings = settings
        self.facts: dict[str, Any] = json.loads((kept / "facts.json").read_text(), object_hook=moments)
        self.time = Time(datetime.fromisoformat(self.facts["now"]))

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Store]:
        async with open_store(self.settings, now=self.time.now, boot=self.time.boottime) as store:
            assert store.locked is None
            yield store

    def planned(self, *, due: bool) -> list[dict[str, Any]]:
        """Appointments that are not being destroyed."""
        living = [one for one in self.facts["appointments"] if one["state"] != "destroying"]
        return [one for one in living if (one["id"] in self.facts["past_due"]) is due]

    async def whole(self) -> None:
        """All keys open, all rows open, key store and database belong together."""
        assert (await verify(self.settings, KINDS, self.time.now)).findings == ()


def moments(fields: dict[str, Any]) -> dict[str, Any]:
    return fields | {
        name: datetime.fromisoformat(text) for name, text in fields.items() if name in MOMENTS and text is not None
    }


def on_files(folder: Path) -> VaultSettings:
    """Git keeps no modes, and a key that others can read is refused."""
    shutil.copytree(KEPT / "files" / "data", folder / "data")
    shutil.copytree(KEPT / "files" / "snapshot-keys", folder / "snapshot-keys")
    for path in folder.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
    return VaultSettings(data=folder / "data", snapshot_keys=folder / "snapshot-keys", trust_clock=True)


def on_servers(folder: Path, request: pytest.FixtureRequest) -> VaultSettings:
    """The epoch's secret is sealed anew, under a key of the OpenBao that is here."""
    postgres, bao = request.getfixturevalue("postgres"), request.getfixturevalue("bao")
    urls = {name: postgres.new_database(migrated=False) for name in ("database", "keystore")}
    for name, url in urls.items():
        with psycopg.connect(url) as connection:
            connection.execute((KEPT / "servers" / f"{name}.sql").read_bytes())
    root = folder / "root.key"
    shutil.copy(KEPT / "servers" / "root.key", root)
    root.chmod(0o600)
    (secret,) = (KEPT / "servers").glob("epoch-*.key")
    settings, sealed = bao.adopt(folder, int(secret.stem.removeprefix("epoch-")), secret.read_bytes())
    with psycopg.connect(urls["keystore"]) as connection:
        connection.execute("UPDATE meta SET value = %s WHERE name = 'secret'", (sealed,))
    return VaultSettings(
        data=folder / "data",
        database_url=SecretStr(urls["database"]),
        keystore_url=SecretStr(urls["keystore"]),
        transit=settings,
        root_key_file=root,
        trust_clock=True,
    )


@pytest.fixture(params=["files", "servers"])
def release(request: pytest.FixtureRequest, tmp_path: Path) -> Release:
    made = on_files(tmp_path) if request.param == "files" else on_servers(tmp_path, request)
    return Release(KEPT / request.param, made)


def fields(record: Appointment | Practitioner | Receipt, known: dict[str, Any]) -> dict[str, Any]:
    """What the release knew of it; later builds may know more."""
    return {name: getattr(record, name) for name in known}


async def living(store: Store, release: Release) -> list[dict[str, Any]]:
    """Every appointment that its practitioner is shown, in the order of the facts."""
    known = release.facts["appointments"][0]
    shown = []
    for person in release.facts["practitioners"]:
        agenda = await store.appointments.agenda(of(person["id"]), *FOREVER)
        assert agenda.damaged == []
        shown += [fields(one, known) for one in agenda.appointments]
    return sorted(shown, key=lambda one: one["id"])


async def refusal(call: Any) -> str:
    with pytest.raises(DomainError) as refused:
        await call
    return refused.value.code


async def test_everything_is_there_and_as_it_was(release: Release) -> None:
    async with release.opened() as store:
        assert await living(store, release) == release.planned(due=False)
        for one in release.planned(due=False):
            assert fields(await store.appointments.get(of(one["owner"]), one["id"]), one) == one
            linked = await store.appointments.by_link(Scope.guest(one["id"]), one["secret"])
            assert linked is not None
            assert fields(linked.appointment, one) == one
            assert await store.appointments.by_link(Scope.guest(one["id"]), "another secret") is None
        for one in release.planned(due=True):
            assert await refusal(store.appointments.get(of(one["owner"]), one["id"])) == "gone"
            assert await store.appointments.by_link(Scope.guest(one["id"]), one["secret"]) is None
        for person in release.facts["practitioners"]:
            assert fields(await store.practitioners.get(of(person["id"])), person) == person
            receipts = await store.appointments.receipts(of(person["id"]))
            assert [one.receipt for one in receipts] == release.facts["receipts"][person["id"]]
        for one in release.facts["destroyed"]:
            receipt = await store.keys.receipt(one["owner"], one["id"])
            assert receipt is not None
            assert fields(receipt, keys := {name: one[name] for name in MOMENTS[3:]}) == keys
            assert (receipt.receipt, receipt.generation) == (one["receipt"], one["generation"])
    await release.whole()


async def test_everybody_signs_in_and_who_was_signed_in_still_is(release: Release) -> None:
    async with release.opened() as store:
        for person in release.facts["practitioners"]:
            closing = person["id"] == release.facts["closing"]
            for password in (release.facts["password"], "another password"):
                seen = await store.practitioners.authenticate(person["mail"], password)
                right = password == release.facts["password"] and not closing
                assert (seen and fields(seen, person)) == (person if right else None)
        sessions = release.facts["sessions"]
        assert await store.sessions.practitioner(sessions["living"]) == sessions["practitioner"]
        assert await store.sessions.practitioner(sessions["idle"]) is None
        report = await store.audit.verify()
        assert (report.entries, report.gaps, report.bad) == (release.facts["audit"], [], None)


async def test_what_was_cut_off_is_finished_and_nothing_else_is_touched(release: Release) -> None:
    facts = release.facts
    async with release.opened() as store:
        assert await store.retention.catch_up() == len(facts["past_due"]) + len({facts["marked"], facts["keyless"]})
        assert await store.retention.compare() == 0
        gone = [*facts["past_due"], facts["marked"], facts["keyless"], facts["closing"]]
        assert await store.keys.missing([*gone, facts["orphan"]]) == gone
        release.time.pass_(minutes=11)
        await store.retention.sweep()
        assert await store.keys.missing([facts["orphan"]]) == [facts["orphan"]]
        facts["practitioners"] = [one for one in facts["practitioners"] if one["id"] != facts["closing"]]
        assert await living(store, release) == release.planned(due=False)
        kept = next(one for one in facts["destroyed"] if one["id"] == facts["keyless"])
        receipt = await store.keys.receipt(kept["owner"], kept["id"])
        assert receipt is not None
        assert receipt.receipt == kept["receipt"]
        status = await store.retention.status()
        # Its marked ones and its due ones, the marked one whose key was there, and the account that was being closed.
        assert (status.overdue, status.alarms, status.compared) == (0, 0, 1)
        assert await store.keys.generation() == facts["generation"] + len(gone) - 1
        assert (await store.audit.verify()).bad is None
    await release.whole()


async def test_it_is_worked_with_as_if_it_had_been_made_today(release: Release) -> None:
    facts = release.facts
    planned = [one for one in release.planned(due=False) if one["state"] == "planned" and one["ended_at"] is None]
    at_the_end = [one["id"] for one in facts["practitioners"] if one["retention"] == "end"]
    async with release.opened() as store:
        await store.retention.catch_up()
        for one in planned:
            ended = await store.appointments.end(Scope.consult(one["id"], one["owner"]), one["id"])
            assert ended.ended_at == release.time.now()
        for one in planned:
            if one["owner"] not in at_the_end:
                again = await store.appointments.reopen(of(one["owner"]), one["id"])
                assert fields(again, one) | {"version": one["version"]} == one
        person = next(one for one in facts["practitioners"] if one["retention"] == "90d")
        theirs = [one for one in release.planned(due=False) if one["owner"] == person["id"]]
        due = {one["id"]: end(one) + timedelta(days=1) for one in theirs}
        kept = [one for one in theirs if due[one["id"]] > release.time.now()]
        assert 0 < len(kept) < len(theirs)
        assert await store.practitioners.preview_retention(of(person["id"]), "24h") == len(theirs) - len(kept)
        assert await store.practitioners.set_retention(of(person["id"]), "24h") == len(theirs) - len(kept)
        for one in kept:
            assert (await store.appointments.get(of(person["id"]), one["id"])).due == due[one["id"]]
        receipt = await store.retention.destroy(of(person["id"]), kept[0]["id"])
        assert await store.retention.destroy(of(person["id"]), kept[0]["id"]) == receipt
        assert receipt.generation == await store.keys.generation()
        new = await store.appointments.create(of(person["id"]), "Nieuw", release.time.now(), 30, "nl")
        await store.retention.sweep()
        assert await store.appointments.get(of(person["id"]), new.id) == new
        assert (await store.audit.verify()).bad is None
    await release.whole()


def end(one: dict[str, Any]) -> datetime:
    """From when on the setting counts."""
    moment: datetime = one["ended_at"] or one["starts_at"] + timedelta(minutes=one["minutes"] + 30)
    return moment


async def test_its_key_store_becomes_a_tree_and_opens_all_of_it(release: Release) -> None:
    assert await upgrade(release.settings, lambda: None)
    async with release.opened() as store:
        assert not store.keys.flat
        assert await living(store, release) == release.planned(due=False)
        await store.retention.catch_up()
        await rotate(release.settings)
        left = await living(store, release)
        assert left == release.planned(due=False)
    await release.whole()


async def test_new_epochs_and_a_new_root_key_open_it_all(release: Release) -> None:
    for root in (False, True):
        await rotate(release.settings, root=root)
        async with release.opened() as store:
            assert await living(store, release) == release.planned(due=False)
    await release.whole()


async def test_a_backup_of_today_brings_all_of_it_back(release: Release, tmp_path: Path) -> None:
    async with release.opened() as store:
        await store.retention.catch_up()
        alive = await living(store, release)
    written = await asyncio.to_thread(data.write, release.settings, KINDS, tmp_path / "backups", release.time.now())
    restored = await data.restore(release.settings, KINDS, tmp_path / "backups", replace=True)
    assert restored == data.Restored(
        written.path, {kind.name: 0 for kind in KINDS} | {"appointments": len(alive)}, 0, 0
    )
    async with release.opened() as store:
        assert await caught_up(store) == 0
        assert await living(store, release) == alive
    await release.whole()


@pytest.mark.parametrize("release", ["files"], indirect=True)
async def test_a_backup_of_then_brings_nothing_back_that_was_destroyed_since(release: Release) -> None:
    async with release.opened() as store:
        await store.retention.catch_up()
        alive = {one["id"]: one for one in await living(store, release)}
    restored = await data.restore(release.settings, KINDS, KEPT / "files" / "backups", replace=True)
    assert (restored.counts["appointments"] + restored.destroyed, restored.unreadable) == (release.facts["backup"], 0)
    async with release.opened() as store:
        await caught_up(store)
        back = await living(store, release)
        assert len(back) == restored.counts["appointments"]
        for one in back:
            then = alive[one["id"]]
            assert one | {"due": then["due"], "version": then["version"]} == then
        assert (await store.retention.status()).alarms == 0
    await release.whole()


@pytest.mark.parametrize("release", ["files"], indirect=True)
async def test_a_key_snapshot_of_then_opens_all_of_it(release: Release) -> None:
    keys = release.settings.keystore().parent
    await asyncio.to_thread(keys.rename, keys.with_name("lost"))
    (sealed,) = (KEPT / "files" / "snapshots").iterdir()
    await snapshots.restore(release.settings, sealed, release.time.now())
    async with release.opened() as store:
        assert await living(store, release) == release.planned(due=False)
    await release.whole()
