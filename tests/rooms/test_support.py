"""The code that a person reads out: six digits, half an hour, one consult."""

import asyncio
from pathlib import Path

import pytest
from redis.asyncio import Redis

from rooms import support
from rooms.diagnostics import Diagnostics
from rooms.expiry import TECHNICAL, lifetimes
from rooms.support import SupportCodes
from tests.people import Time
from tests.rooms.test_diagnostics import diagnostics, redis, server
from vault.errors import DomainError
from vault.inventory import inventory

__all__ = ["diagnostics", "redis", "server"]

OWNER, A, B = "O" * 22, "A" * 22, "B" * 22


@pytest.mark.duty("S-34")
async def test_a_code_opens_the_consult_that_it_was_asked_for(redis: Redis) -> None:
    codes = SupportCodes(redis)
    first, second = await codes.give(OWNER, A), await codes.give(OWNER, B)
    assert len(first) == 6 and first.isdigit()
    assert await codes.take(first) == (OWNER, A)
    assert await codes.take(second) == (OWNER, B)
    assert await codes.take(first) == (OWNER, A), "for half an hour, not once"


@pytest.mark.duty("S-34")
async def test_a_code_lives_half_an_hour(redis: Redis) -> None:
    code = await SupportCodes(redis).give(OWNER, A)
    for key in (f"sk:support:{code}", f"sk:support-of:{A}"):
        assert 0 < await redis.pttl(key) <= 1_800_000
    await redis.pexpire(f"sk:support:{code}", 10)
    await asyncio.sleep(0.05)
    assert await SupportCodes(redis).take(code) is None


async def test_a_new_code_makes_the_old_one_void(redis: Redis) -> None:
    codes = SupportCodes(redis)
    old, new = await codes.give(OWNER, A), await codes.give(OWNER, A)
    assert old == new or await codes.take(old) is None
    assert await codes.take(new) == (OWNER, A)


async def test_two_consults_never_share_a_code(redis: Redis) -> None:
    drawn = iter(["111111", "111111", "222222"])
    codes = SupportCodes(redis, lambda: next(drawn))
    assert [await codes.give(OWNER, A), await codes.give(OWNER, B)] == ["111111", "222222"]


@pytest.mark.duty("S-34")
async def test_guessing_ends_after_ten_tries_also_with_the_right_one(redis: Redis) -> None:
    codes = SupportCodes(redis, lambda: "123456")
    await codes.give(OWNER, A)
    for guess in range(10):
        assert await codes.take(f"{guess:06}") is None
    with pytest.raises(DomainError, match="rate_limited"):
        await codes.take("123456")
    assert 0 < await redis.pttl("sk:support-tries") <= 900_000


@pytest.mark.parametrize(
    "code", ["", "12345", "1234567", "12345a", "*", "of:" + A, "none", "\uff11\uff12\uff13\uff14\uff15\uff16"]
)
async def test_what_is_no_code_opens_nothing(redis: Redis, code: str) -> None:
    await SupportCodes(redis).give(OWNER, A)
    assert await SupportCodes(redis).take(code) is None


@pytest.mark.duty("S-33")
async def test_destruction_takes_the_code_along(redis: Redis, diagnostics: Diagnostics) -> None:
    code = await SupportCodes(redis).give(OWNER, A)
    other = await SupportCodes(redis).give(OWNER, B)
    await diagnostics.forget(A)
    assert await SupportCodes(redis).take(code) is None
    assert await SupportCodes(redis).take(other) == (OWNER, B)
    assert sorted([key async for key in redis.scan_iter(match="sk:support:*")]) == [f"sk:support:{other}".encode()]


@pytest.mark.duty("S-33")
@pytest.mark.parametrize("pattern", inventory().names("redis"))
async def test_a_key_of_any_kind_without_a_right_expiry_is_put_right_and_counted(
    redis: Redis, diagnostics: Diagnostics, pattern: str
) -> None:
    name = pattern.replace("*", "x")
    kind = name.split(":")[1]
    longest = lifetimes()[kind]
    for wrong in (None, longest + 60_000):
        await redis.set(name, "1", px=wrong)
        assert await diagnostics.tidy() == 1
        assert (await redis.pttl(name) <= longest) and await redis.pttl(name) != -1
        assert await redis.exists(name) == (kind not in TECHNICAL)
        await redis.delete(name)
        await redis.sadd(name, "1")
        assert await diagnostics.tidy() == 1
    await redis.delete(name)
    await redis.set(name, "1", px=longest)
    assert await diagnostics.tidy() == 0
    assert diagnostics.strays == 4


async def test_what_is_of_no_kind_of_ours_is_left_alone(redis: Redis, diagnostics: Diagnostics) -> None:
    names = ("sk:other", "sk:", "sk", "other:room:x", "sk:roomy:x", b"sk:\xff:x", "room")
    for name in names:
        await redis.set(name, "1")
    assert await diagnostics.tidy() == 0
    assert await redis.exists(*names) == len(names)


async def test_without_redis_nothing_is_claimed(tmp_path: Path, time: Time) -> None:
    codes = SupportCodes(Redis(unix_socket_path=str(tmp_path / "nobody")))
    with pytest.raises(DomainError, match="try_again"):
        await codes.give(OWNER, A)
    with pytest.raises(DomainError, match="try_again"):
        await codes.take("123456")
    assert support.LIFETIME == 1_800_000
