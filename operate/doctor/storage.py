"""What is kept: database, key store, disk and secrets."""

import asyncio
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

from operate.deployment.strength import Guarded, refuse_weak
from operate.doctor.finding import Finding, bad, good, unknown, warn
from practice.kinds import KINDS
from vault import keystore
from vault.database.migrate import revisions
from vault.errors import DomainError, Locked, StartRefused
from vault.settings import VaultSettings

LEAST_BYTES: Final = 1 << 30
LEAST_SHARE: Final = 0.1


async def database(settings: VaultSettings) -> list[Finding]:
    """Whether it answers and has this version's schema."""
    try:
        found = await asyncio.to_thread(revisions, settings.database())
    except StartRefused as reason:
        return [bad("database", str(reason), "Correct rooms.database_url; see that the database runs.")]
    if found.behind:
        return [bad("database", found.behind, "`spreekkamer db status` says more.")]
    return [good("database", f"The database answers, at revision {found.current}.")]


async def keys(settings: VaultSettings, now: Callable[[], datetime]) -> list[Finding]:
    """Whether every key opens and every destruction is in the ledger."""
    fix = "docs/operations.md, *Keys*; change nothing before you know what happened."
    try:
        verdict = await keystore.verify(settings, KINDS, now)
    except Locked as locked:
        return [bad("key-store", locked.reason, fix)]
    except (StartRefused, DomainError) as error:
        return [bad("key-store", f"It cannot be looked at: {error}", fix)]
    if verdict.findings:
        return [bad("key-store", " ".join(verdict.findings[:3]), fix)]
    if verdict.flat:
        return [warn("key-store", "It is flat.", "Stop every server, `spreekkamer db upgrade`, start them again.")]
    return [good("key-store", f"{verdict.practitioners} practitioners' and {verdict.data_keys} data keys open.")]


def secrets(settings: Guarded) -> list[Finding]:
    """None that could be guessed."""
    try:
        refuse_weak(settings)
    except StartRefused as reason:
        return [bad("secrets", str(reason), "Make a new one; every server and worker needs the same.")]
    return [good("secrets", "None is short or a default.")]


def disk(folders: dict[str, Path | None], swaps: Path = Path("/proc/swaps")) -> list[Finding]:
    """Room left where we write, and whether memory can reach a disk."""
    findings = []
    for name, folder in folders.items():
        if folder is None:
            continue
        try:
            usage = shutil.disk_usage(_existing(folder))
        except OSError:
            findings.append(bad(f"disk-{name}", "The folder cannot be reached.", "Mount it; correct the settings."))
            continue
        share = usage.free / usage.total if usage.total else 0.0
        meaning = f"{usage.free / (1 << 30):.1f} GiB free, {share:.0%}."
        if usage.free < LEAST_BYTES / 4:
            fix = "Make room: when it is full, nothing can be planned or destroyed."
            findings.append(bad(f"disk-{name}", meaning, fix))
        elif usage.free < LEAST_BYTES or share < LEAST_SHARE:
            findings.append(warn(f"disk-{name}", meaning, "Make room soon."))
        else:
            findings.append(good(f"disk-{name}", meaning))
    return [*findings, _swap(swaps)]


def _swap(swaps: Path) -> Finding:
    try:
        lines = swaps.read_text().splitlines()[1:]
    except OSError:
        return unknown("swap", "This system does not say whether it swaps.", "Turn swap off or encrypt it.")
    plain = [
        line.split()[0] for line in lines if line and not line.startswith(("/dev/zram", "/dev/dm-", "/dev/mapper"))
    ]
    if plain:
        return warn(
            "swap", "Memory, keys in it too, can be written to a disk.", "Turn swap off (swapoff -a) or encrypt it."
        )
    return good("swap", "Memory is not written to a plain disk.")


def _existing(folder: Path) -> Path:
    """The folder, or the closest one above it that is there."""
    return next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
