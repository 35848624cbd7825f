"""Stores for tests: nothing else keeps anything of an appointment, and no consult runs, unless a test says so."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from rooms import store
from rooms.retention import InProgress, Told
from rooms.scope import Scope
from rooms.settings import RoomsSettings
from rooms.store import Store


async def nobody(_: str) -> bool:
    """No consult runs."""
    return False


async def nothing(_: str) -> None:
    """Nothing is kept elsewhere."""


@dataclass
class Elsewhere:
    """What there is beside a store; a test puts its own in, also while the store is open."""

    in_progress: InProgress = nobody
    on_destroy: Told = nothing
    on_close: Told = nothing

    async def ask(self, appointment: str) -> bool | None:
        return await self.in_progress(appointment)

    async def destroyed(self, appointment: str) -> None:
        await self.on_destroy(appointment)

    async def closed(self, practitioner: str) -> None:
        await self.on_close(practitioner)


@asynccontextmanager
async def open_store(
    settings: RoomsSettings, elsewhere: Elsewhere | None = None, **options: Any
) -> AsyncIterator[Store]:
    """As ``rooms.store.open_store``."""
    told = elsewhere or Elsewhere()
    opening = store.open_store(
        settings, in_progress=told.ask, on_destroy=told.destroyed, on_close=told.closed, **options
    )
    async with opening as opened:
        yield opened


def of(person: str) -> Scope:
    """Whoever is signed in as this practitioner."""
    return Scope.practitioner(person)
