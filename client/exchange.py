"""Handshakes one after another, as the room's membership changes; their secrets go into the key ring."""

import asyncio
import base64
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, NoReturn

from client.errors import ClientError
from client.handshake import Handshake, Message, TamperingError
from client.keyring import KeyRing
from client.tally import Chain, Comparison, Tally
from signaling.protocol.events import RoomView
from signaling.protocol.handshake import KeyCommit, KeyRestart, KeyReveal, KeyWrap

RESTART_SECONDS, RESTART_MORE = 5.0, 1.0
"""Without an end after so long, and more for each person beyond two, a handshake is begun anew: everybody has something
for everybody, and who gives up too soon ends it for all.
"""
GONE_SECONDS = 10.0
_MAX_EARLY = 256

Request = Callable[[str, Any], Awaitable[Any]]


def encode(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class KeyExchange:
    """Follows the room's ``keys``. Calls come one at a time, from one task.

    Args:
        tally: of the page before, in the same place.
        codes: as in `e2ee.verification_code`.

    Attributes:
        comparison: what to show beside the code. people: how many hold its keys, oneself included.
        epochs: those completed, in order. tampered: somebody lied; nothing is sent any more.
        holders: the others who hold the secret that we send under.
    """

    def __init__(
        self, ring: KeyRing, me: str, request: Request, tally: Tally | None = None, *, codes: int = 1_000_000
    ) -> None:
        self.tally = tally or Tally()
        self.tally.lapse()
        self.comparison = Comparison(before=self.tally.digits)
        self.comparison.count(self.tally.counted)
        self.people = 1
        self.epochs: list[int] = []
        self.holders: set[str] = set()
        self.tampered = False
        self._ring = ring
        self._me = me
        self._request = request
        self._codes = codes
        self._chain = Chain()
        self._identity: tuple[Any, ...] = ()
        self._newest = 0
        self._handshake: Handshake | None = None
        self._acknowledged = False
        self._placed: set[str] = set()
        self._early: list[tuple[str, Any]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._gone: asyncio.TimerHandle | None = None
        self._restarts: set[asyncio.Task[None]] = set()

    @property
    def code(self) -> str | None:
        """The six digits of a complete handshake; None before that, and while nobody else is there."""
        return self.comparison.code

    async def follow(self, room: RoomView) -> None:
        """Start a handshake if the membership is another one.

        Raises:
            TamperingError: members are not exactly the people shown, or the epoch does not rise.
            OutdatedError: see Handshake.
        """
        if self.tampered:
            return
        shown = {other.participant: other.role for other in room.others if other.state == "admitted"}
        keys = room.keys
        members = tuple((member.participant, member.role) for member in keys.members) if keys else ()
        if keys and (dict(members) != shown | {self._me: room.me.role} or len(members) != len(dict(members))):
            self._tamper("the members are not the people shown")
        self._watch(set(shown) if keys else set())
        identity = (keys.epoch, members) if keys and len(members) > 1 else ()
        if identity == self._identity:
            return
        self._identity = identity
        if identity:
            self.tally.excuse(len(shown))
        self._stop()
        self.comparison.hide()
        self.people = max(1, len(members))
        if not keys or not identity:
            return
        if keys.epoch <= self._newest:
            self._tamper("the epoch does not rise")
        self._newest = keys.epoch
        withheld = self.tally.begin(shown)
        self.comparison.count(self.tally.counted)
        self._handshake = handshake = Handshake(
            room.appointment,
            keys.epoch,
            members,
            self._me,
            os.urandom,
            chain=self._chain,
            withheld=withheld,
            codes=self._codes,
        )
        self._acknowledged, self._placed = False, set()
        self._arm(keys.epoch)
        await self._send(handshake, handshake.start())
        early, self._early = self._early, []
        for event, body in early:
            await self.receive(event, body)

    async def receive(self, event: str, body: Any) -> None:
        """A ``key-…`` event; of a later epoch it is kept until the room catches up.

        Raises:
            TamperingError, OutdatedError: see Handshake.
        """
        handshake = self._handshake
        if self.tampered:
            return
        if body.epoch > self._newest:
            if len(self._early) < _MAX_EARLY:
                self._early.append((event, body))
        elif handshake and body.epoch == handshake.epoch:
            try:
                messages = handshake.receive(body.sender, _message(event, body, self._me))
            except (TamperingError, ValueError) as error:
                self._tamper(str(error))
            await self._send(handshake, messages)

    def close(self) -> None:
        self._stop()
        self._watch(self.holders)
        for task in self._restarts:
            task.cancel()

    async def _send(self, handshake: Handshake, messages: list[Message]) -> None:
        try:
            if any(message.kind == "reveal" for message in messages):
                self.tally.reveal()
            for message in (one for one in messages if one.kind != "wrap"):
                await self._request(*_event(handshake.epoch, message))
            wraps = [message for message in messages if message.kind == "wrap"]
            for message in wraps[:1]:
                await self._request(*_event(handshake.epoch, message))
            if others := wraps[1:]:
                await asyncio.gather(*(self._request(*_event(handshake.epoch, message)) for message in others))
        except ClientError:
            return  # the room went on meanwhile, or the connection is lost: another handshake follows
        self._acknowledged = self._acknowledged or any(message.kind == "wrap" for message in messages)
        for participant in handshake.secrets.keys() - self._placed:
            secret = handshake.secrets[participant]
            self._ring.set_remote(participant, handshake.epoch, handshake.index(participant), secret)
            self._placed.add(participant)
        if self._acknowledged and handshake.complete and handshake.epoch not in self.epochs[-1:]:
            self._complete(handshake)

    def _complete(self, handshake: Handshake) -> None:
        """Only now send under the new secret: whoever completes has it in the chain, and shows the digits."""
        self._ring.set_own(handshake.epoch, handshake.index(self._me), handshake.secret)
        self._chain.complete(handshake.transcript, handshake.others)
        self.holders = set(handshake.others)
        self._watch(self.holders)
        self.tally.show()
        assert handshake.code
        self.comparison.show(handshake.code, handshake.others, max(handshake.withheld, self.tally.counted))
        self.epochs.append(handshake.epoch)
        self._cancel_timer()

    def _watch(self, shown: set[str]) -> None:
        """After a while, send nothing more under a secret that somebody holds who is no longer shown."""
        if self.holders <= shown:
            if self._gone:
                self._gone.cancel()
                self._gone = None
        elif self._gone is None:
            self._gone = asyncio.get_running_loop().call_later(GONE_SECONDS, self._ring.drop_own)

    def _tamper(self, why: str) -> NoReturn:
        self.tampered = True
        self._stop()
        self._ring.drop_own()
        self.comparison.hide()
        raise TamperingError(why)

    async def restart(self) -> None:
        """Ask for another handshake, if one is under way."""
        if self._handshake:
            with suppress(ClientError):
                await self._request("key-restart", KeyRestart(epoch=self._handshake.epoch))

    def _arm(self, epoch: int) -> None:
        patience = RESTART_SECONDS + (self.people - 2) * RESTART_MORE
        self._timer = asyncio.get_running_loop().call_later(patience, self._restart, epoch)

    def _restart(self, epoch: int) -> None:
        self._lapse()
        self._arm(epoch)
        task = asyncio.create_task(self.restart())
        self._restarts.add(task)
        task.add_done_callback(self._restarts.discard)

    def _lapse(self) -> None:
        self.tally.lapse()
        self.comparison.count(self.tally.counted)

    def _stop(self) -> None:
        self._cancel_timer()
        self._handshake = None
        self._lapse()

    def _cancel_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None


def _message(event: str, body: Any, me: str) -> Message:
    if event == "key-commit":
        return Message("commit", commitment=decode(body.commitment), version=body.version)
    if event == "key-reveal":
        last = tuple(map(decode, body.last))
        return Message("reveal", key=decode(body.key), nonce=decode(body.nonce), last=last, withheld=body.withheld)
    return Message("wrap", to=me, wrapped=decode(body.wrapped))


def _event(epoch: int, message: Message) -> tuple[str, Any]:
    if message.kind == "commit":
        commitment = encode(message.commitment)
        return "key-commit", KeyCommit(epoch=epoch, version=message.version, commitment=commitment)
    if message.kind == "reveal":
        key, nonce, last = encode(message.key), encode(message.nonce), list(map(encode, message.last))
        return "key-reveal", KeyReveal(epoch=epoch, key=key, nonce=nonce, last=last, withheld=message.withheld)
    return "key-wrap", KeyWrap(epoch=epoch, to=message.to, wrapped=encode(message.wrapped))
