"""Requests as those answer them who may: the data protection officer of an organisation (S-03), and nobody else.

**A person decides and writes**: nothing here answers by itself, whatever day it is, and without a text nothing is
closed. An answer, a question and a reason are read behind the request's link by whoever proved to be who asked; mail
says only that there is one. The officer reads requests and, by this right, nothing else.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final, get_args

from sqlalchemy import bindparam
from sqlalchemy.ext.asyncio import AsyncConnection

from practice.accounts.people import People
from practice.names import written
from practice.organisation.model import MemberRole
from practice.organisation.records import MEMBERS, members
from practice.organisation.rights import Right, demand
from practice.requests import clock
from practice.requests.model import MOST, NamedRequest, Outcome, Request, RequestList
from practice.requests.purposes import is_withdrawal
from practice.requests.records import REQUESTS, requests
from practice.requests.store import THEIRS, Tell, named, nobody, subject_of, zone_of
from vault.errors import DomainError
from vault.records.scope import Scope
from vault.records.stores import Means, RecordStore
from vault.records.writing import Allowed, Along, always

ROW: Final = THEIRS.where(requests.c.id == bindparam("wanted"))
THEIR_MEMBERS: Final = MEMBERS.living().where(members.c.owner == bindparam("organisation")).order_by(members.c.id)


class Decisions(RecordStore):
    """``store.decisions``. Errors of all: ``not_found`` (also without the right), ``locked``, ``try_again``."""

    def __init__(self, means: Means, people: People) -> None:
        super().__init__(means)
        self._people = people

    async def queue(self, scope: Scope) -> RequestList:
        """All of the organisation's, those first that are late soonest, then those that were answered, newest first."""
        rows = await self._database.ask(THEIRS, {"organisation": demand(scope, Right.REQUESTS)})
        opened = await self._reader.open(REQUESTS, rows)
        waiting = sorted((one for one in opened.living if one.decided is None), key=lambda one: (one.due, one.id))
        answered = [(one.decided, one.id, one) for one in opened.living if one.decided is not None]
        newest = [one for *_, one in sorted(answered, key=lambda each: each[:2], reverse=True)]
        return RequestList((*waiting, *newest), len(opened.damaged))

    async def get(self, scope: Scope, request_id: str) -> Request:
        """One of them. Errors: ``unreadable``."""
        bound = {"organisation": demand(scope, Right.REQUESTS), "wanted": request_id}
        rows = await self._database.ask(ROW, bound)
        if not rows:
            raise DomainError("not_found")
        return (await self._reader.one(REQUESTS, rows[0]))[0]

    async def read(self, scope: Scope, request_id: str) -> NamedRequest:
        """One of them, with the names of who stands in it. Errors: ``unreadable``."""
        one = await self.get(scope, request_id)
        accounts = {who for who in (one.account, one.decider) if who}
        return NamedRequest(one, await self._people.names(self._database, accounts))

    async def ask_back(self, scope: Scope, request_id: str, text: str, tell: Tell = nobody) -> Request:
        """One question, of what does not say enough (S-47); its time goes on.

        Errors: ``invalid`` (the text), ``conflict`` (one was asked, or it is answered), ``unreadable``.
        """
        said, now = demanded(text, "question"), self._now()

        def asked(before: Request) -> Request:
            if before.questioned is not None:
                raise DomainError("conflict")
            return replace(before, question=said, questioned=now)

        return await self._changed(scope, request_id, asked, tell)

    async def extend(self, scope: Scope, request_id: str, reason: str, tell: Tell) -> Request:
        """Two further months, with a reason (S-49): they count from when its mail went out, if that was before day 28.

        Errors: ``invalid`` (the text), ``conflict`` (it was extended, or is answered), ``bad_state`` (day 28 has come,
        or nobody has proved an address to which the reason could be sent), ``unreadable``.
        """
        said, now = demanded(reason, "reason"), self._now()
        zone = await zone_of(await self.get(scope, request_id))

        def extended(before: Request) -> Request:
            if before.extension:
                raise DomainError("conflict")
            if not before.tellable or not clock.extends(before.asked, now, zone):
                raise DomainError("bad_state")
            return replace(before, extension=said)

        return await self._changed(scope, request_id, extended, tell)

    async def decide(
        self, scope: Scope, request_id: str, outcome: Outcome, text: str, tell: Tell = nobody, whose: str | None = None
    ) -> Request:
        """The answer that a person wrote. ``whose`` is the account of the address, if any: an objection to what is done
        with it is from then on of that account, whatever its address, and holds for as long as there is one.

        Errors: ``invalid`` (no text; a withdrawal of consent that would be turned down), ``conflict`` (it is answered),
        ``unreadable``.
        """
        if outcome not in get_args(Outcome):
            raise DomainError("invalid", "outcome")
        said, now = demanded(text, "answer"), self._now()

        def decided(before: Request) -> Request:
            if is_withdrawal(before.purpose) and outcome != "granted":
                raise DomainError("invalid", "outcome")
            after = replace(before, outcome=outcome, answer=said, decided=now, decider=scope.owner)
            if not after.pauses or after.account is not None or whose is None:
                return after
            return replace(after, account=whose, subject=subject_of(self._keys, named(whose)).hex())

        return await self._changed(scope, request_id, decided, tell)

    async def discard(self, scope: Scope, request_id: str) -> Request:
        """A person read it, and it is no request: it dies unanswered, at once.

        Errors: ``conflict`` (it is answered), ``bad_state`` (whoever asked was known, or took a consent back),
        ``unreadable``.
        """
        now = self._now()

        def ended(before: Request) -> Request:
            if not before.discardable:
                raise DomainError("bad_state")
            return replace(before, outcome="none", decided=now, decider=scope.owner)

        return await self._changed(scope, request_id, ended, nobody)

    def once(self, before: Request, along: Along) -> Along:
        """Carries out what a report of a child's data is answered with, in the transaction that notes it there: not a
        second time, nor once it was answered meanwhile. ``along`` writes more with it.
        """
        after = replace(before, erased=self._now(), version=before.version + 1)
        same = (requests.c.id == before.id, requests.c.version == before.version)

        async def carry_out(cause: Allowed) -> bool:
            async def both(connection: AsyncConnection) -> bool:
                row = (await connection.execute(REQUESTS.living().where(*same).with_for_update())).first()
                return row is not None and await cause(connection)

            return await self._writer.instead(REQUESTS, after, both, along)

        return carry_out

    async def officers(self, organisation: str) -> list[str]:
        """The accounts of who answers requests there; without any, of its owners, so that somebody is told."""
        return await self._accounts(organisation, "officer") or await self.owners(organisation)

    async def owners(self, organisation: str) -> list[str]:
        """The accounts of its owners, who are told of what an officer destroys."""
        return await self._accounts(organisation, "owner")

    async def _accounts(self, organisation: str, role: MemberRole) -> list[str]:
        rows = await self._database.ask(THEIR_MEMBERS, {"organisation": organisation})
        return [
            one.account for one in (await self._reader.open(MEMBERS, rows)).living if one.active and role in one.roles
        ]

    async def _changed(
        self, scope: Scope, request_id: str, change: Callable[[Request], Request], tell: Tell
    ) -> Request:
        before = await self.get(scope, request_id)
        if before.decided is not None:
            raise DomainError("conflict")
        after = replace(change(before), version=before.version + 1)
        if not await self._writer.instead(REQUESTS, after, always, tell(after)):
            raise DomainError("conflict")
        return after


def demanded(text: str, field: str) -> str:
    """What somebody has to have written. Errors: ``invalid``, with the field."""
    said = written(text, field, MOST)
    if not said:
        raise DomainError("invalid", field)
    return said
