"""Two installations on one Redis, each with a database number of its own, know nothing of each other."""

import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from practice.storage import Store
from signaling import gate
from signaling.redis import connect
from tests.signaling.live.cast import SECRET, Node, Practice, Worker, open_node, until


@pytest.fixture
async def installation(redis_of: Callable[[str], str], store: Store) -> AsyncIterator[Callable[..., Any]]:
    """Starts a node in database ``number`` of the one Redis."""
    async with AsyncExitStack() as stack:

        async def start(number: int, secret: bytes = SECRET) -> Node:
            url = f"{redis_of('redis')}?db={number}"
            client = connect(url)
            await client.flushdb()
            await client.aclose()
            return await stack.enter_async_context(open_node(url, store, secret=secret))

        yield start


@pytest.mark.parametrize("secret", [SECRET, secrets.token_bytes(48)], ids=["same secret", "secrets of their own"])
async def test_they_do_not_hear_each_other(installation: Any, practice: Practice, secret: bytes) -> None:
    one, other = await installation(1), await installation(2, secret)
    patient = await practice.patient_page().connect(one)
    heard: list[Any] = []
    other.signaling.gate.signed_out = lambda *what: heard.append(what)
    await one.signaling.sign_out("nobody")
    await one.signaling.gate.sign_out([practice.practitioner], "token_invalid")
    # What the other publishes on its own channel arrives after it, so it would have come by then.
    await other.signaling.gate.sign_out(["the last word"], "token_invalid")
    await until(lambda: heard, "its own word")
    assert heard == [(["the last word"], "token_invalid")]
    assert other.counters["forged"] == one.counters["forged"] == 0
    assert patient.socket.connected


async def test_nodes_of_one_installation_do_hear_each_other_in_every_database(
    installation: Any, practice: Practice, redis_of: Callable[[str], str]
) -> None:
    here, there, elsewhere = await installation(3), await installation(3), await installation(4)
    worker = Worker(f"{redis_of('redis')}?db=3", "worker-1")
    await worker.start()
    patient, doctor = await practice.talk(there, at=here)
    await doctor.do("chat", {"ciphertext": "abc"})
    await until(lambda: patient.events("chat"), "it crosses")
    assert isinstance(here.signaling, gate.Signaling)
    assert here.signaling.gate.manager.channel == there.signaling.gate.manager.channel
    assert here.signaling.gate.manager.channel != elsewhere.signaling.gate.manager.channel
    assert elsewhere.counters["forged"] == 0
    await worker.die()
