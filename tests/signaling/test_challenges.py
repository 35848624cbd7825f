"""What is between two steps of signing in: good for its purpose, five minutes and once, and told apart by nobody."""

import asyncio
from datetime import timedelta

import pytest
from redis.asyncio import Redis

from signaling.challenges import SECONDS, Challenges, Purpose, key_of
from signaling.protocol.errors import UserError
from tests.signaling.conftest import SECRET, Time

ALICE = "a" * 22


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
def challenges(redis: Redis, clock: Time) -> Challenges:
    return Challenges(SECRET, redis, clock.now)


async def refused(challenges: Challenges, text: str, purpose: Purpose = "browser") -> bool:
    with pytest.raises(UserError) as said:
        await challenges.open(text, purpose)
    return said.value.code == "challenge_invalid"


async def test_it_says_whose_it_is_to_who_sealed_it_and_to_nobody_else(challenges: Challenges) -> None:
    text = await challenges.begin("browser", ALICE, {"next": "x"})
    one = await challenges.open(text, "browser")
    assert (one.purpose, one.practitioner, dict(one.about)) == ("browser", ALICE, {"next": "x"})
    assert ALICE not in text and "next" not in repr(one)
    assert await challenges.begin("browser", ALICE, {"next": "x"}) != text
    sealed, bytes_ = await challenges.begin_passkey("passkey", "")
    assert (await challenges.open(sealed, "passkey")).about == {"bytes": bytes_}
    for purpose in ("app", "set-up", "passkey", "registration", "invited"):
        assert await refused(challenges, text, purpose)
    for wrong in ("", "x", "é", "====", text[:-2], text + "A", text[::-1]):
        assert await refused(challenges, wrong)


async def test_it_is_good_for_five_minutes(challenges: Challenges, clock: Time, redis: Redis) -> None:
    text = await challenges.begin("browser", ALICE)
    one = await challenges.open(text, "browser")
    assert SECONDS - 5 < await redis.ttl(key_of(one.id)) <= SECONDS
    clock.ahead = timedelta(seconds=SECONDS - 2)
    assert await challenges.open(text, "browser") == one, "to look is no use of it"
    clock.ahead = timedelta(seconds=SECONDS)
    assert await refused(challenges, text), "although Redis has not forgotten it yet"


async def test_of_many_who_use_it_at_once_one_is_let_through(challenges: Challenges) -> None:
    one = await challenges.open(await challenges.begin("browser", ALICE), "browser")
    done = await asyncio.gather(*(challenges.spend(one) for _ in range(5)), return_exceptions=True)
    assert done.count(None) == 1
    assert {each.code for each in done if isinstance(each, UserError)} == {"challenge_invalid"}


async def test_an_emptied_redis_has_people_begin_again(challenges: Challenges, redis: Redis) -> None:
    text = await challenges.begin("browser", ALICE)
    await redis.flushall()
    assert await refused(challenges, text)


async def test_another_installation_opens_none(challenges: Challenges, redis: Redis, clock: Time) -> None:
    other = Challenges(b"the secret of another installation", redis, clock.now)
    assert await refused(other, await challenges.begin("browser", ALICE))
