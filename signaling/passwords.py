"""Trying a password or a code: so slowly that nobody guesses one, and so that strangers shut nobody out (S-26).

Wrong ones count by network, by account and network, and by account as a whole; each is a pace that goes on by itself.
**A browser that has signed in to an account before stands behind none of them**, nor does who is signed in and is asked
for the password again: both have a pace of their own. Of the account's pace a part is kept for networks that were not
wrong lately, so that a dozen of networks cannot take all of it.
"""

from collections.abc import Awaitable, Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, TypeVar

from practice.mailboxes import canonical
from signaling.limiter import (
    CONFIRM,
    FACTOR_ACCOUNT,
    FACTOR_DEVICE,
    FACTOR_PAIR,
    SIGN_IN_ACCOUNT,
    SIGN_IN_DEVICE,
    SIGN_IN_NETWORK,
    SIGN_IN_PAIR,
    SIGN_IN_WRONG,
    Limiter,
    Pace,
)
from signaling.protocol.errors import ProtocolError, UserError
from signaling.settings import Network
from signaling.turnstile import Turnstile

SPARE: Final = 6
"""Of the account's pace, for networks that were not wrong in the last quarter of an hour."""

T = TypeVar("T")
Look = Callable[[], Awaitable[T | None]]


@dataclass(frozen=True)
class Take:
    """What one try takes of a pace."""

    pace: Pace
    values: tuple[object, ...]
    spare: int = 0


@dataclass(frozen=True)
class Passwords:
    """``look`` checks one password and gives whose it is, or None; it is not called where there was no try left.

    Errors: ``sign_in_refused rate_limited try_again``, of a code ``factor_refused``, of a passkey ``passkey_refused``.
    """

    limiter: Limiter
    turnstile: Turnstile

    async def sign_in(self, mail: str, network: Network | None, device: bytes | None, look: Look[T]) -> T:
        """``device`` is that of a browser that is known to this account."""
        account = canonical(mail)
        if device is not None:
            return await self._try([Take(SIGN_IN_DEVICE, (account, device.hex()))], device, look)
        was_wrong = await self.limiter.any_taken(SIGN_IN_WRONG, account, network)
        paces = [
            Take(SIGN_IN_NETWORK, (network,)),
            Take(SIGN_IN_PAIR, (account, network)),
            Take(SIGN_IN_ACCOUNT, (account,), SPARE if was_wrong else 0),
        ]
        try:
            return await self._try(paces, network, look)
        except UserError as error:
            if error.code == "sign_in_refused" and not was_wrong:
                with suppress(ProtocolError):
                    await self.limiter.take(SIGN_IN_WRONG, account, network)
            raise

    async def confirm(self, practitioner: str, session: str | None, look: Look[T]) -> T:
        """Of who is signed in; ``session`` is that of the browser, or the family of the app."""
        return await self._try([Take(CONFIRM, (practitioner, session))], practitioner, look)

    async def factor(self, mail: str, network: Network | None, device: bytes | None, look: Look[T]) -> T:
        """The second step, of whose password was right."""
        account = canonical(mail)
        paces = [Take(FACTOR_PAIR, (account, network)), Take(FACTOR_ACCOUNT, (account,))]
        if device is not None:
            paces = [Take(FACTOR_DEVICE, (account, device.hex()))]
        return await self._counted(paces, look, "factor_refused")

    async def passkey(self, network: Network | None, look: Look[T]) -> T:
        """Whose passkey it is. Nobody guesses one: what is counted is work for nothing."""
        return await self._counted([Take(SIGN_IN_NETWORK, (network,))], look, "passkey_refused")

    async def _try(self, paces: list[Take], whose: Hashable, look: Look[T]) -> T:
        return await self._counted(paces, lambda: self.turnstile.through(whose, look), "sign_in_refused")

    async def _counted(self, paces: list[Take], look: Look[T], refusal: str) -> T:
        taken: list[Take] = []
        person, looked = None, False
        try:
            for one in paces:
                await self.limiter.take(one.pace, *one.values, spare=one.spare)
                taken.append(one)
            person = await look()
            looked = True
        finally:
            if person is not None or not looked:
                for one in taken:
                    await self.limiter.give_back(one.pace, *one.values)
        if person is None:
            raise UserError(refusal)
        return person
