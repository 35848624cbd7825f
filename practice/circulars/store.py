"""What an organisation writes to its people: one draft at a time of each use, and what was sent.

A kind of record (``vault.records.records``) of the organisation's. Whoever reads how far one went reads numbers.
"""

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Final, get_args

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from practice.accounts.model import Language
from practice.circulars.model import Circular, Topic, Use
from practice.circulars.records import CIRCULARS, circulars
from practice.names import readable
from practice.organisation.records import MEMBERS, members, takes_members
from practice.organisation.rights import Right, demand
from vault.errors import DomainError
from vault.records.content import new_id
from vault.records.scope import Scope
from vault.records.stores import RecordStore
from vault.records.writing import Along, always

LONGEST_SUBJECT: Final = 120
LONGEST_TEXT: Final = 8000
KEPT: Final = timedelta(days=400)
"""So long, from when it was sent, a circular can be read; a draft, from when it was last written."""

TRIES: Final = 5
RIGHTS: Final[dict[Use, Right]] = {"newsletter": Right.NEWSLETTER, "service": Right.SERVICE_NOTICES}
THEIRS: Final = CIRCULARS.living().where(circulars.c.owner == bindparam("organisation")).order_by(circulars.c.id)

TOLD: Final = (
    select(members.c.account)
    .where(members.c.owner == bindparam("organisation"), members.c.account > bindparam("told"), MEMBERS.is_living)
    .order_by(members.c.account)
)


