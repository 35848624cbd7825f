"""What a practitioner plans often: made and taken back by nobody else, until the account ends.

A kind of record (``vault.records.records``) without a due time. Taking all of it back is ``store.retention.destroy``.
"""

from dataclasses import replace
from typing import Final

from practice.accounts.sole import SoleRecords
from practice.agenda.changes import demand_possible
from practice.names import named
from practice.presets.model import Preset, Presets
from practice.presets.records import PRESETS
from vault.errors import DomainError
from vault.records.content import new_id
from vault.records.scope import Scope
from vault.records.stores import Means

MAX_NAME: Final = 60
MOST: Final = 20


class AllPresets:
    """``store.presets``. Errors of all: ``not_found`` (the scope), ``unreadable``, ``locked``, ``try_again``."""

    def __init__(self, means: Means) -> None:
        self._sole = SoleRecords(means, PRESETS)
        self._now = means.now

    async def of(self, scope: Scope) -> Presets:
        """All of theirs; version 0 where there never was one."""
        owner = scope.owner
        return await self._sole.of(owner) or Presets("", owner)

    async def add(self, scope: Scope, preset: Preset, seen: int) -> Presets:
        """One more, in place of one of the same name, where nobody changed them since the version that was ``seen``.

        Errors: ``invalid`` with the field (``name`` also where there are ``MOST``), ``conflict``, ``not_found`` (also:
        the account is closing).
        """
        demand_possible(self._now(), None, preset.minutes, preset.language)
        preset, before = replace(preset, name=named(preset.name, "name", MAX_NAME)), await self.of(scope)
        others = [one for one in before.presets if one.name != preset.name]
        if len(others) >= MOST:
            raise DomainError("invalid", "name")
        return await self._put(before, (*others, preset), seen)

    async def remove(self, scope: Scope, name: str, seen: int) -> Presets:
        """All but this one. Errors: ``not_found`` (also: no such one), ``conflict``."""
        before = await self.of(scope)
        others = tuple(one for one in before.presets if one.name != name)
        if len(others) == len(before.presets):
            raise DomainError("not_found")
        return await self._put(before, others, seen)

    async def _put(self, before: Presets, presets: tuple[Preset, ...], seen: int) -> Presets:
        after = replace(before, id=before.id or new_id(), presets=presets, version=seen + 1)
        return await self._sole.put(after, before)
