"""Runs with the modules of release 0.1.0: fills an empty database and key store with rows that any build can open.

``python fill.py OPTIONS``, OPTIONS being JSON: ``rooms`` (the settings), ``audit`` (so many entries of the trail) and
``groups``, each with ``owners`` practitioners of ``each`` appointments of ``minutes``, which begin at ``start`` or
spread over ``days`` after it, kept as ``retention`` says. Everything is sealed as a server seals it; what a server
writes one by one is copied in bulk. Prints the ids of all practitioners and of the first appointments, as JSON.
"""

import asyncio
import json
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
from argon2 import PasswordHasher
from rooms.audit import Act, practitioner
from rooms.audit.entry import Entry, pseudonym
from rooms.audit.verify import START
from rooms.keys.backends import backend
from rooms.keys.envelope import new_key, seal
from rooms.keys.places import data_place, practitioner_place
from rooms.keys.wrapped import WrappedKeys
from rooms.model import RETENTION, Appointment, Practitioner
from rooms.settings import RoomsSettings
from rooms.store import open_store
from rooms.store.sealed import new_id, seal_appointment, seal_password, seal_profile

PASSWORD = "correct horse battery staple"
MAIL = "alice@example.org"
OVERRUN = timedelta(minutes=30)
CAP = timedelta(days=365)
ROWS = 5_000
SHOWN = 20_000
"""Of so many appointments the ids are said, with their secrets."""


@dataclass
class Sink:
    """Rows of one database on their way."""

    connection: Any
    waiting: dict[str, list[Sequence[Any]]] = field(default_factory=dict)
    written: int = 0

    def add(self, table: str, *row: Any) -> None:
        self.waiting.setdefault(table, []).append(row)
        self.written += 1
        if self.written % ROWS == 0:
            self.flush()

    def flush(self) -> None:
        """In the order in which the tables were first used: owners before what they own."""
        for table, rows in self.waiting.items():
            if not rows:
                continue
            if isinstance(self.connection, sqlite3.Connection):
                marks = ", ".join("?" * len(rows[0]))
                self.connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
            else:
                with self.connection.cursor().copy(f"COPY {table} FROM STDIN") as copy:
                    for row in rows:
                        copy.write_row(row)
            rows.clear()
        self.connection.commit()


def connected(url: Any) -> Any:
    """The bare driver's connection."""
    if url.get_backend_name() == "sqlite":
        return sqlite3.connect(url.database)
    return psycopg.connect(url.set(drivername="postgresql").render_as_string(hide_password=False))


class Filler:
    """Both databases, and the keys above what goes into them."""

    def __init__(self, keys: WrappedKeys, database: Sink, keystore: Sink) -> None:
        self.keys, self.database, self.keystore = keys, database, keystore
        self.digest = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
        self.people: list[str] = []
        self.shown: list[tuple[str, str, str]] = []
        self.first: tuple[str, bytes] | None = None

    def person(self, retention: Any) -> tuple[str, bytes]:
        """A practitioner: id, and the key above the appointments'."""
        row_id, own, key, number = new_id(), new_key(), new_key(), len(self.people)
        mail = f"{number}.{MAIL}" if number else MAIL
        person = Practitioner(row_id, mail, f"Practitioner {number}", "nl", retention, 1)
        self.keystore.add("practitioner_keys", row_id, self.keys._epochs.wrap(own, practitioner_place(row_id)), 0)
        self.data_key(row_id, row_id, own, key)
        sealed = seal_profile(key, person), seal_password(key, row_id, self.digest)
        self.database.add("practitioners", row_id, self.keys.mail_index(mail), *sealed, 1)
        self.people.append(row_id)
        self.first = self.first or (row_id, key)
        return row_id, own

    def data_key(self, owner: str, row_id: str, own: bytes, key: bytes) -> None:
        self.keystore.add("data_keys", row_id, owner, seal(own, key, data_place(row_id, owner)), None)

    def appointment(self, owner: str, own: bytes, start: datetime, minutes: int, retention: Any) -> None:
        row_id, key = new_id(), new_key()
        self.data_key(owner, row_id, own, key)
        chosen = RETENTION[retention]
        due = start + timedelta(minutes=minutes) + OVERRUN + (CAP if chosen is None else min(chosen, CAP))
        planned = Appointment(
            row_id, owner, f"Patient {len(self.people)}", start, minutes, "nl", "planned", None, new_id(), due, 1
        )
        row = seal_appointment(key, planned)
        self.database.add("appointments", *(row[name] for name in COLUMNS))
        if len(self.shown) < SHOWN:
            self.shown.append((row_id, owner, planned.secret))

    def group(self, owners: int, each: int, start: str, retention: Any, minutes: int = 30, days: float = 0) -> None:
        begin, step = datetime.fromisoformat(start), timedelta(days=days) / max(1, each)
        for _ in range(owners):
            owner, own = self.person(retention)
            for number in range(each):
                self.appointment(owner, own, begin + number * step, minutes, retention)

    def trail(self, count: int, at: datetime) -> None:
        """So many entries, one chain; its newest is anchored."""
        if not count or self.first is None:
            return
        key, link, (owner, own) = self.keys.audit_key(), START, self.first
        name = pseudonym(own, practitioner(owner))
        for number, moment in enumerate(moments(count, at), 1):
            entry = Entry(number, moment, "practitioner", name, Act.APPOINTMENTS_LISTED, "practitioner", name, None)
            link = entry.chained(key, link)
            self.database.add("audit", *entry.values(), link)
        self.keystore.add("meta", "audit", count.to_bytes(8, "big") + link)


COLUMNS = ("id", "owner", "state", "due_day", "content", "version")


def moments(count: int, at: datetime) -> Iterator[int]:
    """Milliseconds, the newest just before ``at``."""
    last = int(at.timestamp() * 1000)
    return iter(range(last - count, last))


async def made(settings: RoomsSettings) -> None:
    """The tables, the key store, the marks."""
    async with open_store(settings) as store:
        await store.retention.catch_up()


def fill(options: dict[str, Any]) -> dict[str, Any]:
    settings = RoomsSettings(**options["rooms"], trust_clock=True)
    asyncio.run(made(settings))
    keys: WrappedKeys = backend(settings).open()
    with (
        closing(keys),
        closing(connected(settings.database())) as rows,
        closing(connected(settings.keystore_address())) as wrapped,
    ):
        filler = Filler(keys, Sink(rows), Sink(wrapped))
        for group in options["groups"]:
            filler.group(**group)
        filler.trail(options.get("audit", 0), datetime.now(UTC))
        for sink in (filler.database, filler.keystore):
            sink.flush()
            analysed(sink.connection)
    return {"people": filler.people, "appointments": filler.shown}


def analysed(connection: Any) -> None:
    """As a server's own autovacuum would have it by then."""
    if isinstance(connection, sqlite3.Connection):
        return
    connection.autocommit = True
    connection.execute("VACUUM (ANALYZE)")


if __name__ == "__main__":
    sqlite3.register_adapter(date, date.isoformat)
    print(json.dumps(fill(json.loads(sys.argv[1]))))
