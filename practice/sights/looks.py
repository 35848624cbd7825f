"""Who looked at an appointment or changed it, in words that its patient can read (S-51).

Of the trail it takes what it says of this one appointment, which it knows by a pseudonym under the appointment's key:
with that key the answer ends. What somebody was given sight of in the whole agenda is in it too, for the days on which
this appointment was among what they read; a list of days that its own people look through names no appointment.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from practice.agenda.model import Appointment
from practice.sights.store import AHEAD
from vault.audit import Act, Entry, appointment, practitioner
from vault.audit.search import Search
from vault.audit.trail import Trail
from vault.errors import DomainError
from vault.records.scope import Scope

MOST: Final = 200

Who = Literal["practitioner", "member", "two", "link", "operators", "support", "server"]
"""Whose appointment it is; another of the practice; one of the practice whom a second one gave sight; whoever has a
link; who runs the server, two together; who helps with technical data alone; nobody.
"""


@dataclass(frozen=True, slots=True)
class Glance:
    """What was done, when and by whom, without a name."""

    at: datetime
    act: str
    who: Who
    number: int


class Glances:
    """``store.looks``. Whoever calls this enters that it was done."""

    def __init__(self, trail: Trail) -> None:
        self._trail = trail

    async def of(self, scope: Scope, one: Appointment) -> Sequence[Glance]:
        """Newest first, ``MOST`` at most. Errors: ``not_found`` (another's appointment, or another scope)."""
        scope.demand("guest")
        if not scope.covers(one.owner, one.id):
            raise DomainError("not_found")
        whole, owner = appointment(one.owner, one.id), practitioner(one.owner)
        names = await self._trail.names([whole, owner])
        if whole not in names:
            return []
        entries = await self._trail.newest(Search(names=[names[whole]]), MOST)
        entries = [entry for entry in entries if entry.subject_name == names[whole]]
        seen = [Glance(entry.moment, entry.act, _who(entry, names.get(owner)), entry.number) for entry in entries]
        if owner in names and seen:
            seen += await self._sights(names[owner], one, min(glance.at for glance in seen))
        return sorted(seen, key=lambda glance: glance.number, reverse=True)[:MOST]

    async def _sights(self, name: str, one: Appointment, since: datetime) -> list[Glance]:
        """Of its practitioner's agenda, since it is there, while it was in what is shown: four weeks to come."""
        begun = min(one.starts_at, since) if one.starts_at < since else since
        found = await self._trail.newest(Search(begun, one.ends_at, Act.SIGHT_USED, [name]), MOST)
        return [
            Glance(entry.moment, entry.act, "two", entry.number)
            for entry in found
            if entry.subject_name == name and entry.moment <= one.starts_at <= entry.moment + AHEAD
        ]


def _who(entry: Entry, owner: str | None) -> Who:
    match entry.actor:
        case "practitioner":
            return "practitioner" if owner is not None and entry.actor_name == owner else "member"
        case "patient":
            return "link"
        case "operator":
            return "operators"
        case "support":
            return "support"
        case _:
            return "server"
