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
from vault.audit import PATIENT, Act, Entry, appointment, practitioner
from vault.audit.search import Search
from vault.audit.trail import Trail
from vault.errors import DomainError
from vault.records.scope import Scope

MOST: Final = 200
"""Glanced of the newest that are told, and as many again that were by a link: whoever has it makes each of those, and
none of them pushes another's look out of sight.
"""

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


@dataclass(frozen=True, slots=True)
class Glanced:
    """Newest first; ``more`` says that there were earlier ones, which are not among them."""

    glances: Sequence[Glance]
    more: bool


class Glances:
    """``store.looks``. Whoever calls this enters that it was done."""

    def __init__(self, trail: Trail) -> None:
        self._trail = trail

    async def of(self, scope: Scope, one: Appointment) -> Glanced:
        """Those of its appointment. Errors: ``not_found`` (another's appointment, or another scope)."""
        scope.demand("guest")
        if not scope.covers(one.owner, one.id):
            raise DomainError("not_found")
        whole, owner = appointment(one.owner, one.id), practitioner(one.owner)
        names = await self._trail.names([whole, owner])
        if whole not in names:
            return Glanced([], more=False)
        on = [names[whole]]
        theirs = await self._trail.newest(Search(names=on, besides=PATIENT), MOST + 1)
        by_link = await self._trail.newest(Search(names=on, by=PATIENT), MOST + 1)
        entries = [*theirs[:MOST], *by_link[:MOST]]
        more = len(entries) < len(theirs) + len(by_link)
        seen = [
            Glance(entry.moment, entry.act, _who(entry, names.get(owner)), entry.number)
            for entry in entries
            if entry.subject_name == names[whole]
        ]
        if owner in names and seen:
            sights = await self._sights(names[owner], one, min(glance.at for glance in seen))
            seen, more = seen + sights[:MOST], more or len(sights) > MOST
        return Glanced(sorted(seen, key=lambda glance: glance.number, reverse=True), more)

    async def _sights(self, name: str, one: Appointment, since: datetime) -> list[Glance]:
        """Of its practitioner's agenda, since it is there, while it was in what is shown: four weeks to come."""
        begun = min(one.starts_at, since) if one.starts_at < since else since
        found = await self._trail.newest(Search(begun, one.ends_at, Act.SIGHT_USED, [name]), MOST + 1)
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
