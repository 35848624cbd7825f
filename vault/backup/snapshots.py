"""Snapshots of the key store, each sealed under a key of its own that is erased after 24 hours.

A copy of the key store outlives what it forgets. So by default there is none, and with ``snapshot_keys`` set each copy
opens for a day: an appointment is then irrecoverable at its due time and 24 hours, and nobody may claim less.
"""

import asyncio
import io
import os
import sqlite3
import zipfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from urllib.parse import quote

from pydantic import SecretStr
from sqlalchemy import inspect, select

from vault import faults
from vault.backup.data import is_sqlite, newest, opened, settle
from vault.backup.expiry import KEY, NAME, SEALED, STAMP, erase, expire
from vault.database.marks import GENERATION, PAIR
from vault.database.tables import marks
from vault.errors import StartRefused, Tampered
from vault.keys.backends import backend
from vault.keys.envelope import Place, new_key, seal, unseal
from vault.keys.epochs import NUMBER
from vault.keys.files import flush_folder, private_folder, write_new
from vault.keys.store import open_keystore
from vault.lock import hold
from vault.settings import VaultSettings

STORE = "keystore.sqlite"


def take(settings: VaultSettings, folder: Path, now: datetime) -> Path:
    """A sealed copy of the key store in ``folder``; its key goes to ``snapshot_keys``. Blocks. Errors: StartRefused."""
    keys = key_folder(settings)
    apart = (settings.keystore().parent, keys, settings.backups and settings.backups.absolute())
    if any(other and overlap(folder.absolute(), other) for other in apart):
        raise StartRefused("Key snapshots need a folder apart from the key store, the backups and the snapshots' keys.")
    expire(keys, now)
    name = f"keys-{now.astimezone(UTC).strftime(STAMP)}-{token_hex(8)}"
    key = new_key()
    try:
        private_folder(folder)
        private_folder(keys)
        sealed = seal(key, contents(settings.keystore()), place(name))
        write_new(keys / f"{name}{KEY}", key)
        write_new(folder / f"{name}{SEALED}", sealed)
    except (sqlite3.Error, OSError) as error:
        raise StartRefused(faults.reason(error, f"The key snapshot in {folder} and its key in {keys}")) from None
    return folder / f"{name}{SEALED}"


def contents(keystore: Path) -> bytes:
    """The key store and its epoch's secret, of one moment: no rotation comes between."""
    if not keystore.exists():
        raise StartRefused("The key store is missing; there is nothing to copy.")
    with closing(sqlite3.connect(":memory:")) as copy:
        with closing(sqlite3.connect(keystore, isolation_level=None, timeout=5)) as guard:
            guard.execute("BEGIN IMMEDIATE")
            with closing(sqlite3.connect(keystore)) as reading:
                reading.backup(copy)
            number = int(guard.execute(f"SELECT {NUMBER}").fetchone()[0])
            secret = (keystore.parent / f"epoch-{number}.key").read_bytes()
            guard.execute("ROLLBACK")
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(STORE, copy.serialize())
            archive.writestr(f"epoch-{number}.key", secret)
        return packed.getvalue()


async def restore(settings: VaultSettings, source: Path, now: datetime, backup: Path | None = None) -> None:
    """Put a snapshot where the key store was.

    Only where there is none, only while its key is there, and never one that is older than what the database knows to
    be destroyed; where that is lost too, than what ``backup`` knows: one of the data, or a folder for its newest.
    Errors: StartRefused.
    """
    await asyncio.to_thread(expire, key_folder(settings), now)
    descriptor = await asyncio.to_thread(hold, settings.data)
    draft = settings.keystore().parent / "restored"
    try:
        pair, generation = await asyncio.to_thread(unpack, settings, source, draft, backup)
        copied = settings.model_copy(update={"keystore_url": SecretStr(f"sqlite:///{(draft / STORE).absolute()}")})
        keys = await open_keystore(backend(copied), pair=pair, generation=generation)
        reason = keys.locked
        await keys.close()
        if reason:
            raise StartRefused(f"Nothing was restored. {reason}")
        await asyncio.to_thread(install, draft, settings.keystore())
    except (sqlite3.Error, OSError) as error:
        why = faults.reason(error, "The key store's place")
        raise StartRefused(f"Nothing was restored. {why}") from None
    finally:
        await asyncio.to_thread(clear, draft)
        os.close(descriptor)


