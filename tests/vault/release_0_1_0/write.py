"""Runs with the modules of release 0.1.0: fills a new database and key store, at moments that are always the same.

``python write.py OPTIONS``, OPTIONS being JSON: ``rooms`` (the settings) and ``folder`` (for facts, backup, snapshot).
"""

import asyncio
import json
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import rooms.store
from argon2 import PasswordHasher
from rooms.audit import Act, Party, appointment, practitioner
from rooms.backup import data, snapshots
from rooms.model import Appointment, Practitioner, Receipt
from rooms.settings import RoomsSettings
from rooms.store import Store, open_store
from rooms.store.sealed import new_id, open_appointment
from rooms.store.tables import appointments, audit
from sqlalchemy import select

QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
NOW = datetime(2026, 3, 5, 9, 0, tzinfo=UTC)
PASSWORD = "correct horse battery"
LANGUAGES = {"end": "nl", "24h": "en", "7d": "de", "30d": "fr", "90d": "nl", "manual": "en"}
NAMES = (
    "Voorbeeld, patiënt één",
    "Łucja Ørnsdóttir-Voorbeeld",
    "مريض مثال",
    "例の患者",
    "\u202edleebroov",
    "\u200b",
    "V" * 200,
)
"""Some of these are refused since; what was planned stays."""


@dataclass
class Time:
    """Both clocks."""

    wall: datetime = START
    boot: float = 1000.0

    def now(self) -> datetime:
        return self.wall

    def boottime(self) -> float:
        return self.boot

    def go(self, wall: datetime) -> None:
        self.boot += (wall - self.wall).total_seconds()
        self.wall = wall


