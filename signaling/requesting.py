"""Requests on their way: filed with the mail and the entry that belong to them, told of, and remembered in time.

**Whoever answers is reminded; nobody is answered by this.** One server at a time looks each minute which request has
come to one of its days, and writes the mail in the transaction that notes the day, so no day is told of twice.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from practice.mailboxes import canonical
from practice.notices.model import News, Notice, Word
from practice.requests import clock
from practice.requests.model import Filed, Filing, Request
from practice.storage import Store
from signaling.limiter import REQUESTED_ADDRESS, Limiter
from signaling.protocol.errors import ProtocolError
from signaling.scopes import of_practitioner
from vault.audit import SERVER, Act, Draft, Party, request
from vault.database.leases import Lease
from vault.errors import DomainError
from vault.records.scope import Scope
from vault.records.writing import Along, always

logger = logging.getLogger(__name__)

TERM: Final = timedelta(minutes=2)
LOOK_SECONDS: Final = 60.0
SENT: Final[Word] = "request-extended"
"""The mail of which it matters when it went out."""


class Requesting:
    """Of this node. ``authority`` is the address of the supervisory authority, ``officer`` that of the operator's data
    protection officer, who may have no account; the pages' settings say both.
    """

    def __init__(self, store: Store, limiter: Limiter, now: Callable[[], datetime]) -> None:
        self._store = store
        self._limiter = limiter
        self._now = now
        self._lease = Lease(store.database, "requests", store.lease.holder, TERM, now)
        self.authority = ""
        self.officer = ""

    # --- filed -------------------------------------------------------------------------------------------------------

    async def file(self, scope: Scope, filing: Filing, by: Party, *, quiet: bool = False) -> Filed:
        """What somebody asks for: on disk, in the trail, mailed to who asks when this returns; who answers is told at
        the next look. An address that nothing proves is mailed a few times in an hour; what comes beyond is filed all
        the same, or whoever names another's address would keep them from asking.

        ``by`` is who that is in the trail. ``quiet`` where whoever asks is told in another way, or must not be.

        Errors: as of ``store.requests.file``.
        """
        quiet = quiet or not await self._may_mail(filing.mail)
        filed = await self._store.requests.file(scope, filing, self.nobody if quiet else self.mail("request-filed"))
        one = filed.request
        if filed.new:
            await self._store.audit.record(Act.REQUEST_FILED, by, subject(one), one.what)
        elif not quiet and one.mail and not one.proven:
            await self._once_more(one)
        return filed

    async def _once_more(self, one: Request) -> None:
        """Whoever asks the same once more lost the link, perhaps: it is mailed again."""
        with suppress(DomainError):
            await self._store.notices.along(one.owner, [self._news(one, "request-filed")], always)

    async def _may_mail(self, mail: str) -> bool:
        """Whether this is not one too many to an address that somebody typed; where nobody did, it is not."""
        try:
            if mail:
                await self._limiter.count(REQUESTED_ADDRESS, canonical(mail))
        except ProtocolError:
            return False
        return True

    def nobody(self, _: Request) -> None:
        """Nobody is told."""

    def mail(self, word: Word, *, proven: bool = False) -> Callable[[Request], Along | None]:
        """The mail to who asks, with the link to their request: only to an address that they proved, if ``proven``."""

        def tell(one: Request) -> Along | None:
            if not one.mail or (proven and not one.tellable):
                return None
            return self._store.notices.of(one.owner, self._news(one, word))

        return tell

    def _news(self, one: Request, word: Word) -> News:
        return News(word, one.mail, one.language, {"request": one.seed, "authority": self.authority})

    # --- in time -----------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Until cancelled. Faults are logged and tried again."""
        while True:
            try:
                await self.look()
            except Exception:
                logger.exception("requests could not be looked after; it is tried again")
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> int:
        """Tell whoever answers of what just came or has come to a day of its own; how many those were. Errors:
        DomainError.
        """
        if self._store.locked or not await self._lease.take():
            return 0
        await self._store.requests.bury()
        count = 0
        for one, day in await self._store.requests.to_be_reminded():
            news = await self._officers(one, word_of(day))
            if await self._store.requests.reminded(one, day, self._store.notices.of(one.owner, *news)):
                count += 1
                if day:
                    await self._store.audit.record(Act.REQUEST_REMINDED, SERVER, subject(one), str(day))
                if day >= clock.LATE:
                    logger.error("a request was not answered in time")
        return count

    async def sent(self, notice: Notice) -> None:
        """A mail went out: with the reason of an extension it is that from which on the extension counts."""
        if notice.news.word == SENT:
            await self._store.requests.extension_sent(notice.news.values["request"], self._now())

    async def _officers(self, one: Request, word: Word) -> Sequence[News]:
        """To whom it is said that something is to be answered there."""
        found: dict[str, News] = {}
        for account in await self._store.decisions.officers(one.owner):
            with suppress(DomainError):  # who cannot be read has no address
                person = await self._store.practitioners.get(of_practitioner(account))
                found[canonical(person.mail)] = News(word, person.mail, person.language)
        if self.officer and one.owner == await self._store.requests.host():
            found.setdefault(canonical(self.officer), News(word, self.officer, one.language))
        return list(found.values())


def word_of(day: int) -> Word:
    """Which mail it is on a day."""
    if day >= clock.LATE:
        return "request-late"
    return "request-reminder" if day else "request-new"


def subject(one: Request) -> Party:
    """A request in the trail."""
    return request(one.owner, one.id)


def entry(act: Act, by: Party, one: Request, detail: str | None = None) -> Draft:
    """What is entered of one."""
    return Draft(act, by, subject(one), detail)
