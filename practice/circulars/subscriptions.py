"""Who wants the newsletter of their organisation: asked for by who is signed in, given behind a link that was mailed.

**Nobody else is on it, by construction**: a subscription is of an account, in the account's own name, and holds no
address; a letter goes to the one that the account has when it goes. Patients have no account. **None begins after a
withdrawal**: both hold the subscription's row (``begun``), so whichever came second finds what the first one wrote.

A kind of record (``vault.records.records``) of the account's, about an organisation: it ends with either.
"""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import bindparam
from sqlalchemy.ext.asyncio import AsyncConnection

from practice.accounts.model import Practitioner
from practice.accounts.people import People, is_open
from practice.accounts.store import Practitioners
from practice.circulars.model import WORDING, Circular, Subscription
from practice.circulars.records import SUBSCRIPTIONS, subscriptions
from practice.organisation.records import takes_members
from practice.organisation.rights import Right, demand
from practice.organisation.store import Organisations
from practice.requests.purposes import Purpose
from vault.database.leases import Lease
from vault.errors import DomainError, Unreadable
from vault.records.content import new_id
from vault.records.scope import Scope
from vault.records.stores import Means, RecordStore
from vault.records.writing import Along, always

LIFE: Final = timedelta(days=1)
"""So long the link that confirms is good."""

TRIES: Final = 20

OF_ACCOUNT: Final = (
    SUBSCRIPTIONS.living().where(subscriptions.c.owner == bindparam("account")).order_by(subscriptions.c.id)
)
OF_ORGANISATION: Final = (
    SUBSCRIPTIONS.living().where(subscriptions.c.organisation == bindparam("organisation")).order_by(subscriptions.c.id)
)
OF_TOKEN: Final = SUBSCRIPTIONS.living().where(subscriptions.c.token == bindparam("index"))
LOCKED: Final = SUBSCRIPTIONS.living().where(subscriptions.c.id == bindparam("wanted")).with_for_update()

Tell = Callable[[Practitioner, str], Along]
"""The mail with a seed to somebody, to be written in the transaction of what it is about."""

Paused = Callable[[Purpose, Collection[str]], Awaitable[frozenset[str]]]
"""Of whom, by account or address, a purpose stands still."""


class Withdrawn(Exception):  # noqa: N818 -- a state, not a mistake
    """A letter is not to go any more: withdrawn, or objected to."""


class Elsewhere(Exception):  # noqa: N818 -- a state, not a mistake
    """Another server sends."""


