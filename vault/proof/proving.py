"""The places, one after the other."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import String, select, text
from sqlalchemy.exc import DBAPIError

from vault.backup.expiry import SEALED
from vault.backup.snapshots import unsealed
from vault.clock import utc_now
from vault.database.tables import metadata
from vault.destruction.deadline import nobody_can_say
from vault.destruction.rotation import PERIOD
from vault.errors import DomainError, StartRefused
from vault.keys.connection import CLUSTER, Cluster
from vault.proof.ciphertexts import Trial, in_database, opens
from vault.proof.report import Looked, Proof
from vault.proof.search import CHUNK, OVERLAP, Needle
from vault.records.records import Kinds
from vault.settings import VaultSettings
from vault.vault import Vault, open_vault

LOOKS = 5
"""Times a folder is listed whose server goes on making files; each but the first brings only names that are new."""
SQLITE_FILES = ("", "-wal", "-shm", "-journal")
ELSEWHERE = (
    Looked("memory", "a running server may still hold a name for a while; see docs/known-limits.md", skipped=True),
    Looked(
        "elsewhere",
        "swap, snapshots of disks, replicas, archived WAL, and what other programs copied",
        skipped=True,
    ),
)
"""Where this program cannot look, whatever it is told."""


@dataclass(frozen=True)
class Folder:
    """A folder or file to be looked through; ``path`` None is a place that nobody named."""

    place: str
    path: Path | None
    copies: bool = False
    """Whether copies of the database are kept here, whose ciphertexts have to be tried."""


async def prove(
    settings: VaultSettings, kinds: Kinds, receipt: str, *, redis: Redis | None, folders: Sequence[Folder]
) -> Proof:
    """Look everywhere. Errors: StartRefused when the key store is locked or does not know the receipt."""
    async with open_vault(
        settings, kinds, in_progress=nobody_can_say, on_forget=remember_nothing, exclusive=False
    ) as store:
        if store.locked:
            raise StartRefused(f"Nothing can be proven. {store.locked}")
        try:
            known = await store.keys.known(receipt)
            if known is None:
                raise StartRefused("The key store's ledger has no such receipt.")
            final_in = None if await store.keys.final(known) else seconds_left(known.destroyed_at, utc_now())
            needle = Needle(receipt, store.keys.unlocked().ledger.receipt_of)
            keys = await store.keys.every()
            places = [
                await in_rows(store, needle),
                await in_database_files(settings, store, needle, keys),
                await in_key_store(settings, store, needle),
                *await in_key_store_elsewhere(settings, store, needle, keys),
                await in_redis(redis, needle),
                await asyncio.to_thread(in_folder, settings, kinds, Folder("data folder", settings.data), needle, keys),
            ]
            places += [await asyncio.to_thread(in_folder, settings, kinds, folder, needle, keys) for folder in folders]
            places += ELSEWHERE
        except DomainError as error:
            raise StartRefused(f"Nothing can be proven now ({error.code}); try again.") from None
        except OSError:
            raise StartRefused("Nothing can be proven: a folder cannot be read; run this as root.") from None
    return Proof(receipt, known.destroyed_at, known.generation, places, final_in)


def remember_nothing(_: object) -> None:
    """Of what is destroyed while we look, we have nothing."""


def seconds_left(destroyed_at: datetime, now: datetime) -> int:
    """Until a server should have ended the epoch; 0 when it is late."""
    return max(0, min(ceil(PERIOD - (now - destroyed_at).total_seconds()), ceil(PERIOD)))


async def in_rows(store: Vault, needle: Needle) -> Looked:
    """Every text in every row of the database."""
    looked, count = Looked("database"), 0
    async with store.database.read() as connection:
        for table in metadata.sorted_tables:
            columns = [column for column in table.c if isinstance(column.type, String)]
            async for row in await connection.stream(select(*columns)):
                count += 1
                if any(needle.positions(str(value).encode()) for value in row if value):
                    looked.left.append(f"a row of {table.name}")
    looked.what = f"{count} rows in {len(metadata.sorted_tables)} tables"
    return looked


async def in_database_files(settings: VaultSettings, store: Vault, needle: Needle, keys: Sequence[bytes]) -> Looked:
    """Free pages, journals and dead rows. PostgreSQL overwrites none: what is there must not open."""
    looked = Looked("its files")
    if store.database.sqlite:
        await asyncio.to_thread(in_files, looked, database_files(settings), needle)
        return looked
    cluster = None
    async with store.database.read() as connection:
        with suppress(DBAPIError):  # a role that may not ask
            async with connection.begin_nested():
                cluster = Cluster(*(await connection.execute(text(CLUSTER))).one())
    return await asyncio.to_thread(in_cluster, looked, store.kinds, cluster, needle, keys)


def database_files(settings: VaultSettings) -> list[Path]:
    """Of a database on SQLite; none of one on PostgreSQL."""
    url = settings.database()
    if url.get_backend_name() != "sqlite":
        return []
    return [Path(f"{url.database}{suffix}") for suffix in SQLITE_FILES]


def in_cluster(looked: Looked, kinds: Kinds, cluster: Cluster | None, needle: Needle, keys: Sequence[bytes]) -> Looked:
    """The heap, TOAST and WAL of a PostgreSQL database, when its server's files are on this machine."""
    places: list[Path] = []
    files: list[Path] = []
    if cluster is not None:
        with suppress(OSError):  # an account that may not look, or another machine
            identifier = Path(cluster.data, "global", "pg_control").read_bytes()[:8]
            if int.from_bytes(identifier, sys.byteorder, signed=True) == cluster.identifier:
                places = [Path(cluster.data, "base", str(cluster.oid)), Path(cluster.data, "pg_wal")]
                files = walk(*places)
    if not files:
        looked.skipped = True
        looked.what = "PostgreSQL's files are not here or not readable; run this as root on its host"
        return looked
    in_files(looked, as_they_come(*places), needle, Trial(kinds, keys, framed=True))
    return looked


