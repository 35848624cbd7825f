"""Runs with the modules of any build: a store that does one thing after another and says how long each took.

``python inside.py OPTIONS``, OPTIONS being JSON: the settings. Each line of its input is JSON,
``[what, *arguments]``; each answer is ``{"seconds": [...], "is": …}`` or the code of an error, ``{"refused": …}``. Time
is the machine's; between two things that are measured the store's clock is moved on by two minutes, longer than any
lease or interval lasts.
"""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

OLDER = find_spec("rooms.store") is not None
"""Whether these are the modules of release 0.1.0, not today's."""

if OLDER and not TYPE_CHECKING:
    from rooms.clock import boottime
    from rooms.errors import RoomsError as DomainError
    from rooms.settings import RoomsSettings as VaultSettings
    from rooms.store import Store, open_store
else:
    from practice.opening import open_store
    from practice.storage import Store
    from vault.clock import boottime
    from vault.errors import DomainError
    from vault.records.scope import Scope
    from vault.settings import VaultSettings


async def nobody(_: Any) -> set[str]:
    """No consult runs."""
    return set()


async def nothing(_: str) -> None:
    """Nothing is kept elsewhere of an account."""


async def no_traces(_: Any) -> dict[str, Exception]:
    """Nor of appointments: no faults in clearing that."""
    return {}


async def nobody_hears(*_: Any) -> None:
    """No desk is open."""


BESIDE: dict[str, Any] = {
    "in_progress": nobody, "on_destroy": no_traces, "on_close": nothing, "on_handed": nobody_hears
}  # fmt: skip


def of(owner: str) -> Any:
    """Whose records, as this build wants to be told."""
    return owner if OLDER else Scope.practitioner(owner)


class Inside:
    """What is measured, by name. Each gives what it found; ``seconds`` are of its last call."""

    def __init__(self) -> None:
        self.store: Store
        self.ahead = 0.0
        self.seconds: list[float] = []

    def now(self) -> datetime:
        """As the store's clock has it."""
        return datetime.now(UTC) + timedelta(seconds=self.ahead)

    @asynccontextmanager
    async def opened(self, settings: VaultSettings) -> AsyncIterator["Inside"]:
        told = {name: one for name, one in BESIDE.items() if name in signature(open_store).parameters}
        async with open_store(settings, now=self.now, boot=lambda: boottime() + self.ahead, **told) as self.store:
            yield self

    @asynccontextmanager
    async def timed(self) -> AsyncIterator[None]:
        began = time.perf_counter()
        yield
        self.seconds.append(time.perf_counter() - began)

    async def ready(self) -> None:
        """All that a server does before it opens its port."""
        async with self.timed():
            await self.store.retention.catch_up()

    async def idle(self) -> int:
        """A sweep that finds nothing."""
        async with self.timed():
            return await self.store.retention.sweep()

    async def sweep_after_one(self, owner: str) -> int:
        """A sweep that finds one new appointment's key."""
        await self._plan(owner)
        return await self.idle()

    async def rotate_after_one(self, owner: str) -> bool:
        """A new epoch, one appointment having been destroyed."""
        made = await self._plan(owner)
        await self.store.retention.destroy(of(owner), made)
        async with self.timed():
            return await self.store.keys.rotate()

    async def status(self) -> int:
        """What readiness and metrics ask."""
        async with self.timed():
            return (await self.store.retention.status()).overdue

    async def week(self, owner: str) -> int:
        """The appointments of one week."""
        today = datetime.now(UTC).date() + timedelta(days=30)
        async with self.timed():
            return len(await self.store.appointments.list(of(owner), today, today + timedelta(days=6)))

    async def create(self, owners: list[str], count: int) -> int:
        """One appointment after the other, each of another practitioner."""
        for number in range(count):
            async with self.timed():
                await self._plan(owners[number % len(owners)])
        return count

    async def destroy(self, owner: str, appointment: str) -> str:
        """Its receipt."""
        async with self.timed():
            return (await self.store.retention.destroy(of(owner), appointment)).receipt

    async def resident(self) -> int:
        """KiB of this process."""
        lines = await asyncio.to_thread(Path("/proc/self/status").read_text)
        return next(int(line.split()[1]) for line in lines.splitlines() if line.startswith("VmRSS:"))

    async def _plan(self, owner: str) -> str:
        start = datetime.now(UTC) + timedelta(days=300)
        return (await self.store.appointments.create(of(owner), "Patient", start, 30, "nl")).id


async def main(options: dict[str, Any]) -> None:
    async with Inside().opened(VaultSettings(**options, trust_clock=True)) as inside:
        said: dict[str, Any] = {"is": None}
        while True:
            print(json.dumps(said | {"seconds": inside.seconds}), flush=True)
            line = await asyncio.to_thread(sys.stdin.readline)
            if not line:
                return
            inside.seconds = []
            inside.ahead += 120
            what, *arguments = json.loads(line)
            try:
                said = {"is": await getattr(inside, what)(*arguments)}
            except DomainError as error:
                said = {"refused": error.code}


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
