"""Stores for tests: nothing else keeps anything of an appointment, and no consult runs, unless a test says so."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from practice import opening as doors
from practice.storage import Store
from vault.destruction.deadline import Told
from vault.destruction.handing import Handed
from vault.records.scope import Scope
from vault.settings import VaultSettings


async def nobody(_: str) -> bool:
    """No consult runs."""
    return False


async def none_of_them(_: Sequence[str]) -> set[str]:
    """The same for many."""
    return set()


async def nothing(_: str) -> None:
    """Nothing is kept elsewhere."""


async def nothing_of_any(_ids: Sequence[str], _giver: str, _taker: str) -> None:
    """The same for many."""


@dataclass
class Elsewhere:
    """What there is beside a store; a test puts its own in, also while the store is open."""

    in_progress: Callable[[str], Awaitable[bool | None]] = nobody
    on_destroy: Told = nothing
    on_close: Told = nothing
    on_handed: Handed = nothing_of_any

    async def ask(self, appointments: Sequence[str]) -> set[str] | None:
        said = {one: await self.in_progress(one) for one in appointments}
        return None if None in said.values() else {one for one, running in said.items() if running}

    async def destroyed(self, appointments: Sequence[str]) -> dict[str, BaseException]:
        done = await asyncio.gather(*map(self.on_destroy, appointments), return_exceptions=True)
        return {one: fault for one, fault in zip(appointments, done, strict=True) if fault is not None}

    async def closed(self, practitioner: str) -> None:
        await self.on_close(practitioner)

    async def handed(self, appointments: Sequence[str], giver: str, taker: str) -> None:
        await self.on_handed(appointments, giver, taker)


@asynccontextmanager
async def open_store(
    settings: VaultSettings, elsewhere: Elsewhere | None = None, **options: Any
) -> AsyncIterator[Store]:
    """As ``practice.opening.open_store``."""
    told = elsewhere or Elsewhere()
    opening = doors.open_store(
        settings,
        in_progress=told.ask,
        on_destroy=told.destroyed,
        on_close=told.closed,
        on_handed=told.handed,
        **options,
    )
    async with opening as opened:
        yield opened


def of(person: str) -> Scope:
    """Whoever is signed in as this practitioner."""
    return Scope.practitioner(person)
