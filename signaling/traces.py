"""What there is of appointments in Redis: asked for many at once, for of most there is nothing."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from redis.exceptions import RedisError

from rooms.diagnostics import MARKER
from rooms.live import parts, room_key
from rooms.support import CODE_OF
from signaling.admission import patient_of, signed_out_key
from signaling.link_codes import link_code_key
from signaling.refresh import holder_key
from vault.errors import DomainError

if TYPE_CHECKING:
    from redis.asyncio import Redis


async def touched(redis: "Redis", appointments: Sequence[str]) -> list[str]:
    """Those of which Redis may hold something: a room, samples, codes, tokens. Errors: ``try_again``."""
    found = []
    try:
        for part in parts(appointments):
            async with redis.pipeline(transaction=False) as pipe:
                for one in part:
                    pipe.exists(
                        *(room_key(one), f"{MARKER}{one}", f"{CODE_OF}{one}", holder_key(one), link_code_key(one)),
                        signed_out_key(patient_of(one)),
                    )
                counts = await pipe.execute()
            found += [one for one, count in zip(part, counts, strict=True) if count]
    except (RedisError, OSError):
        raise DomainError("try_again") from None
    return found
