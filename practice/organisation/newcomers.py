"""Who makes an account by a link that was mailed: with a password, or with a passkey alone."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from practice.accounts.common import is_common
from practice.accounts.model import Language
from practice.accounts.store import Beside
from practice.factors.model import Passkey
from practice.factors.store import SecondFactors
from vault.errors import DomainError

T = TypeVar("T")


@dataclass(frozen=True)
class Newcomer:
    """What somebody says of themselves who makes an account by a link."""

    display_name: str = field(repr=False)
    language: Language
    password: str = field(repr=False)
    account: str | None = None
    beside: Beside | None = None


async def with_password(mail: str, display_name: str, language: Language, password: str) -> Newcomer:
    """Errors: ``password_common``."""
    if await asyncio.to_thread(is_common, password, (mail, display_name)):
        raise DomainError("password_common")
    return Newcomer(display_name, language, password)


async def with_passkey(
    factors: SecondFactors,
    account: str,
    display_name: str,
    language: Language,
    passkey: Passkey,
    join: Callable[[Newcomer], Awaitable[T]],
) -> tuple[T, tuple[str, ...]]:
    """Who joins with a passkey that was made for an account of this id, and their recovery codes. The password is
    random and nobody's, until its owner chooses one as who forgot theirs. Errors: as of ``join``.
    """
    made: list[str] = []

    async def keep(connection: AsyncConnection, owner: str) -> None:
        made.extend(await factors.begin_with(connection, owner, passkey))

    try:
        joined = await join(Newcomer(display_name, language, secrets.token_urlsafe(32), account, keep))
    except DomainError as error:
        if error.code != "try_again" and made:
            await factors.began(account, made=False)
        raise
    await factors.began(account, made=True)
    return joined, tuple(made)
