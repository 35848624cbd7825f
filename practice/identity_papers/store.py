"""Masked papers: one of a request, which the data protection officer sees once (S-48).

**Never asked of somebody who was signed in, or had a patient's link and its code**: who they are was proven, and none
is taken. **Nor of somebody who confirmed no address**: the answer would be withheld all the same. **Seen once**:
whoever is given it marks it to be destroyed before they have it, and it is under a key of its own, so it is gone with
that. **Gone with the decision**, seen or not, and after 28 days at most.
"""

from typing import Final

from sqlalchemy import bindparam, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from practice.identity_papers.model import IdentityPaper
from practice.identity_papers.records import IDENTITY_PAPERS, identity_papers
from practice.organisation.rights import Right, demand
from practice.requests.model import Request
from practice.requests.records import REQUESTS, requests
from practice.requests.store import Requests
from vault.errors import DomainError
from vault.records.content import new_id
from vault.records.scope import Scope
from vault.records.stores import Means, RecordStore

THEIRS: Final = IDENTITY_PAPERS.living().where(identity_papers.c.owner == bindparam("organisation"))
ROW: Final = THEIRS.where(identity_papers.c.request == bindparam("wanted"))
UNDECIDED: Final = select(requests.c.id).where(REQUESTS.is_living, requests.c.decided.is_(None))
OF_ALL: Final = (
    select(identity_papers.c.request)
    .where(IDENTITY_PAPERS.is_living, identity_papers.c.owner == bindparam("organisation"))
    .order_by(identity_papers.c.id)
)


def is_taken(one: Request) -> bool:
    """Whether a paper is of any use to a request."""
    return one.decided is None and one.proven == "confirmed"


class IdentityPapers(RecordStore):
    """``store.identity_papers``. Errors of all: ``locked``, ``try_again``."""

    def __init__(self, means: Means, asked: Requests) -> None:
        super().__init__(means)
        self._asked = asked

    async def put(self, token: str, data: bytes) -> Request:
        """One for the request that a link leads to, in place of one that nobody has seen. ``data`` was checked and
        encoded by ``pictures.intake``.

        Errors: ``link_invalid``, ``unreadable``, ``conflict`` (it is answered, needs
        none, or nobody confirmed its address).
        """
        asked = await self._asked.of_link(token)
        if not is_taken(asked):
            raise DomainError("conflict")
        made = IdentityPaper(new_id(), asked.owner, asked.id, data, self._now())
        before = IDENTITY_PAPERS.marking().where(identity_papers.c.request == asked.id, IDENTITY_PAPERS.is_living)

        async def instead(connection: AsyncConnection) -> bool:
            if (await connection.execute(UNDECIDED.where(requests.c.id == asked.id))).first() is None:
                return False
            await connection.execute(before)
            return True

        if not await self._writer.first(IDENTITY_PAPERS, made, instead):
            raise DomainError("conflict")
        self._sweep()
        return asked

    async def waiting(self, scope: Scope) -> frozenset[str]:
        """The ids of requests with one that nobody has seen. Errors: ``not_found`` (without the right)."""
        rows = await self._database.ask(OF_ALL, {"organisation": demand(scope, Right.REQUESTS)})
        return frozenset(row.request for row in rows)

    async def look(self, scope: Scope, request_id: str) -> bytes:
        """That of a request, for one person once: it is being destroyed when this returns.

        Errors: ``not_found`` (also without the right, and where somebody has seen it), ``unreadable``.
        """
        bound = {"organisation": demand(scope, Right.REQUESTS), "wanted": request_id}
        rows = await self._database.ask(ROW, bound)
        if not rows:
            raise DomainError("not_found")
        one = (await self._reader.one(IDENTITY_PAPERS, rows[0]))[0]
        marked = IDENTITY_PAPERS.marking().where(identity_papers.c.id == one.id, IDENTITY_PAPERS.is_living)
        if await self._database.tell(marked) != 1:
            raise DomainError("not_found")
        self._sweep()
        return one.data

    async def bury(self) -> int:
        """Those of what is decided or gone die, and those of 28 days; how many."""
        late = identity_papers.c.until <= int(self._now().timestamp())
        which = or_(late, identity_papers.c.request.not_in(UNDECIDED))
        count = await self._database.tell(IDENTITY_PAPERS.marking().where(which, IDENTITY_PAPERS.is_living))
        if count:
            self._sweep()
        return count
