"""Looking after what comes back: by one server at a time, each message once, and nobody is answered.

**Only a report with a token of ours counts**, so nobody marks a dispatch by writing to the mailbox; whatever else
arrives is deleted unread. Cut off between the two, a message is looked at once more, and changes nothing then.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, Literal

from practice.bounces.mailbox import empty
from practice.bounces.reports import report
from practice.bounces.tokens import Tokens
from practice.imap import Mailbox, NotRead
from practice.invitations.model import BOUNCED
from practice.invitations.store import Dispatches
from vault.clock import Now
from vault.database.leases import Lease
from vault.errors import DomainError

logger = logging.getLogger(__name__)

LOOK_SECONDS: Final = 60.0

Came = Literal["refused", "delayed", "late", "stray", "unread"]
"""A dispatch is refused; one is still tried, or there is nothing to say about it; one is not as sent any more, or gone;
what is no report to an address of ours; and a look for which the mailbox did not open.
"""
CAME: Final[tuple[Came, ...]] = ("refused", "delayed", "late", "stray", "unread")


class BounceReader:
    """``came`` counts what came, since the start of this server. ``on_change`` is told whose appointments have another
    state, by the owner's id.
    """

    def __init__(
        self,
        mailbox: Mailbox,
        tokens: Tokens,
        outbox: Dispatches,
        lease: Lease,
        now: Now,
        on_change: Callable[[str], Awaitable[None]],
    ) -> None:
        self._mailbox = mailbox
        self._tokens = tokens
        self._outbox = outbox
        self._lease = lease
        self._now = now
        self._on_change = on_change
        self.came: Counter[Came] = Counter()

    async def run(self) -> None:
        """Until cancelled. Faults are logged and tried again."""
        try:
            while True:
                try:
                    await self.round()
                except NotRead as fault:
                    logger.warning("the mailbox of returned mail was not read", extra={"cause": fault.step})
                except Exception:
                    logger.exception("returned mail could not be looked after and is looked at again")
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            with suppress(DomainError):
                await self._lease.release()

    async def round(self) -> None:
        """Look at what there is, unless another server does. Errors: NotRead, DomainError."""
        if not await self._lease.take():
            return
        try:
            await empty(self._mailbox, self._look)
        except NotRead:
            self.came["unread"] += 1
            raise

    async def _look(self, raw: bytes) -> None:
        self.came[await self._judged(raw)] += 1

    async def _judged(self, raw: bytes) -> Came:
        """Errors: DomainError."""
        try:
            found = await asyncio.to_thread(report, raw)
        except Exception:  # noqa: BLE001 -- whatever hostile bytes do to a parser, they are no report
            found = None
        if found is None or (dispatch := self._tokens.dispatch(found.to, self._now())) is None:
            return "stray"
        if found.action != "failed":
            return "delayed"
        owner = await self._outbox.came_back(dispatch, f"{BOUNCED} {found.status}".strip())
        if owner is None:
            return "late"
        await self._on_change(owner)
        return "refused"
