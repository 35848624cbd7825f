"""Handshakes one after another, as the room's membership changes; their secrets go into the key ring."""

import asyncio
import base64
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from signaling.client.errors import ClientError
from signaling.client.handshake import Handshake, Message
from signaling.client.keyring import KeyRing
from signaling.protocol.events import KeyCommit, KeyRestart, KeyReveal, KeyWrap, RoomView

RESTART_SECONDS = 5.0

Request = Callable[[str, Any], Awaitable[Any]]


def encode(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class KeyExchange:
    """Follows the room's ``keys``. Calls come one at a time, from one task.

    Attributes:
        code: the six digits of a complete handshake; None before that, and while nobody else is there.
        epochs: those completed, in order.
    """

    def __init__(self, ring: KeyRing, me: str, request: Request) -> None:
        self.code: str | None = None
        self.epochs: list[int] = []
        self._ring = ring
        self._me = me
        self._request = request
        self._identity: tuple[Any, ...] = ()
        self._handshake: Handshake | None = None
        self._early: list[tuple[str, Any]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._restarts: set[asyncio.Task[None]] = set()

    async def follow(self, room: RoomView) -> None:
        """Start a handshake if the membership is another one."""
        keys = room.keys
        members = tuple((member.participant, member.role) for member in keys.members) if keys else ()
        identity = (keys.epoch, members) if keys and len(members) > 1 else ()
        if identity == self._identity:
            return
        self._identity = identity
        self._stop()
        self.code = None
        if not keys or not identity:
            return
        self._handshake = handshake = Handshake(room.appointment, keys.epoch, members, self._me, os.urandom)
        self._timer = asyncio.get_running_loop().call_later(RESTART_SECONDS, self._restart, keys.epoch)
        await self._send(handshake, handshake.start())
        early, self._early = self._early, []
        for event, body in early:
            await self.receive(event, body)

    async def receive(self, event: str, body: Any) -> None:
        """A ``key-…`` event; of a later epoch it is kept until the room catches up.

        Raises:
            TamperingError: see Handshake.
        """
        handshake = self._handshake
        if handshake is None or body.epoch > handshake.epoch:
            self._early.append((event, body))
        elif body.epoch == handshake.epoch:
            await self._send(handshake, handshake.receive(body.sender, _message(event, body, self._me)))

    def close(self) -> None:
        self._stop()
        for task in self._restarts:
            task.cancel()

    async def _send(self, handshake: Handshake, messages: list[Message]) -> None:
        try:
            for message in messages:
                await self._request(*_event(handshake.epoch, message))
        except ClientError:
            return  # the room went on meanwhile, or the connection is lost: another handshake follows
        if any(message.kind == "wrap" for message in messages):
            self._ring.set_own(handshake.epoch, handshake.index(self._me), handshake.secret)
        for participant, secret in handshake.secrets.items():
            self._ring.set_remote(participant, handshake.epoch, handshake.index(participant), secret)
        if handshake.complete and self.code is None:
            self.code = handshake.code
            self.epochs.append(handshake.epoch)
            self._cancel_timer()

    async def restart(self) -> None:
        """Ask for another handshake, if one is under way."""
        if self._handshake:
            with suppress(ClientError):
                await self._request("key-restart", KeyRestart(epoch=self._handshake.epoch))

    def _restart(self, epoch: int) -> None:
        self._timer = asyncio.get_running_loop().call_later(RESTART_SECONDS, self._restart, epoch)
        task = asyncio.create_task(self.restart())
        self._restarts.add(task)
        task.add_done_callback(self._restarts.discard)

    def _stop(self) -> None:
        self._cancel_timer()
        self._handshake = None

    def _cancel_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None


def _message(event: str, body: Any, me: str) -> Message:
    if event == "key-commit":
        return Message("commit", commitment=decode(body.commitment))
    if event == "key-reveal":
        return Message("reveal", key=decode(body.key), nonce=decode(body.nonce))
    return Message("wrap", to=me, wrapped=decode(body.wrapped))


def _event(epoch: int, message: Message) -> tuple[str, Any]:
    if message.kind == "commit":
        return "key-commit", KeyCommit(epoch=epoch, commitment=encode(message.commitment))
    if message.kind == "reveal":
        return "key-reveal", KeyReveal(epoch=epoch, key=encode(message.key), nonce=encode(message.nonce))
    return "key-wrap", KeyWrap(epoch=epoch, to=message.to, wrapped=encode(message.wrapped))