class Circulars(RecordStore):
    """``store.circulars``. Errors of all: ``locked``, ``try_again``; ``not_found``, also without the right."""

    async def of(self, scope: Scope, use: Use) -> list[Circular]:
        """All of this use, a draft first, then the newest."""
        found = [one for one in await self._in(demand(scope, RIGHTS[use])) if one.use == use]
        return sorted(found, key=lambda one: (one.sent is None, one.sent or one.written, one.id), reverse=True)

    async def write(
        self, scope: Scope, use: Use, subject: str, text: str, language: Language, topic: Topic | None, seen: int
    ) -> Circular:
        """The draft, in place of the one whose version was ``seen``; 0 where there was none.

        Errors: ``invalid`` (``subject``, ``text``, ``topic``), ``conflict`` (another one wrote meanwhile).
        """
        organisation = demand(scope, RIGHTS[use])
        if (topic is None) != (use == "newsletter") or topic not in (None, *get_args(Topic)):
            raise DomainError("invalid", "topic")
        before = next((one for one in await self.of(scope, use) if one.sent is None), None)
        if seen != (before.version if before else 0):
            raise DomainError("conflict")
        made = Circular(
            id=before.id if before else new_id(),
            owner=organisation,
            use=use,
            topic=topic,
            subject=_line(subject),
            text=_lines(text),
            language=language,
            by=scope.owner,
            written=self._now(),
            version=seen + 1,
            unknown=before.unknown if before else {},
        )
        put = self._writer.instead if before else self._writer.first
        if not await put(CIRCULARS, made, partial(self._may_be, made)):
            raise DomainError("conflict")
        return made

    async def discard(self, scope: Scope, use: Use, seen: int) -> None:
        """There is no draft any more. Errors: ``conflict`` (it is another one, or none)."""
        draft = await self._draft(scope, use, seen)
        ours = (circulars.c.id == draft.id, circulars.c.version == draft.version, CIRCULARS.is_living)
        if not await self._database.tell(CIRCULARS.marking().where(*ours)):
            raise DomainError("conflict")
        self._sweep()

    async def release(self, scope: Scope, use: Use, seen: int) -> Circular:
        """The draft is sent, from now on, by whichever server does that. Errors: ``conflict`` (it is another one)."""
        draft = await self._draft(scope, use, seen)
        after = replace(draft, sent=self._now(), version=draft.version + 1)
        if not await self._writer.instead(CIRCULARS, after, always):
            raise DomainError("conflict")
        return after

    async def inbox(self, scope: Scope) -> list[Circular]:
        """The service notices of somebody's own organisation, newest first. Errors: ``not_found`` (the scope)."""
        scope.demand("practitioner")
        found = await self._in(scope.organisation) if scope.organisation else []
        sent = [one for one in found if one.use == "service" and one.sent is not None]
        return sorted(sent, key=lambda one: (one.sent, one.id), reverse=True)

    # --- for who sends ------------------------------------------------------------------------------------------------

    async def under_way(self, use: Use) -> list[Circular]:
        """Those that were released and have not ended, the oldest first."""
        rows = await self._database.ask(CIRCULARS.living())
        found = (await self._reader.open(CIRCULARS, rows)).living
        ours = [one for one in found if one.use == use and one.sent is not None and one.ended is None]
        return sorted(ours, key=lambda one: (one.sent, one.id))

    async def count(self, circular: Circular, *, reached: int = 0, refused: int = 0, ended: bool = False) -> Circular:
        """So many more; ``ended``: nobody is to get it any more."""
        for _ in range(TRIES):
            after = replace(
                circular,
                reached=circular.reached + reached,
                refused=circular.refused + refused,
                ended=self._now() if ended else None,
                version=circular.version + 1,
            )
            if await self._writer.instead(CIRCULARS, after, always):
                return after
            circular = await self._again(circular)
        raise DomainError("try_again")

    async def reach(self, circular: Circular, account: str, along: Along) -> Circular | None:
        """A service notice is written down for this account, next in the order of ids; None where another server did.

        ``along`` writes it with that. Who is closing is passed over.
        """
        after = replace(circular, told=account, reached=circular.reached + 1, version=circular.version + 1)
        return after if await self._writer.instead(CIRCULARS, after, always, along) else None

    async def to_be_told(self, circular: Circular) -> list[str]:
        """The accounts in its organisation that come after the last of whom a service notice was written down."""
        rows = await self._database.ask(TOLD, {"organisation": circular.owner, "told": circular.told})
        return [row.account for row in rows]

    async def bury(self) -> None:
        """What was sent long ago dies, and a draft that nobody went on with."""
        rows = await self._database.ask(CIRCULARS.living())
        found = (await self._reader.open(CIRCULARS, rows)).living
        old = [one.id for one in found if (one.sent or one.written) <= self._now() - KEPT]
        if old and await self._database.tell(CIRCULARS.marking().where(circulars.c.id.in_(old))):
            self._sweep()

    # --- all of them --------------------------------------------------------------------------------------------------

    async def _draft(self, scope: Scope, use: Use, seen: int) -> Circular:
        draft = next((one for one in await self.of(scope, use) if one.sent is None), None)
        if draft is None or draft.version != seen:
            raise DomainError("conflict")
        return draft

    async def _again(self, circular: Circular) -> Circular:
        found = next((one for one in await self._in(circular.owner) if one.id == circular.id), None)
        if found is None:
            raise DomainError("not_found")
        return found

    async def _may_be(self, made: Circular, connection: AsyncConnection) -> bool:
        """Whether the organisation goes on, and has no other draft of this use."""
        if not await takes_members(connection, made.owner):
            return False
        rows = (await connection.execute(THEIRS, {"organisation": made.owner})).all()
        others = (await self._reader.open(CIRCULARS, rows)).living
        return all(one.sent is not None or one.use != made.use or one.id == made.id for one in others)

    async def _in(self, organisation: str) -> list[Circular]:
        rows = await self._database.ask(THEIRS, {"organisation": organisation})
        return (await self._reader.open(CIRCULARS, rows)).living


def _line(text: str) -> str:
    try:
        found = readable(text)
    except ValueError:
        raise DomainError("invalid", "subject") from None
    if not found or len(found) > LONGEST_SUBJECT:
        raise DomainError("invalid", "subject")
    return found


def _lines(text: str) -> str:
    """Each line by itself, at most one empty one between two."""
    found: list[str] = []
    for line in text.strip().splitlines():
        try:
            words = readable(line) if line.strip() else ""
        except ValueError:
            raise DomainError("invalid", "text") from None
        if words or (found and found[-1]):
            found.append(words)
    whole = "\n".join(found)
    if not whole or len(whole) > LONGEST_TEXT:
        raise DomainError("invalid", "text")
    return whole
