"""Copies: `backup` and `restore` for the data, `key-snapshot take` and `key-snapshot restore` for the key store."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Mapping
from pathlib import Path

from operate.commands.arguments import path
from operate.commands.configured import Configured
from operate.commands.trail import enter
from vault.audit import Act
from vault.clock import utc_now
from vault.errors import StartRefused


def attach(commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    backing = commands.add_parser("backup", parents=[common], help="back up the data (ciphertext only)")
    backing.add_argument("folder", type=path, nargs="?", help="default rooms.backups")
    backing.set_defaults(operate=backup)
    restoring = commands.add_parser("restore", parents=[common], help="put a backup in the database's place")
    restoring.add_argument("source", type=path, nargs="?", help="a backup, or a folder for its newest")
    restoring.add_argument("--replace", action="store_true", help="write over the database that is there")
    restoring.set_defaults(operate=restore)
    group = commands.add_parser("key-snapshot", help="copies of the key store that last 24 hours")
    actions = group.add_subparsers(required=True, metavar="COMMAND")
    taking = actions.add_parser("take", parents=[common], help="seal a copy")
    taking.add_argument("folder", type=path)
    taking.set_defaults(operate=take)
    returning = actions.add_parser("restore", parents=[common], help="put one where the key store was")
    returning.add_argument("source", type=path)
    returning.add_argument("--backup", type=path, help="of the data, if the database is lost too")
    returning.set_defaults(operate=restore_keys)


async def backup(settings: Configured, arguments: argparse.Namespace) -> str:
    """Back up the data; a server may run meanwhile."""
    from practice.kinds import KINDS
    from vault.backup import data

    written = await asyncio.to_thread(data.write, settings.rooms, KINDS, folder(settings, arguments.folder), utc_now())
    await enter(settings, Act.BACKUP_MADE, str(sum(written.counts.values())))
    return f"{written.path}\n{said(written.counts)} are in it, readable only with the key store."


def said(counts: Mapping[str, int]) -> str:
    """How many records of each kind."""
    return ", ".join(f"{count} {name}" for name, count in counts.items())


async def restore(settings: Configured, arguments: argparse.Namespace) -> str:
    """Restore the data, without what was destroyed since."""
    from practice.kinds import KINDS
    from vault.backup import data

    source = folder(settings, arguments.source)
    restored = await data.restore(settings.rooms, KINDS, source, replace=arguments.replace)
    await enter(settings, Act.BACKUP_RESTORED, str(sum(restored.counts.values())))
    lines = [f"{restored.path}", f"{said(restored.counts)} are back."]
    if restored.destroyed:
        lines.append(f"{restored.destroyed} were destroyed since the backup and stay destroyed.")
    if restored.unreadable:
        lines.append(f"{restored.unreadable} have no key in the key store and cannot be read.")
    return "\n".join(lines)


async def take(settings: Configured, arguments: argparse.Namespace) -> str:
    """Seal a copy of the key store."""
    from vault.backup import snapshots

    path = await asyncio.to_thread(snapshots.take, settings.rooms, arguments.folder, utc_now())
    await enter(settings, Act.SNAPSHOT_TAKEN)
    return f"{path}\nIt opens for 24 hours; what is destroyed meanwhile is irrecoverable only after that."


async def restore_keys(settings: Configured, arguments: argparse.Namespace) -> str:
    """Put a copy of the key store back."""
    from vault.backup import snapshots

    await snapshots.restore(settings.rooms, arguments.source, utc_now(), arguments.backup)
    if not await asyncio.to_thread(snapshots.said, settings.rooms):
        return "The key store is back; restore the data now."
    await enter(settings, Act.SNAPSHOT_RESTORED)
    return "The key store is back."


def folder(settings: Configured, named: Path | None) -> Path:
    """The folder of an argument, else the configured one."""
    found = named or settings.rooms.backups
    if found is None:
        raise StartRefused("Name the folder of the backups, or set rooms.backups.")
    return found
