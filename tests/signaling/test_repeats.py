"""Events that a client sends again are carried out once, also when Redis's answers are lost."""

from types import SimpleNamespace
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from signaling.protocol.model import Empty
from signaling.sockets.repeats import Repeats
from signaling.tickets import practitioner_access
from tests.vault.lost_answers import losing_an_answer


async def test_a_first_try_whose_mark_was_set_unanswered_is_carried_out(redis_address: str, redis: Redis) -> None:
    """redis-py 8.1.0 sends ``SET NX`` again when the connection breaks: it is then refused to whoever set it."""
    socket: Any = SimpleNamespace(claims=practitioner_access("alice"), binding=None)
    done = 0

    async def work() -> Empty:
        nonlocal done
        done += 1
        return Empty()

    async with losing_an_answer(redis_address.removeprefix("unix://"), b"sk:once") as broken:
        client = Redis(unix_socket_path=broken, driver_info=None, retry=Retry(NoBackoff(), 3))
        repeats = Repeats(client)
        for _ in range(2):
            await repeats.carry_out(socket, "a message", work)
        await client.aclose()
    assert done == 1