class Subscriptions(RecordStore):
    """``store.subscriptions``. Errors of all: ``unreadable``, ``locked``, ``try_again``.

    An objection, which ``paused`` knows of, counts as a withdrawal for as long as it stands.
    """

    def __init__(
        self,
        means: Means,
        people: People,
        accounts: Practitioners,
        organisations: Organisations,
        paused: Paused,
    ) -> None:
        super().__init__(means)
        self._people = people
        self._accounts = accounts
        self._organisations = organisations
        self._paused = paused

    async def of(self, scope: Scope) -> Subscription | None:
        """The newest of somebody's own, withdrawn or not; None where there never was one. Errors: ``not_found``."""
        found = await self._all_of(scope.owner, scope.organisation)
        return found[-1] if found else None

    async def ask(self, scope: Scope, tell: Tell) -> Subscription:
        """The newsletter is wanted: nothing goes before the link was used that ``tell`` writes a mail of.

        Errors: ``not_found`` (the scope, no organisation, or the account is closing), ``conflict`` (it stands).
        """
        scope.demand("practitioner")
        owner, organisation = scope.owner, scope.organisation
        if organisation is None:
            raise DomainError("not_found")
        person, seed = await self._accounts.get(scope), secrets.token_urlsafe(16)
        index = self._index(self.token(seed)).hex()
        made = Subscription(
            new_id(), owner, organisation, WORDING, person.language, asked=self._now(), seed=seed, token=index
        )
        standing: list[bool] = []

        async def alone(connection: AsyncConnection) -> bool:
            """What was asked for before is void; it was no consent."""
            if not await is_open(connection, owner):
                return False
            rows = (await connection.execute(OF_ACCOUNT, {"account": owner})).all()
            before = (await self._reader.open(SUBSCRIPTIONS, rows)).living
            standing.extend(one.stands for one in before if one.stands and one.organisation == organisation)
            if standing:
                return False
            void = [one.id for one in before if one.given is None]
            await connection.execute(SUBSCRIPTIONS.marking().where(subscriptions.c.id.in_(void)))
            return True

        if not await self._writer.first(SUBSCRIPTIONS, made, alone, tell(person, seed)):
            raise DomainError("conflict" if standing else "not_found")
        self._sweep()
        return made

    async def of_link(self, token: str) -> Subscription | None:
        """Whose link it is, whatever it would still do; looking changes nothing."""
        rows = await self._database.ask(OF_TOKEN, {"index": self._index(token)})
        opened = (await self._reader.open(SUBSCRIPTIONS, rows)).living
        return opened[0] if opened else None

    async def confirm(self, token: str) -> Subscription | None:
        """It is given, once, within a day of its asking; None where the link is none, or what it was of is over."""
        one = await self.of_link(token)
        if one is None or not self.waits(one):
            return one if one is not None and one.stands else None
        now = self._now()
        after = replace(one, given=now, served=now, version=one.version + 1)
        return after if await self._writer.instead(SUBSCRIPTIONS, after, _has_account(one.owner)) else None

    async def withdraw(self, scope: Scope) -> Subscription | None:
        """From now on nothing goes; None where there was nothing to withdraw. Errors: ``not_found`` (the scope)."""
        found = await self._all_of(scope.owner, scope.organisation)
        one = next((one for one in reversed(found) if one.withdrawn is None), None)
        return await self._ended(one)

    async def leave(self, token: str) -> Subscription | None:
        """The same by the link of any letter, however old; None where the link is none. Again is no other thing."""
        one = await self.of_link(token)
        return one if one is not None and one.withdrawn is not None else await self._ended(one)

    async def count(self, scope: Scope) -> int:
        """How many have it, of who may write it. Errors: ``not_found`` (without the right)."""
        return sum(one.stands for one in await self._in(demand(scope, Right.NEWSLETTER)))

    async def bury(self) -> None:
        """What was asked for and not confirmed in time is nothing that was agreed to: it dies."""
        rows = await self._database.ask(SUBSCRIPTIONS.living().where(subscriptions.c.version == 1))
        opened = (await self._reader.open(SUBSCRIPTIONS, rows)).living
        late = [one.id for one in opened if one.given is None and not self.waits(one)]
        if late and await self._database.tell(SUBSCRIPTIONS.marking().where(subscriptions.c.id.in_(late))):
            self._sweep()

    def token(self, seed: str) -> str:
        """What the link of a mail holds."""
        return self._keys.link_token(seed)

    def waits(self, one: Subscription) -> bool:
        """Whether its link still makes a consent of it."""
        fresh = one.asked <= self._now() < one.asked + LIFE
        return one.given is None and one.withdrawn is None and fresh

    # --- for the press ------------------------------------------------------------------------------------------------

    async def waiting(self, circular: Circular) -> list[Subscription]:
        """Of whom this letter is still to be sent; nobody who asked for the newsletter after it was released."""
        assert circular.sent is not None
        found = [one for one in await self._in(circular.owner) if one.stands and one.served is not None]
        return [one for one in found if one.served is not None and one.served < circular.sent]

    async def recipient(self, one: Subscription) -> Practitioner | None:
        """Whose it is, if they are in the organisation still."""
        try:
            standing = await self._organisations.standing(one.owner)
            there = standing is not None and standing.organisation == one.organisation
            return await self._people.who(self._database, one.owner) if there else None
        except Unreadable:
            return None

    async def objects(self, person: Practitioner) -> bool:
        """Whether an objection of theirs stands."""
        return bool(await self._paused("newsletter", (person.id, person.mail)))

    @asynccontextmanager
    async def begun(self, one: Subscription, person: Practitioner, lease: Lease) -> AsyncIterator[None]:
        """The last moment before a mail server may get a letter: inside, nobody withdraws, or objects in this
        organisation. Errors: Withdrawn, Elsewhere.
        """
        async with self._database.write() as connection:
            if not (await takes_members(connection, one.organisation) and await is_open(connection, one.owner)):
                raise Withdrawn
            row = (await connection.execute(LOCKED, {"wanted": one.id})).one_or_none()
            if row is None or row.version != one.version:
                raise Withdrawn
            if await self.objects(person):
                raise Withdrawn
            if not await lease.renew(connection):
                raise Elsewhere
            yield

    async def served(self, one: Subscription, circular: Circular) -> None:
        """It had its letter, or is to have none."""
        after = replace(one, served=circular.sent, version=one.version + 1)
        await self._writer.instead(SUBSCRIPTIONS, after, always)

    # --- all of them --------------------------------------------------------------------------------------------------

    async def _ended(self, one: Subscription | None) -> Subscription | None:
        """Withdrawn, or, where it was never given, gone. A letter that goes at the same moment holds it up, no more.

        The consent is destroyed and another record says that there was one: an older copy of the data revives none.
        """
        for _ in range(TRIES):
            if one is None or one.withdrawn is not None:
                return one
            if one.given is None:
                ours = (subscriptions.c.id == one.id, subscriptions.c.version == one.version, SUBSCRIPTIONS.is_living)
                if await self._database.tell(SUBSCRIPTIONS.marking().where(*ours)):
                    self._sweep()
                    return one
            else:
                after = replace(one, id=new_id(), withdrawn=self._now(), version=1)
                if await self._writer.first(SUBSCRIPTIONS, after, _in_place_of(one)):
                    self._sweep()
                    return after
            one = await self.of_link(self.token(one.seed))
        raise DomainError("try_again")

    async def _all_of(self, account: str, organisation: str | None) -> list[Subscription]:
        rows = await self._database.ask(OF_ACCOUNT, {"account": account})
        found = [one for one in await self._opened(rows) if one.organisation == organisation]
        return sorted(found, key=lambda one: (one.asked, one.id))

    async def _in(self, organisation: str) -> list[Subscription]:
        return await self._opened(await self._database.ask(OF_ORGANISATION, {"organisation": organisation}))

    async def _opened(self, rows: Any) -> list[Subscription]:
        return (await self._reader.open(SUBSCRIPTIONS, rows)).living

    def _index(self, token: str) -> bytes:
        return self._keys.reset_mark("newsletter", token)


def _in_place_of(one: Subscription) -> Callable[[AsyncConnection], Awaitable[bool]]:
    """Marks it, and frees its token for what comes instead; an account that closes has nothing instead."""
    ours = (subscriptions.c.id == one.id, subscriptions.c.version == one.version, SUBSCRIPTIONS.is_living)
    marking = SUBSCRIPTIONS.marking().where(*ours).values(token=secrets.token_bytes(32))

    async def marked(connection: AsyncConnection) -> bool:
        there = await is_open(connection, one.owner)
        return (await connection.execute(marking)).rowcount == 1 and there

    return marked


def _has_account(owner: str) -> Callable[[AsyncConnection], Awaitable[bool]]:
    async def there(connection: AsyncConnection) -> bool:
        return await is_open(connection, owner)

    return there
