"""Sending what is written down: by one server at a time, each address in order, again until it went or is a day old.

**At least once, never lost**: a notice dies after the mail server took it. Cut off between the two, it goes once more,
under the same Message-ID.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Final, Literal

from practice.notices.letter import Letterhead, Unsendable
from practice.notices.model import News, Notice, Word
from practice.notices.paper import PLAIN, Papers
from practice.notices.smtp import Mailer, Mailers, NotSent
from practice.notices.store import LIFE, Notices
from vault.clock import Now
from vault.database.leases import Lease
from vault.errors import DomainError
from vault.records.content import new_id

logger = logging.getLogger(__name__)

LOOK_SECONDS: Final = 5.0
OF_THE_RECIPIENT: Final = ("recipient", "content")

LIVES: Final[dict[Word, timedelta]] = {"reset": timedelta(hours=1), "register": timedelta(hours=1)}
"""What is of no use any more before it is a day old."""

Sent = Callable[[Notice], Awaitable[None]]
"""What is told that the mail server took one."""

IsVoid = Callable[[Notice], Awaitable[bool]]

Fate = Literal["sent", "later", "refused", "late"]
FATES: Final[tuple[Fate, ...]] = ("sent", "later", "refused", "late")


class Postman:
    """``fates`` counts what became of notices, since the start of this server. ``is_void`` says of one whether what it
    tells of is over: it is not sent. ``on_sent`` is told of each that a mail server took, before it dies.
    """

    def __init__(
        self,
        notices: Notices,
        mailers: Mailers,
        head: Letterhead,
        papers: Papers,
        is_void: IsVoid,
        lease: Lease,
        now: Now,
    ) -> None:
        self._notices = notices
        self._mailers = mailers
        self._head = head
        self._papers = papers
        self._is_void = is_void
        self._lease = lease
        self._now = now
        self.on_sent: Sent | None = None
        self.fates: Counter[Fate] = Counter()

    async def run(self) -> None:
        """Until cancelled. Faults are logged and tried again."""
        try:
            while True:
                self._notices.written.clear()
                try:
                    await self.round()
                except Exception:
                    logger.exception("mail could not be looked after and is tried again")
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS):
                        await self._notices.written.wait()
        finally:
            with suppress(DomainError):
                await self._lease.release()

    async def round(self) -> None:
        """Send what is to be sent now, unless another server does. Errors: DomainError."""
        if not await self._notices.any() or not await self._lease.take():
            return
        if late := await self._notices.bury():
            self.fates["late"] += late
            logger.error("mail could not be sent within a day", extra={"count": late})
        behind: set[str] = set()
        away: set[str] = set()
        for notice in await self._notices.waiting():
            to = notice.news.to
            if to in behind or notice.again > self._now():
                behind.add(to)
                continue
            if not await self._lease.take():
                return
            if self._now() - notice.written >= LIVES.get(notice.news.word, LIFE):
                self.fates["late"] += 1
                await self._notices.done(notice)
                continue
            if await self._is_void(notice):
                await self._notices.done(notice)
                continue
            mailer = await self._mailers.of(notice.owner)
            if mailer.host in away:
                behind.add(to)
                continue
            try:
                await self._send(notice, mailer)
            except NotSent as fault:
                behind.add(to)
                await self._notices.later(notice)
                self.fates["later"] += 1
                logger.warning("mail was not taken; it is tried again", extra=_said(fault))
                if fault.step not in OF_THE_RECIPIENT:
                    away.add(mailer.host)

    async def try_out(self, owner: str, news: News) -> NotSent | None:
        """Send this at once by the mail server of this owner, and write nothing down: why it did not go, if so.

        Errors: DomainError, also ``invalid`` for an address that mail cannot be sent to.
        """
        now, mailer = self._now(), await self._mailers.of(owner)
        notice = Notice(new_id(), owner, news, now, 0, now, 1)
        try:
            await mailer.send(*await self._letter(notice, mailer))
        except Unsendable:
            raise DomainError("invalid", "mail") from None
        except NotSent as fault:
            return fault
        return None

    async def _letter(self, notice: Notice, mailer: Mailer) -> tuple[str, bytes]:
        """To whom, and what. What is to be told goes out, also where nobody can read what is on its paper.

        Errors: Unsendable.
        """
        try:
            paper = await self._papers(notice.owner)
        except DomainError:
            paper = PLAIN
        return replace(self._head, sender=mailer.sender).letter(notice, self._now(), paper)

    async def _send(self, notice: Notice, mailer: Mailer) -> None:
        """Errors: NotSent, when it may go later."""
        try:
            await mailer.send(*await self._letter(notice, mailer))
        except Unsendable:
            self.fates["refused"] += 1
            logger.warning("an account has an address that mail cannot be sent to")
        except NotSent as fault:
            if not fault.final:
                raise
            self.fates["refused"] += 1
            logger.warning("mail was refused for good", extra=_said(fault))
        else:
            self.fates["sent"] += 1
            if self.on_sent is not None:
                await self.on_sent(notice)
        await self._notices.done(notice)


def _said(fault: NotSent) -> dict[str, object]:
    """For a log line: no address, nothing of the server's words."""
    return {"cause": fault.step, **({} if fault.code is None else {"status": fault.code})}
