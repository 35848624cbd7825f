"""Many who change one value of Redis at once: each change is made upon the one before, and none for ever."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.exceptions import WatchError

from rooms.authentic import Authentic
from signaling.limiter import (
    FACTOR_PAIR,
    OF_ACCOUNTS,
    SIGN_IN_ACCOUNT,
    SIGN_IN_DEVICE,
    SIGN_IN_NETWORK,
    SIGN_IN_PAIR,
    Limiter,
    Pace,
)
from signaling.protocol.errors import ProtocolError, UserError
from signaling.refresh import ATTEMPTS, Refresh
from signaling.tickets import Claims, Tickets
from tests.people import START
from tests.signaling.conftest import SECRET

PACE = Pace("some-tries", 3, "Tries.", seconds=60)
ALICE, BOB, HOME = "alice@example.org", "bob@example.org", "192.0.2.0/24"


class Hour:
    """A clock that the test moves; Redis has its own."""

    def __init__(self) -> None:
        self.wall = START

    def now(self) -> datetime:
        return self.wall


@pytest.fixture
def hour() -> Hour:
    return Hour()


@pytest.fixture
def limiter(redis: Redis, hour: Hour) -> Limiter:
    return Limiter(redis, SECRET, hour.now)


@pytest.fixture
def refresh(redis: Redis, hour: Hour) -> Refresh:
    return Refresh(Tickets(SECRET, hour.now), redis, hour.now, timedelta(hours=1), Authentic(SECRET))


def too_late(patch: pytest.MonkeyPatch, times: int | None = None) -> Callable[[], int]:
    """Somebody else was first, so often or always; how often it was tried."""
    real, tried = Pipeline.execute, 0

    async def execute(pipe: Any, *what: Any) -> Any:
        nonlocal tried
        tried += 1
        if times is None or tried <= times:
            await pipe.reset()
            raise WatchError
        return await real(pipe, *what)

    patch.setattr(Pipeline, "execute", execute)
    return lambda: tried


async def taken(limiter: Limiter, *values: object, pace: Pace = PACE, spare: int = 0) -> int | str:
    try:
        return await limiter.take(pace, *values, spare=spare)
    except ProtocolError as error:
        return error.code


async def test_a_pace_goes_on_by_itself_and_what_is_given_back_is_there(limiter: Limiter, hour: Hour) -> None:
    assert [await taken(limiter, ALICE) for _ in range(4)] == [0, 1, 2, "rate_limited"]
    assert await taken(limiter, BOB) == 0
    with pytest.raises(ProtocolError) as refused:
        await limiter.take(PACE, ALICE)
    assert refused.value.retry_after == 60
    hour.wall += timedelta(seconds=59)
    assert await taken(limiter, ALICE) == "rate_limited"
    hour.wall += timedelta(seconds=1)
    assert [await taken(limiter, ALICE) for _ in range(2)] == [2, "rate_limited"]
    await limiter.give_back(PACE, ALICE)
    assert [await taken(limiter, ALICE) for _ in range(2)] == [2, "rate_limited"]
    for _ in range(5):
        await limiter.give_back(PACE, ALICE)
    assert not await limiter.any_taken(PACE, ALICE)
    assert await limiter.any_taken(PACE, BOB)


async def test_what_is_kept_spare_is_left(limiter: Limiter) -> None:
    assert [await taken(limiter, ALICE, spare=2) for _ in range(2)] == [0, "rate_limited"]
    assert [await taken(limiter, ALICE) for _ in range(3)] == [1, 2, "rate_limited"]


async def test_of_many_at_once_no_more_are_let_through_than_there_are(limiter: Limiter) -> None:
    done = await asyncio.gather(*(taken(limiter, ALICE) for _ in range(8)))
    assert sorted(one for one in done if isinstance(one, int)) == [0, 1, 2]
    assert done.count("rate_limited") == 5


async def test_who_is_late_tries_again_and_not_for_ever(limiter: Limiter, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        too_late(patch, 3)
        assert await taken(limiter, ALICE) == 0
        tried = too_late(patch, 2)
        await limiter.give_back(PACE, ALICE)
        assert tried() == 3
    assert not await limiter.any_taken(PACE, ALICE)
    await limiter.take(PACE, ALICE)
    with monkeypatch.context() as patch:
        too_late(patch)
        with pytest.raises(UserError, match="try_again"):
            await limiter.take(PACE, ALICE)
        await limiter.give_back(PACE, ALICE)
    assert await limiter.any_taken(PACE, ALICE), "what could not be given back comes back by itself"


@pytest.mark.duty("S-26")
async def test_what_was_tried_for_an_account_is_lifted_and_nothing_else(limiter: Limiter) -> None:
    await limiter.take(SIGN_IN_NETWORK, HOME)
    for account in (ALICE, BOB):
        for pace in OF_ACCOUNTS:
            whole = pace is SIGN_IN_ACCOUNT
            await limiter.take(pace, account) if whole else await limiter.take(pace, account, HOME)
    await limiter.lift(" Alice@EXAMPLE.org")
    left = [await limiter.any_taken(pace, ALICE, HOME) for pace in (SIGN_IN_PAIR, SIGN_IN_DEVICE, FACTOR_PAIR)]
    assert not any(left) and not await limiter.any_taken(SIGN_IN_ACCOUNT, ALICE)
    assert await limiter.any_taken(SIGN_IN_ACCOUNT, BOB) and await limiter.any_taken(FACTOR_PAIR, BOB, HOME)
    assert await limiter.any_taken(SIGN_IN_NETWORK, HOME)


# --- refresh tokens --------------------------------------------------------------------------------------------------


async def begun(refresh: Refresh, hour: Hour) -> Claims:
    expires = int(hour.wall.timestamp()) + 3600
    access = Claims(kind="access", role="practitioner", seat="practitioner", practitioner="a" * 22, expires=expires)
    _, token = await refresh.begin(access, expires)
    return await refresh.verify(token)


async def test_a_refresh_that_is_late_is_made_upon_what_is_there_then(
    refresh: Refresh, hour: Hour, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims = await begun(refresh, hour)
    with monkeypatch.context() as patch:
        tried = too_late(patch, 2)
        following = await refresh.verify(await refresh.rotate(claims))
        assert tried() == 3
    assert (following.family, following.generation) == (claims.family, 2)
    with monkeypatch.context() as patch:
        tried = too_late(patch)
        with pytest.raises(UserError, match="try_again"):
            await refresh.rotate(following)
        assert tried() == ATTEMPTS
    assert await refresh.alive(following), "nothing has ended"
    assert (await refresh.verify(await refresh.rotate(following))).generation == 3


async def test_a_sign_out_that_is_late_ends_all_that_is_there_then(
    refresh: Refresh, hour: Hour, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = await begun(refresh, hour), await begun(refresh, hour)
    assert await refresh.apps("a" * 22) == 2
    with monkeypatch.context() as patch, pytest.raises(UserError, match="try_again"):
        too_late(patch)
        await refresh.end_all("a" * 22)
    assert await refresh.apps("a" * 22) == 2
    with monkeypatch.context() as patch:
        too_late(patch, 2)
        await refresh.end_all("a" * 22)
    assert await refresh.apps("a" * 22) == 0
    for claims in (one, other):
        assert not await refresh.alive(claims)
        with pytest.raises(ProtocolError, match="token_invalid"):
            await refresh.rotate(claims)
    ended = await refresh.ended([str(one.family), str(other.family)])
    assert set(ended.values()) == {"token_invalid"}
