"""The mailbox to which mail comes back: read from the first message to the last, and emptied, so many at a time that
nobody who fills it makes its list too long to be read.

**Whatever was looked at is deleted there**, whatever it was; what could not be is looked at again. Of each message the
first bytes are fetched, and they are in memory alone.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Final

from practice.imap import LARGEST, Mailbox

FIRST_BYTES: Final = LARGEST // 2
"""Of one message: a report comes before what it is about."""

WHOLE_SECONDS: Final = 120.0
LITERAL: Final = re.compile(rb"BODY\[\](?:<0>)? \{\d+\}$")

Handle = Callable[[bytes], Awaitable[None]]


async def empty(mailbox: Mailbox, handle: Handle) -> int:
    """Give what there is to ``handle``, the oldest first, and delete what that took: how much. Errors: NotRead, and
    those of ``handle``, after which the rest is still there.
    """
    async with mailbox.opened(WHOLE_SECONDS) as server:
        found = await asyncio.to_thread(server.first)
        for uid in found:
            parts = await asyncio.to_thread(server.fetch, uid, f"BODY.PEEK[]<0.{FIRST_BYTES}>")
            await handle(next((one[1] for one in parts if isinstance(one, tuple) and LITERAL.search(one[0])), b""))
            await asyncio.to_thread(server.delete, uid)
    return len(found)
