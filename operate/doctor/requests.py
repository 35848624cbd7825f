"""Requests by right: how many wait and how long, and nothing of what or who (S-03)."""

import asyncio
from datetime import datetime
from typing import Final

from operate.doctor.finding import Finding, bad, good, unknown
from practice.requests.backlog import COUNTED, bound, counted
from vault.database.migrate import connected, revisions
from vault.errors import StartRefused
from vault.settings import VaultSettings

DAY: Final = 86_400


async def waiting(settings: VaultSettings, now: datetime) -> list[Finding]:
    """Whether any is overdue."""
    return await asyncio.to_thread(_look, settings, now)


def _look(settings: VaultSettings, now: datetime) -> list[Finding]:
    try:
        if behind := revisions(settings.database()).behind:
            return [unknown("requests-waiting", behind, "`spreekkamer db status` says more.")]
        with connected(settings.database()) as connection:
            found = counted(connection.execute(COUNTED, bound(now)).one(), now)
    except StartRefused as reason:
        return [unknown("requests-waiting", str(reason), "See what is said of the database.")]
    if found.overdue:
        meaning = f"{found.overdue} were not answered in four weeks; the oldest waits {found.oldest / DAY:.0f} days."
        return [bad("requests-waiting", meaning, "The data protection officer answers at /practice/requests.")]
    if found.waiting:
        return [
            good("requests-waiting", f"{found.waiting} wait for an answer, the oldest {found.oldest / DAY:.0f} days.")
        ]
    return [good("requests-waiting", "None waits for an answer.")]