async def in_key_store(settings: VaultSettings, store: Vault, needle: Needle) -> Looked:
    """Every key, and every byte of the folder of keys."""
    looked = Looked("key store")
    ids = await store.keys.ids()
    looked.left += ["its key" for one in ids if needle.is_it(one)]
    if settings.keystore_address().get_backend_name() == "sqlite":
        files = await asyncio.to_thread(walk, settings.keystore().parent)
        await asyncio.to_thread(in_files, looked, files, needle)
    looked.what = f"{len(ids)} keys, {looked.what}"
    return looked


async def in_key_store_elsewhere(
    settings: VaultSettings, store: Vault, needle: Needle, keys: Sequence[bytes]
) -> list[Looked]:
    """What of the key store is no file of ours: PostgreSQL's files, and OpenBao, which holds the epochs' secrets."""
    found = []
    if settings.keystore_address().get_backend_name() != "sqlite":
        looked = Looked("key store's files")
        found.append(await asyncio.to_thread(in_cluster, looked, store.kinds, await store.keys.cluster(), needle, keys))
    if settings.transit.address:
        what = "OpenBao's storage, where secrets of ended epochs were; it holds no id and no ciphertext of ours"
        found.append(Looked("openbao", what, skipped=True))
    return found


async def in_redis(redis: Redis | None, needle: Needle) -> Looked:
    """Every key and value."""
    looked, count = Looked("redis"), 0
    if redis is None:
        return Looked("redis", "no signaling.redis_url; a private Redis ends with its server", skipped=True)
    try:
        async for key in redis.scan_iter(count=1000):
            count += 1
            if any([needle.positions(part) async for part in parts(redis, key)]):
                looked.left.append("a key or value")
    except (RedisError, OSError):
        return Looked("redis", "it does not answer", skipped=True)
    looked.what = f"{count} keys"
    return looked


async def parts(redis: Any, key: bytes) -> AsyncIterator[bytes]:
    """A key and what it holds. A key that expired meanwhile holds nothing."""
    yield key
    match await redis.type(key):
        case b"string":
            yield await redis.get(key) or b""
        case b"list":
            for item in await redis.lrange(key, 0, -1):
                yield item
        case b"set":
            for item in await redis.smembers(key):
                yield item
        case b"hash":
            for name, value in (await redis.hgetall(key)).items():
                yield name + b"\0" + value
        case b"zset":
            for item in await redis.zrange(key, 0, -1):
                yield item
        case b"stream":
            for _, fields in await redis.xrange(key):
                yield b"\0".join(name + b"\0" + value for name, value in fields.items())


