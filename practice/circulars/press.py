"""Sending the newsletter: by one server at a time, one letter after another, again until it went or is a day old.

**At least once, never after a withdrawal**: a letter begins inside a transaction that holds its subscription. Cut off
after a mail server took it, it goes once more under the same Message-ID.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta, tzinfo
from typing import Final, Literal

from practice.circulars.letter import Issue
from practice.circulars.model import Circular, Subscription
from practice.circulars.store import Circulars
from practice.circulars.subscriptions import Elsewhere, Subscriptions, Withdrawn
from practice.notices.paper import PLAIN, Papers
from practice.notices.smtp import Mailers, NotSent
from vault.clock import Now
from vault.database.leases import Lease
from vault.errors import DomainError

logger = logging.getLogger(__name__)

LOOK_SECONDS: Final = 5.0
LIFE: Final = timedelta(days=1)
WAIT: Final = timedelta(minutes=5)
OF_THE_RECIPIENT: Final = ("recipient", "content")

Fate = Literal["sent", "later", "refused", "void"]
FATES: Final[tuple[Fate, ...]] = ("sent", "later", "refused", "void")


class Press:
    """``fates`` counts what became of letters, since the start of this server."""

    def __init__(
        self,
        circulars: Circulars,
        subscriptions: Subscriptions,
        mailers: Mailers,
        papers: Papers,
        origin: str,
        zone: Callable[[], tzinfo],
        lease: Lease,
        now: Now,
    ) -> None:
        self._circulars = circulars
        self._subscriptions = subscriptions
        self._mailers = mailers
        self._papers = papers
        self._origin = origin
        self._zone = zone
        self._lease = lease
        self._now = now
        self._again: dict[tuple[str, str], datetime] = {}
        self._away: dict[str, datetime] = {}
        self._released = asyncio.Event()
        self.fates: Counter[Fate] = Counter()

    def released(self) -> None:
        """There is one; it is looked after at once."""
        self._released.set()

    async def run(self) -> None:
        """Until cancelled. Faults are logged and tried again."""
        try:
            while True:
                self._released.clear()
                try:
                    await self.round()
                except Exception:
                    logger.exception("a newsletter could not be looked after and is tried again")
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS):
                        await self._released.wait()
        finally:
            with suppress(DomainError):
                await self._lease.release()

    async def round(self) -> None:
        """Send what is to be sent now, unless another server does. Errors: DomainError."""
        under_way = await self._circulars.under_way("newsletter")
        if not under_way or not await self._lease.take():
            return
        for circular in under_way:
            if self._away.get(circular.owner, self._now()) <= self._now():
                await self._issue(circular)

    async def _issue(self, circular: Circular) -> None:
        """Each of its letters that is to go now. What did not go within a day does not go at all."""
        assert circular.sent is not None
        late = self._now() - circular.sent >= LIFE
        left = False
        for one in await self._subscriptions.waiting(circular):
            if self._again.get((circular.id, one.id), circular.sent) > self._now() and not late:
                left = True
                continue
            if not await self._lease.take():
                return
            try:
                fate: Fate = "refused" if late else await self._send(circular, one)
            except Elsewhere:
                return
            except NotSent:
                self.fates["later"] += 1
                self._away[circular.owner] = self._now() + WAIT
                return
            self.fates[fate] += 1
            if fate == "later":
                left = True
                self._again[circular.id, one.id] = self._now() + WAIT
                continue
            self._again.pop((circular.id, one.id), None)
            if fate != "void":
                await self._subscriptions.served(one, circular)
                circular = await self._circulars.count(circular, reached=fate == "sent", refused=fate == "refused")
        if not left:
            await self._circulars.count(circular, ended=True)

    async def _send(self, circular: Circular, one: Subscription) -> Fate:
        """One letter. Errors: NotSent, where the others would go no better; Elsewhere, DomainError."""
        person = await self._subscriptions.recipient(one)
        if person is None:
            return "void"
        issue = Issue(circular, one, person, self._origin, self._subscriptions.token(one.seed))
        mailer = await self._mailers.of(circular.owner)
        try:
            paper = await self._papers(circular.owner)
        except DomainError:
            paper = PLAIN

        @asynccontextmanager
        async def begin() -> AsyncIterator[None]:
            async with self._subscriptions.begun(one, person, self._lease):
                yield

        try:
            await mailer.send(*issue.letter(mailer.sender, self._now(), self._zone(), paper), begin)
        except Withdrawn:
            return "void"
        except ValueError:
            return "refused"
        except NotSent as fault:
            said = {"cause": fault.step, **({} if fault.code is None else {"status": fault.code})}
            logger.warning("a letter of a newsletter was not taken", extra=said)
            if fault.step not in OF_THE_RECIPIENT:
                raise
            return "refused" if fault.final else "later"
        return "sent"
