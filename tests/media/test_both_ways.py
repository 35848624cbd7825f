"""Packets are forwarded by the relay itself or by the pump: for the same input both send the same bytes."""

import asyncio

import pytest

from tests.media.simulation import LIBRARY
from tests.media.traffic import Traffic, same_secrets

PACKETS = 25_000


async def send(seed: int, packets: int, *, pumped: bool, hostile: bool) -> Traffic:
    """A relay that so many packets came to."""
    with same_secrets(seed):
        traffic = Traffic(seed, pumped=pumped, hostile=hostile)
        traffic.go_on(packets)
        await traffic.close()
    return traffic


def compare(seed: int, packets: int) -> str:
    """``same``, or where both ways part; half of the packets are of hostile traffic."""

    async def both(hostile: bool) -> str:
        one = await send(seed, packets // 2, pumped=False, hostile=hostile)
        return one.difference(await send(seed, packets // 2, pumped=True, hostile=hostile))

    return asyncio.run(both(False)) or asyncio.run(both(True)) or "same"


@pytest.mark.skipif(LIBRARY is None, reason="there is no pump: no C compiler")
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("hostile", [False, True], ids=["orderly", "hostile"])
async def test_both_send_the_same_bytes(seed: int, hostile: bool) -> None:
    one = await send(seed, PACKETS, pumped=False, hostile=hostile)
    other = await send(seed, PACKETS, pumped=True, hostile=hostile)
    assert not one.difference(other)
    assert sum(map(len, one.log.values())) > PACKETS / 2
    assert other.forwarded_by_pump > PACKETS / 4
