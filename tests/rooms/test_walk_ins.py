"""The queue of an open hour: numbers, places, and how long it may take."""

import asyncio
import random
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from rooms.live import DeskState, Waiting
from rooms.walk_ins import ENOUGH, MINUTE, QUEUES, STEP, Most, WalkIns, queue_key, those_before, waiting_range
from tests.rooms.test_live import AUTHENTIC, LIFE, address, redis, utc_now
from vault.errors import DomainError

__all__ = ["address", "redis"]

DAY = "2027-03-01"
ANY = Most(20, 20)
lengths = st.lists(st.integers(0, 8 * 60 * MINUTE), min_size=ENOUGH, max_size=50)
counts = st.integers(0, 40)


@pytest.fixture
def walk_ins(redis: Redis) -> WalkIns:
    return WalkIns(redis, utc_now, LIFE, AUTHENTIC)


@pytest.mark.parametrize(
    ("minutes", "before", "running", "expected"),
    [
        ([], 0, False, None),
        ([10, 10], 3, True, None),
        ([10, 10, 10], 0, False, (0, 5)),
        ([10, 10, 10], 0, True, (0, 10)),
        ([10, 10, 10], 2, True, (20, 30)),
        ([4, 8, 60], 3, False, (20, 25)),
        ([4, 8, 60], 3, True, (20, 35)),
        ([8, 9, 10, 30], 2, True, (15, 30)),
    ],
)
def test_how_long_it_may_take(minutes: list[int], before: int, running: bool, expected: tuple[int, int] | None) -> None:
    assert waiting_range([one * MINUTE for one in minutes], before, running=running) == expected


@given(lengths, counts, st.booleans(), st.randoms())
def test_a_range_is_rounded_outwards_and_never_shrinks_with_more_before(
    taken: list[int], before: int, running: bool, chance: random.Random
) -> None:
    found = waiting_range(taken, before, running=running)
    assert found is not None
    least, most = found
    each = sorted(taken)[len(taken) // 2], sorted(taken)[(len(taken) - 1) // 2]
    middle = sum(each) / 2 / MINUTE
    assert least % STEP == most % STEP == 0
    assert 0 <= least < most
    assert least <= middle * before <= most + 1e-6
    assert middle * (before + running) <= most + 1e-6
    more = waiting_range(taken, before + 1, running=running)
    assert more is not None and more[0] >= least and more[1] >= most
    other = waiting_range(taken, before, running=True)
    assert other is not None and other[1] >= most
    chance.shuffle(taken)
    assert waiting_range(taken, before, running=running) == found


@given(st.lists(st.integers(0, 10**9), max_size=ENOUGH - 1), counts, st.booleans())
def test_nobody_guesses_from_too_few(taken: list[int], before: int, running: bool) -> None:
    assert waiting_range(taken, before, running=running) is None


def waits(number: int | None, since: int) -> Waiting:
    return Waiting("a", "p", "patient", since, connected=True, number=number)


def test_lower_numbers_are_before_and_others_who_came_earlier() -> None:
    desk = DeskState(1, (waits(2, 50), waits(4, 60), waits(5, 10), waits(None, 40), waits(None, 60)), None)
    assert those_before(desk, 4, 55) == 2


async def test_numbers_rise_and_two_who_come_together_get_two(walk_ins: WalkIns) -> None:
    taken = await asyncio.gather(*(walk_ins.take("o", f"a{n}", "", DAY, ANY, 0) for n in range(8)))
    assert sorted(taken) == list(range(1, 9))
    await walk_ins.lose("o", "a0")
    assert await walk_ins.take("o", "b", "", DAY, ANY, 0) == 9
    assert await walk_ins.take("else", "c", "", DAY, ANY, 0) == 1
    assert await walk_ins.owners() == ["else", "o"]


async def test_a_queue_is_full_and_a_network_is_too(walk_ins: WalkIns) -> None:
    most = Most(3, 2)
    for name in ("a", "b"):
        await walk_ins.take("o", name, "net", DAY, most, 0)
    before = await walk_ins.of("o")
    for network, code in (("net", "rate_limited"), ("net", "rate_limited")):
        with pytest.raises(DomainError, match=code):
            await walk_ins.take("o", "c", network, DAY, most, 0)
    assert await walk_ins.of("o") == before, "what is refused changes nothing"
    await walk_ins.take("o", "c", "", DAY, most, 0)
    with pytest.raises(DomainError, match="room_full"):
        await walk_ins.take("o", "d", "", DAY, most, 0)
    await walk_ins.over("o", "a", DAY, 5 * MINUTE)
    assert await walk_ins.take("o", "d", "net", DAY, most, 0) == 4
    assert (await walk_ins.of("o")).lengths == (5 * MINUTE,)


async def test_what_redis_lost_comes_back_with_who_is_there(walk_ins: WalkIns, redis: Redis) -> None:
    await redis.flushdb()
    await walk_ins.come_back("o", "b", 7, DAY)
    await walk_ins.come_back("o", "a", 4, DAY)
    await walk_ins.come_back("o", "a", 4, DAY)
    assert [(one.appointment, one.number) for one in (await walk_ins.of("o")).spots] == [("a", 4), ("b", 7)]
    assert await walk_ins.take("o", "c", "", DAY, ANY, 0) == 8
    assert await walk_ins.take("other", "c", "", DAY, ANY, 12) == 13, "behind what storage knows"


async def test_a_new_day_begins_with_one_behind_who_is_still_there(walk_ins: WalkIns) -> None:
    await walk_ins.take("o", "a", "", DAY, ANY, 0)
    await walk_ins.over("o", "x", DAY, MINUTE)
    assert await walk_ins.take("o", "b", "", "2027-03-02", ANY, 0) == 2
    assert (await walk_ins.of("o")).lengths == ()
    for name in ("a", "b"):
        await walk_ins.lose("o", name)
    assert await walk_ins.take("o", "c", "", "2027-03-03", ANY, 0) == 1


async def test_nothing_stays_and_what_others_write_counts_as_lost(walk_ins: WalkIns, redis: Redis) -> None:
    await walk_ins.take("o", "a", "net", DAY, ANY, 0)
    for key in (queue_key("o"), QUEUES):
        assert 0 < await redis.ttl(key) <= LIFE / timedelta(seconds=1)
    await redis.set(queue_key("o"), b"0" * 64 + b'{"day":"2027-03-01","last":99}')
    assert (await walk_ins.of("o")).last == 0
    assert AUTHENTIC.forged["walk-ins"] >= 1
    await walk_ins.over("nobody", "a", DAY, None)
    assert await redis.get(queue_key("nobody")) is None, "nothing to be said"