def in_folder(settings: VaultSettings, kinds: Kinds, folder: Folder, needle: Needle, keys: Sequence[bytes]) -> Looked:
    """Everything in a folder, or one file. The database's and the key store's own files are looked at elsewhere."""
    looked = Looked(folder.place)
    if folder.path is None:
        return Looked(folder.place, "no folder was named", skipped=True)
    if not folder.path.exists():
        return Looked(folder.place, "there is no such folder", skipped=True)
    own = seen_elsewhere(settings) if folder.path == settings.data else frozenset()
    files = [path for path in walk(folder.path) if path.absolute() not in own]
    if not folder.copies:
        in_files(looked, files, needle)
        return looked
    others, tried = [], 0
    for path in files:
        found = in_database(path, kinds, needle)
        if found is None:
            others.append(path)
            continue
        tried += len(found)
        looked.left += [f"{path.name}: a key opens it" for one in found if opens(one, keys)]
    in_snapshots(looked, settings, [path for path in others if path.suffix == SEALED], needle)
    in_files(looked, others, needle, Trial(kinds, keys))
    looked.what = f"{len(files) - len(others)} copies of the database, {looked.what}"
    if tried:
        looked.notes.append(f"{tried} ciphertexts of it, tried with {len(keys)} keys: none opens")
    return looked


def seen_elsewhere(settings: VaultSettings) -> frozenset[Path]:
    """The files of the database and of the key store that are looked at by themselves."""
    files = set(database_files(settings))
    if settings.keystore_address().get_backend_name() == "sqlite":
        files |= set(walk(settings.keystore().parent))
    return frozenset(path.absolute() for path in files)


def in_snapshots(looked: Looked, settings: VaultSettings, files: Sequence[Path], needle: Needle) -> None:
    """Key store snapshots whose own key still exists."""
    for path in files:
        try:
            contents = unsealed(settings, path)
        except StartRefused:
            looked.notes.append(f"{path.name}: nothing opens it any more")
            continue
        if any(needle.positions(content) for content in contents.values()):
            looked.left.append(f"{path.name}: its key, until the snapshot is 24 hours old")


def in_files(looked: Looked, files: Iterable[Path], needle: Needle, trial: Trial | None = None) -> None:
    """Every byte. With a ``trial`` an id alone breaks no promise; a ciphertext beside it that opens does.

    A file that went away since it was listed holds nothing any more.
    """
    count, size, dead = 0, 0, 0
    for path in files:
        try:
            for content in chunks(path):
                size += len(content)
                for position in needle.positions(content):
                    if trial is None:
                        looked.left.append(f"{path.name}: its id")
                    elif trial.opens_at(content, position):
                        looked.left.append(f"{path.name}: a key opens what stands there")
                    else:
                        dead += 1
        except FileNotFoundError:
            continue
        except OSError:
            looked.left.append(f"{path.name}: cannot be read")
        count += 1
    looked.what = f"{count} files, {size / 1e6:.1f} MB"
    if dead and trial is not None:
        beside = f"what is beside it opens with none of {len(trial.keys)} keys"
        looked.notes.append(f"its id stands there {dead} times; {beside}")


def chunks(path: Path) -> Iterator[bytes]:
    """A file in parts that overlap, so that nothing falls between them."""
    with path.open("rb") as file:
        tail = b""
        while part := file.read(CHUNK):
            yield tail + part
            tail = (tail + part)[-OVERLAP:]


def as_they_come(*places: Path) -> Iterator[Path]:
    """The files of folders whose server goes on, then what came meanwhile: segments of the WAL are renamed."""
    seen: set[Path] = set()
    for _ in range(LOOKS):
        new = [path for path in walk(*places) if path not in seen]
        yield from new
        seen.update(new)


def walk(*places: Path) -> list[Path]:
    """Files, and those of folders. Errors: OSError when one of the folders cannot be read."""

    def refuse(fault: OSError) -> None:
        if not isinstance(fault, FileNotFoundError):
            raise fault

    paths = [place for place in places if place.is_file()]
    folders = [found for place in places if place not in paths for found in os.walk(place, onerror=refuse)]
    paths += [Path(folder, name) for folder, _, names in folders for name in sorted(names)]
    return [path for path in paths if path.is_file()]
