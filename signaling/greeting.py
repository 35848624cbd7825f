"""Whose waiting room a practitioner's socket sees and speaks into: one's own, and those of whom one works for.

Asked at each event, as rights are. **A desk that somebody may see no longer is taken from their socket within
seconds**, on whatever node that is: the page goes on, and reads that nobody waits there.
"""

import asyncio
import logging
from typing import Final

from redis.exceptions import RedisError

from practice.assistants.store import Assistants
from practice.names import named
from rooms.announced import Announced
from rooms.consult_events import CallIn, Write
from rooms.consult_events import Decline as Declining
from signaling.consults import Consults
from signaling.protocol.errors import UserError
from signaling.protocol.events import DeskView, Ended, HoldMessage, Told
from signaling.protocol.waiting_room import MOST_WORDS, Decline, Declined
from signaling.sockets.socket import Socket
from vault.audit import Act, practitioner
from vault.audit.trail import Trail
from vault.errors import DomainError

log = logging.getLogger(__name__)

PERIOD: Final = 1.0


class Greeting:
    """Of the sockets of this node."""

    def __init__(self, consults: Consults, assistants: Assistants, trail: Trail) -> None:
        self._consults = consults
        self._assistants = assistants
        self._trail = trail

    async def watch(self, socket: Socket, account: str, whom: str) -> DeskView:
        """This socket is shown that desk from now on. Errors: ``not_found``."""
        await self.demand(account, whom, "watch")
        if whom != account:
            socket.greets.add(whom)
        return await self._consults.showing.watch(socket, whom)

    async def tell(self, account: str, appointment: str, participant: str, message: HoldMessage) -> None:
        """Pass a canned message to somebody who waits for this practitioner, or for one whom they work for.

        Errors: ``not_found``.
        """
        consult = await self._consults.live.load(appointment)
        if consult is None:
            raise UserError("not_found")
        await self.demand(account, consult.owner, "tell")
        one = consult.find(participant)
        if one is None or one.admitted or one.socket is None:
            raise UserError("not_found")
        await self._consults.messages.say(consult, [one], "told", Told(message=message))

    async def write(self, account: str, appointment: str, participant: str, text: str) -> None:
        """The same in words of one's own. Errors: ``not_found``, ``invalid`` (``text``)."""
        consult = await self._consults.live.load(appointment)
        if consult is None:
            raise UserError("not_found")
        await self.demand(account, consult.owner, "write")
        words = named(text, "text", MOST_WORDS)
        one = consult.find(participant)
        if one is None:
            raise UserError("not_found")
        sealed = self._consults.beside.words.sealed(words, appointment, one.seat, "written")
        await self._consults.runner.apply(appointment, Write(participant, sealed))

    async def decline(self, account: str, body: Decline) -> None:
        """Do not receive somebody who waits, and tell them so, by who may let them in.

        Errors: ``not_found`` (also where the connection is lost: they would not be told), ``invalid`` (``text``).
        """
        consult = await self._consults.live.load(body.appointment)
        if consult is None:
            raise UserError("not_found")
        await self.demand(account, consult.owner, "decline", admitting=True)
        text = None if body.text is None else named(body.text, "text", MOST_WORDS)
        one = consult.find(body.participant)
        if one is None or one.socket is None:
            raise UserError("not_found")
        await self._consults.runner.apply(body.appointment, Declining(one.id))
        ended = Ended(reason="ended", declined=Declined(message=body.message, text=text))
        await self._consults.gate.tell(one.socket, "ended", ended)

    async def announce(self, account: str, whom: str, announced: Announced) -> None:
        """Say to all who wait for this practitioner how it stands. Errors: ``not_found``."""
        await self.demand(account, whom, "announce")
        await self._consults.beside.announcements.say(whom, announced)
        self._consults.showing.show_desk(whom)

    async def call_in(self, account: str, appointment: str, participant: str) -> None:
        """Let somebody in to the practitioner, where that one lets who works for them do so.

        Errors: ``not_found``; ``bad_state`` (the practitioner is not there), ``room_full``.
        """
        consult = await self._consults.live.load(appointment)
        if consult is None:
            raise UserError("not_found")
        await self.demand(account, consult.owner, "call-in", admitting=True)
        await self._consults.runner.apply(appointment, CallIn(participant))

    async def demand(self, account: str, whom: str, event: str, *, admitting: bool = False) -> None:
        """What somebody does who works for this practitioner is entered. Errors: ``not_found`` where they do not, or
        may not do so.
        """
        if account == whom:
            return
        engagement = (await self._assistants.recent(account)).get(whom)
        if engagement is None or (admitting and not engagement.admits):
            raise UserError("not_found")
        await self._trail.record(Act.WORKED_FOR, practitioner(account), practitioner(whom), event)

    async def run(self) -> None:
        """Until cancelled. Apart from what looks after rooms, which must not wait for a database."""
        while True:
            try:
                await self.look()
            except (DomainError, RedisError):
                log.warning("whose desks assistants may see could not be looked up")
            except Exception:
                log.exception("looking whose desks assistants may see failed")
            await asyncio.sleep(PERIOD)

    async def look(self) -> None:
        """Once: who works for somebody no more sees nobody wait there. Errors: DomainError, RedisError."""
        for socket in [one for one in self._consults.gate.authenticated.values() if one.greets]:
            ended = socket.greets - set(await self._assistants.recent(socket.claims.practitioner or ""))
            for whom in sorted(ended):
                socket.greets.discard(whom)
                await self._consults.showing.stop_watching(socket, whom)
