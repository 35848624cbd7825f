"""Entering what an operator did."""

from __future__ import annotations

import logging

from operate.commands.configured import Configured
from vault.audit import Act, operator
from vault.errors import DomainError

logger = logging.getLogger(__name__)


async def enter(settings: Configured, act: Act, detail: str | None = None) -> None:
    """Enter an act of whoever typed the command. Without keys that open there is no trail to enter it in."""
    from operate.commands.storage import beside

    async with beside(settings.rooms) as store:
        try:
            await store.audit.record(act, operator(), detail=detail)
        except DomainError as error:
            logger.warning("this could not be entered in the audit trail", extra={"code": error.code})