def unpack(settings: VaultSettings, source: Path, draft: Path, backup: Path | None) -> tuple[str, int]:
    """The snapshot's files into a folder of their own; returns the pair id and the newest generation that is known."""
    if settings.keystore().exists():
        raise StartRefused("There is a key store already; move it away first, it may be the newest there is.")
    known = [] if backup is None else [said_in(newest(backup))]
    known = [one for one in (said(settings), *known) if PAIR in one]
    if not known:
        raise StartRefused("There is no database to compare the key snapshot with; name a backup of it with --backup.")
    files = unsealed(settings, source)
    clear(draft)
    private_folder(draft)
    for name, content in files.items():
        write_new(draft / name, content)
        (draft / name).chmod(0o600)
    return known[0][PAIR], max(int(one.get(GENERATION, 0)) for one in known)


def said(settings: VaultSettings) -> dict[str, str]:
    """The database's marks; none where there is no database."""
    url = settings.database()
    if is_sqlite(url) and not Path(url.database or "").exists():
        return {}
    with opened(url) as engine, engine.connect() as connection:
        if not inspect(connection).has_table(marks.name):
            return {}
        return {row.name: row.value for row in connection.execute(select(marks))}


def said_in(backup: Path) -> dict[str, str]:
    """The marks in a backup of the data, which is not touched."""
    with closing(sqlite3.connect(f"file:{quote(str(backup.absolute()))}?mode=ro&immutable=1", uri=True)) as connection:
        return dict(connection.execute("SELECT name, value FROM marks").fetchall())


def install(draft: Path, target: Path) -> None:
    """The key store last: without it there is none."""
    settle(draft / STORE)
    for path in draft.glob("epoch-*.key"):
        path.replace(target.parent / path.name)
    (draft / STORE).replace(target)
    flush_folder(target.parent)


def unsealed(settings: VaultSettings, source: Path) -> dict[str, bytes]:
    """What is in a snapshot, by file name. Errors: StartRefused."""
    name = source.name.removesuffix(SEALED)
    if not NAME.fullmatch(name):
        raise StartRefused("This is not a key snapshot of ours.")
    try:
        key = (key_folder(settings) / f"{name}{KEY}").read_bytes()
    except OSError:
        raise StartRefused("The key of this snapshot is erased, as it is after 24 hours; nothing opens it.") from None
    try:
        with zipfile.ZipFile(io.BytesIO(unseal(key, source.read_bytes(), place(name)))) as archive:
            return {entry: archive.read(entry) for entry in archive.namelist()}
    except Tampered:
        raise StartRefused("This key snapshot is damaged.") from None
    except OSError as error:
        raise StartRefused(faults.reason(error, f"{source}")) from None


def clear(folder: Path) -> None:
    """Remove a folder of files."""
    if folder.is_dir():
        for path in folder.iterdir():
            erase(path)
        folder.rmdir()


def key_folder(settings: VaultSettings) -> Path:
    """Where the snapshots' keys are; StartRefused when there are to be no snapshots."""
    if settings.snapshot_keys is None:
        raise StartRefused("Key snapshots are off: set rooms.snapshot_keys to a folder on another volume.")
    if settings.keystore_address().get_backend_name() != "sqlite" or settings.transit.address:
        raise StartRefused("Key snapshots are of a key store in files; copy PostgreSQL's and OpenBao's by their means.")
    return settings.snapshot_keys.absolute()


def overlap(one: Path, other: Path) -> bool:
    """Whether one folder is in the other."""
    return one.is_relative_to(other) or other.is_relative_to(one)


def place(name: str) -> Place:
    """What a snapshot is bound to."""
    return Place("key-snapshot", "content", name, "keystore")
