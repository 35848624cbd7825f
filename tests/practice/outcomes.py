"""How a call of a store ended, for tests that make many."""

from collections.abc import Awaitable
from typing import Any

from vault.errors import DomainError


async def outcome(awaited: Awaitable[Any]) -> Any:
    """What a call gave, or the code with which it refused."""
    try:
        return await awaited
    except DomainError as error:
        return error.code
