"""Sending what is in the outbox: by one server at a time, in order for one appointment and way, again until it went.

**At least once, never after a destruction**: a dispatch is marked as begun in the transaction that also holds its
appointment, and only inside that does its sending begin. Cut off after a server took it, it goes once more under the
same name.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import datetime, tzinfo
from typing import Final, Literal

from practice.agenda.model import Appointment
from practice.invitations.model import Way
from practice.invitations.port import Carrier, NotTold, Parcel, Void
from practice.invitations.store import LIFE, Dispatches, Ready
from practice.organisation.model import Profile
from vault.clock import Now
from vault.database.leases import Lease
from vault.errors import DomainError

logger = logging.getLogger(__name__)

LOOK_SECONDS: Final = 2.0
MISSES: Final = 3
"""After so many that no server took at all, a round ends: each may have cost the time of a server that is silent."""

OURS: Final = ("try_again", "locked")

Fate = Literal["sent", "later", "refused", "late", "void"]
FATES: Final[tuple[Fate, ...]] = ("sent", "later", "refused", "late", "void")

Letterhead = Callable[[str], Awaitable[tuple[Profile, bytes]]]
"""What the practice of an account says of itself, and its logo. Errors: DomainError."""


class Courier:
    """``fates`` counts what became of dispatches, since the start of this server. ``link`` is the patient's.

    ``on_change`` is told whose appointments have another state, by the owner's id.
    """

    def __init__(
        self,
        outbox: Dispatches,
        carriers: Mapping[Way, Carrier],
        lease: Lease,
        now: Now,
        *,
        letterhead: Letterhead,
        link: Callable[[Appointment], str],
        zone: Callable[[], tzinfo],
        on_change: Callable[[str], Awaitable[None]],
    ) -> None:
        self._outbox = outbox
        self._transports = carriers
        self._lease = lease
        self._now = now
        self._letterhead = letterhead
        self._link = link
        self._zone = zone
        self._on_change = on_change
        self.fates: Counter[Fate] = Counter()
        self._missed = 0

    async def run(self) -> None:
        """Until cancelled. Faults are logged and tried again."""
        try:
            while True:
                self._outbox.written.clear()
                try:
                    await self.round()
                except Exception:
                    logger.exception("the outbox could not be looked after and is tried again")
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS):
                        await self._outbox.written.wait()
        finally:
            with suppress(DomainError):
                await self._lease.release()

    async def round(self) -> None:
        """Send what is to be sent now, unless another server does. Errors: DomainError."""
        if not await self._outbox.any() or not await self._lease.take():
            return
        behind: set[tuple[str, Way]] = set()
        changed: set[str] = set()
        self._missed = 0
        try:
            for due in await self._outbox.waiting():
                line = (due.dispatch.appointment, due.dispatch.way)
                if line in behind:
                    continue
                if self._missed >= MISSES or not await self._lease.take():
                    return
                fate = await self._tried(due)
                self.fates[fate] += 1
                if fate == "later":
                    behind.add(line)
                if fate != "void":
                    changed.add(due.appointment.owner)
        finally:
            for owner in changed:
                await self._on_change(owner)

    async def _tried(self, due: Ready) -> Fate:
        """What became of it; one that cannot be made keeps no other back. Errors: DomainError (the stores)."""
        try:
            return await self._look_after(due)
        except DomainError as error:
            if error.code in OURS:
                raise
            logger.exception("what a patient is to be told could not be made; it is tried again")
        except Exception:
            logger.exception("what a patient is to be told could not be made; it is tried again")
        await self._outbox.later(due, begun=False)
        return "later"

    async def _look_after(self, due: Ready) -> Fate:
        """What became of it. Errors: DomainError."""
        one, to, carrier = due.dispatch, due.to, self._transports.get(due.dispatch.way)
        if to is None or carrier is None or (one.is_reminder and due.appointment.state != "planned"):
            await self._outbox.done(due, "void", begun=False)
            return "void"
        if self._now() >= lapses(due):
            await self._outbox.done(due, "late", begun=False)
            logger.error("a patient could not be told within a day")
            return "late"
        profile, logo = await self._letterhead(due.appointment.owner)
        link = self._link(due.appointment)
        parcel = Parcel(one, due.appointment, to, link, profile, self._zone(), self._now(), logo)
        return await self._send(due, carrier, parcel)

    async def _send(self, due: Ready, carrier: Carrier, parcel: Parcel) -> Fate:
        begun = False

        @asynccontextmanager
        async def begin() -> AsyncIterator[None]:
            nonlocal begun
            async with self._outbox.begun(due, self._lease):
                yield
            begun = True

        try:
            await carrier.send(parcel, begin)
        except Void:
            return "void"
        except NotTold as fault:
            said = {"cause": fault.step, **({} if fault.code is None else {"status": fault.code})}
            if not fault.final:
                self._missed += not fault.alone
                await self._outbox.later(due, begun=begun)
                logger.warning("what a patient is to be told was not taken; it is tried again", extra=said)
                return "later"
            await self._outbox.done(due, "refused", begun=begun, reason=reason(fault))
            logger.warning("what a patient is to be told was refused for good", extra=said)
            return "refused"
        await self._outbox.done(due, "sent", begun=begun)
        return "sent"


def lapses(due: Ready) -> datetime:
    """From when on it is of no use."""
    one = due.dispatch
    return one.starts_at if one.is_reminder else one.written + LIFE


def reason(fault: NotTold) -> str:
    """A word of our own and the server's number: what it says in words may have an address in it."""
    return fault.step if fault.code is None else f"{fault.step} {fault.code}"