class Story:
    """What happens at a practice, and what is to be known about it afterwards."""

    def __init__(self, store: Store, time: Time) -> None:
        self.store = store
        self.time = time
        self.people: dict[str, Practitioner] = {}
        self.destroyed: list[tuple[str, str, Receipt]] = []
        self.facts: dict[str, Any] = {"password": PASSWORD}

    async def add(self, name: str, language: str, retention: str) -> None:
        person = await self.store.practitioners.add(
            f"{name}@example.org", PASSWORD, f"Praktijk Voorbeeld ({name})", language, retention
        )
        self.people[name] = person
        self.store.practitioners._hasher = QUICK  # one as in production is enough
        await self.store.audit.record(Act.ACCOUNT_ADDED, Party("operator", "made-up"), practitioner(person.id))

    async def plan(self, name: str, patient: str, starts_at: datetime, minutes: int = 30) -> Appointment:
        person = self.people[name]
        planned = await self.store.appointments.create(person.id, patient, starts_at, minutes, person.language)
        await self.store.audit.record(
            Act.APPOINTMENT_CREATED, practitioner(person.id), appointment(person.id, planned.id)
        )
        return planned

    async def destroy(self, planned: Appointment) -> None:
        receipt = await self.store.retention.destroy(planned.owner, planned.id)
        self.destroyed.append((planned.owner, planned.id, receipt))

    async def everybody_plans(self) -> None:
        """With each retention: planned near and far, ended, reopened, destroyed."""
        amsterdam = START.astimezone(datetime.fromisoformat("2026-03-02T09:00+01:00").tzinfo)
        for number, (name, language) in enumerate(LANGUAGES.items()):
            await self.add(name, language, name)
            await self.plan(name, NAMES[number], amsterdam + timedelta(days=30 + number), 5 + number)
            await self.plan(name, NAMES[-1], START + timedelta(days=400), 480)
            ended = await self.plan(name, f"Ended {number}", START + timedelta(hours=1))
            reopened = await self.plan(name, f"Reopened {number}", START + timedelta(days=10))
            self.time.go(self.time.wall + timedelta(minutes=10))
            if name != "end":
                await self.store.appointments.end(ended.id)
                await self.store.appointments.end(reopened.id)
                await self.store.appointments.reopen(self.people[name].id, reopened.id)
            await self.destroy(await self.plan(name, f"Destroyed {number}", START + timedelta(days=1)))
        await self.plan("manual", "Far away", datetime(2206, 3, 2, 9, 0, tzinfo=UTC))
        await self.plan("90d", "Held before it was planned", START - timedelta(days=1))
        for name in ("empty", "changed", "closed", "closing"):
            await self.add(name, "nl", "30d")
        for name in ("changed", "closed", "closing"):
            await self.plan(name, f"Of {name}", START + timedelta(days=20))

    async def days_pass(self) -> None:
        """Sweeps destroy what is due; one changes the setting, one leaves."""
        await self.plan("end", "Due since the last sweep", NOW - timedelta(minutes=50), 15)
        self.time.go(NOW - timedelta(hours=1))
        await self.store.retention.sweep()
        changed = self.people["changed"].id
        await self.store.practitioners.set_retention(changed, "7d")
        await self.store.audit.record(Act.RETENTION_CHANGED, practitioner(changed), practitioner(changed), "7d")
        closed = await self.store.retention.close(self.people["closed"].id)
        assert closed.receipt is not None
        self.facts["closed"] = {"id": self.people.pop("closed").id, "receipt": closed.receipt.receipt}
        await self.store.retention.sweep()

    async def is_cut_off(self) -> None:
        """What the next start or sweep has to finish."""
        store, keys, owner = self.store, self.store.keys, self.people["7d"].id
        self.time.go(NOW - timedelta(minutes=40))
        idle = await store.sessions.create(owner)
        self.time.go(NOW - timedelta(minutes=10))
        self.facts["sessions"] = {"idle": idle, "living": await store.sessions.create(owner), "practitioner": owner}
        await self.plan("7d", "Key not confirmed", NOW + timedelta(hours=1))
        marked = await self.plan("7d", "Marked", NOW + timedelta(hours=2))
        keyless = await self.plan("7d", "Marked, key destroyed", NOW + timedelta(hours=3))
        for one in (marked, keyless):
            await store.retention._destruction.mark(owner, one.id)
        (receipt,) = await keys.destroy([(owner, keyless.id)], self.time.now())
        self.destroyed.append((owner, keyless.id, receipt))
        orphan = new_id()
        await keys.add(owner, orphan, self.time.now())
        await self.destroy(await self.plan("30d", "Destroyed, no new epoch yet", NOW + timedelta(hours=4)))
        await store.retention.request_closure(self.people["closing"].id)
        self.time.go(NOW)
        ended = await self.plan("end", "Ended, so due", NOW + timedelta(hours=1))
        await store.appointments.end(ended.id)
        self.facts |= {"marked": marked.id, "keyless": keyless.id, "orphan": orphan}

    async def known(self) -> dict[str, Any]:
        """All of it, for the tests."""
        async with self.store.database.read() as connection:
            rows = (await connection.execute(select(appointments).order_by(appointments.c.id))).all()
            entries = (await connection.execute(select(audit.c.number))).all()
        keys = await self.store.keys.get_many((row.owner, row.id) for row in rows)
        there = [open_appointment(keys[row.id], row) for row in rows if row.id in keys]
        people = [asdict(await self.store.practitioners.get(one.id)) for one in self.people.values()]
        receipts = {name: await self.store.keys.receipts(one.id) for name, one in self.people.items()}
        return self.facts | {
            "now": NOW,
            "practitioners": people,
            "closing": self.people["closing"].id,
            "appointments": [asdict(one) for one in there],
            "past_due": [one.id for one in there if one.due and one.due <= NOW and one.state != "destroying"],
            "destroyed": [{"owner": owner, "id": one, **asdict(receipt)} for owner, one, receipt in self.destroyed],
            "receipts": {
                self.people[name].id: [one.receipt for one in receipts] for name, receipts in receipts.items()
            },
            "audit": len(entries),
            "generation": await self.store.keys.generation(),
            "epoch": self.store.keys.unlocked()._epochs.number(),
        }


async def main(options: dict[str, Any]) -> None:
    rooms.store.boot_id = lambda: "a-boot-of-release-0.1.0"  # not that of the machine this runs on
    settings, folder, time = RoomsSettings(**options["rooms"]), Path(options["folder"]), Time()
    async with open_store(settings, now=time.now, boot=time.boottime) as store:
        story = Story(store, time)
        await store.retention.catch_up()
        await story.everybody_plans()
        await store.retention.sweep()
        backup = await asyncio.to_thread(data.write, settings, folder / "backups", time.now())
        story.facts["backup"] = backup.appointments
        await story.days_pass()
        await story.is_cut_off()
        if settings.snapshot_keys is not None:
            await asyncio.to_thread(snapshots.take, settings, folder / "snapshots", time.now())
        facts = await story.known()
    text = json.dumps(facts, indent=1, ensure_ascii=True, sort_keys=True, default=str)
    (folder / "facts.json").write_text(text + "\n")


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
