"""The documents of live consults in Redis."""

import asyncio
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as Away

from rooms.authentic import Authentic
from rooms.consult import new
from rooms.consult_events import Admit, Arrive, Event, Indicate, Indicators, Leave, PlaceRoom, Show, ShowDesk
from rooms.consult_state import Consult
from rooms.live import DOCUMENT, PART, LiveConsults, parse, room_key
from tests.vault.lost_answers import losing_an_answer
from vault.errors import DomainError

LIFE = timedelta(hours=4)
AUTHENTIC = Authentic(b"a key of the tests, of 32 bytes or so")


def stored(name: str, document: bytes) -> bytes:
    """As a node of ours writes it."""
    return AUTHENTIC.sign(room_key(name), document)


def utc_now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="module", params=["redis", "fakeredis"])
def address(request: pytest.FixtureRequest) -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="spreekkamer-test-") as folder:
        process = subprocess.Popen(
            [sys.executable, "-m", "signaling.redis_child", folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
            env={"PATH": "/usr/bin:/usr/local/bin" if request.param == "redis" else ""},
        )
        assert process.stdout
        assert process.stdin
        if process.stdout.readline().decode().strip() != request.param:
            process.kill()
            pytest.skip(f"no {request.param} here")
        yield f"{folder}/redis.sock"
        process.stdin.close()
        process.wait(5)
        process.stdout.close()


@pytest.fixture
async def redis(address: str) -> AsyncIterator[Redis]:
    client = Redis(unix_socket_path=address, driver_info=None)
    await client.flushall()
    yield client
    await client.aclose()


@pytest.fixture
def live(redis: Redis) -> LiveConsults:
    return LiveConsults(redis, utc_now, LIFE, AUTHENTIC)


async def everything(live: LiveConsults) -> list[Consult]:
    return [consult async for consult in live.running()]


def patient(page: str = "p1") -> Arrive:
    return Arrive(participant=page, seat="patient", role="patient", socket=f"socket of {page}", node="node")


def practitioner(page: str = "d1") -> Arrive:
    return Arrive(participant=page, seat="practitioner", role="practitioner", socket=f"socket of {page}", node="node")


def fresh(appointment: str = "a") -> Consult:
    return new(appointment, "owner", utc_now())


async def test_what_is_stored_is_what_is_loaded(live: LiveConsults) -> None:
    stored, _ = await live.transition("a", patient(), absent=fresh())
    assert await live.load("a") == stored
    assert await live.load_all(["a", "b"]) == {"a": stored}
    assert await everything(live) == [stored]


async def test_who_only_waits_does_not_make_a_consult_live(live: LiveConsults) -> None:
    await live.transition("a", patient(), absent=fresh())
    assert not await live.is_live("a")
    await live.transition("a", practitioner())
    assert await live.is_live("a")
    assert not await live.is_live("b")


async def test_others_have_their_turn_while_many_rooms_are_read(
    live: LiveConsults, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"appointment-{number}" for number in range(5 * PART)]
    await redis.mset({room_key(name): stored(name, DOCUMENT.dump_json(fresh(name))) for name in names})
    read: list[int] = []
    turns = 0
    again: asyncio.Handle

    def count() -> None:
        nonlocal turns, again
        turns += 1
        again = asyncio.get_running_loop().call_soon(count)

    def noted(raw: bytes | None) -> Consult | None:
        read.append(turns)
        return parse(raw)

    again = asyncio.get_running_loop().call_soon(count)
    monkeypatch.setattr("rooms.live.parse", noted)
    assert sorted(await live.load_all(names)) == sorted(names)
    again.cancel()
    assert len(read) == len(names)
    assert max(Counter(read).values()) <= PART


async def test_without_a_document_only_an_arrival_makes_one(live: LiveConsults) -> None:
    with pytest.raises(DomainError, match="bad_state"):
        await live.transition("a", Leave("p1"))
    assert await live.load("a") is None


async def test_a_refused_event_stores_nothing(live: LiveConsults, redis: Redis) -> None:
    with pytest.raises(DomainError, match="not_found"):
        await live.transition("a", Admit(practitioner(), "nobody"), absent=fresh())
    assert await redis.keys("*") == []


async def test_transitions_at_the_same_moment_all_count(live: LiveConsults) -> None:
    """More at once than Redis takes connections from one client."""
    appointments = [f"appointment-{number}" for number in range(40)]
    for one in appointments:
        await live.transition(one, patient(), absent=fresh(one))
    off, on = (Indicate("p1", Indicators(camera=camera)) for camera in (False, True))
    said: list[Event] = [off, on, practitioner()]
    await asyncio.gather(*(live.transition(one, event) for one in appointments for event in said))
    for consult in (await live.load_all(appointments)).values():
        assert len(consult.participants) == 2
    desk = await live.desk("owner")
    assert len(desk.waiting) == 40


async def test_whoever_is_always_overtaken_is_told_to_try_again(
    live: LiveConsults, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rooms.live.ATTEMPTS", 1)
    await live.transition("a", patient(), absent=fresh())
    said = [Indicate("p1", Indicators(camera=bool(number % 2))) for number in range(12)]
    codes: set[str] = set()
    for _ in range(100):  # on a busy machine nobody may be overtaken
        outcomes = await asyncio.gather(*(live.transition("a", one) for one in said), return_exceptions=True)
        assert not [one for one in outcomes if isinstance(one, BaseException) and not isinstance(one, DomainError)]
        codes |= {one.code for one in outcomes if isinstance(one, DomainError)}
        if codes:
            break
    assert codes == {"try_again"}


async def test_no_two_of_many_get_the_same_seat(live: LiveConsults) -> None:
    arrivals = [live.transition("a", patient(f"p{number}"), absent=fresh()) for number in range(12)]
    outcomes = await asyncio.gather(*arrivals, return_exceptions=True)
    refused = [one for one in outcomes if isinstance(one, DomainError)]
    assert [one.code for one in refused] == ["seat_taken"] * 11
    consult = await live.load("a")
    assert consult
    assert len(consult.participants) == 1


async def test_every_key_expires_with_the_tickets(live: LiveConsults, redis: Redis) -> None:
    await live.transition("a", patient(), absent=fresh())
    await live.transition("a", Admit(practitioner(), "p1"))
    for key in await redis.keys("*"):
        assert 0 < await redis.ttl(key) <= LIFE.total_seconds(), key


async def test_the_desk_tells_who_waits_longest_first_and_where_the_practitioner_is(live: LiveConsults) -> None:
    for appointment in ("a", "b", "c"):
        await live.transition(appointment, patient(), absent=fresh(appointment))
        await asyncio.sleep(0.002)
    before = await live.desk("owner")
    assert [one.appointment for one in before.waiting] == ["a", "b", "c"]
    assert before.in_consult is None
    await live.transition("b", Admit(practitioner(), "p1"))
    after = await live.desk("owner")
    assert [one.appointment for one in after.waiting] == ["a", "c"]
    assert after.in_consult == "b"
    assert after.version > before.version
    assert (await live.desk("another")).waiting == ()


async def test_after_the_end_nothing_is_left_but_a_number(live: LiveConsults, redis: Redis) -> None:
    await live.transition("a", patient(), absent=fresh())
    await live.transition("a", Admit(practitioner(), "p1"))
    version = (await live.desk("owner")).version
    await live.transition("a", Leave("d1"))
    assert await redis.keys("*") == [b"sk:desk:owner:version"]
    assert (await live.desk("owner")).version > version


async def test_a_room_that_all_left_keeps_its_document_so_that_old_tickets_stay_old(live: LiveConsults) -> None:
    await live.transition("a", patient(), absent=fresh())
    consult, _ = await live.transition("a", Leave("p1"))
    assert await live.load("a") == consult
    assert await everything(live) == []


async def test_versions_of_the_desk_rise_though_redis_was_emptied(live: LiveConsults, redis: Redis) -> None:
    await live.transition("a", patient(), absent=fresh())
    before = await live.desk("owner")
    await asyncio.sleep(0.01)  # a version is of a millisecond
    await redis.flushall()
    await live.transition("a", patient(), absent=fresh())
    assert (await live.desk("owner")).version > before.version


async def test_a_document_of_another_schema_counts_as_lost(live: LiveConsults, redis: Redis) -> None:
    await live.transition("a", patient(), absent=fresh())
    raw = AUTHENTIC.verified(room_key("a"), await redis.get(room_key("a")))
    assert isinstance(raw, bytes)
    assert b'"schema":1' in raw
    await redis.set(room_key("a"), stored("a", raw.replace(b'"schema":1', b'"schema":2')))
    assert await live.load("a") is None


@pytest.mark.parametrize("garbage", [b"", b"{", b"[]", b'{"schema": 2}', b'{"appointment": 1}', b"\xff"])
async def test_a_document_that_cannot_be_read_counts_as_lost(live: LiveConsults, redis: Redis, garbage: bytes) -> None:
    await live.transition("a", patient(), absent=fresh())
    await redis.set(room_key("a"), stored("a", garbage))
    assert await live.load("a") is None
    assert await everything(live) == []
    await live.transition("a", patient(), absent=fresh())
    assert len(await everything(live)) == 1


async def test_an_index_that_names_a_room_that_expired_is_put_right(live: LiveConsults, redis: Redis) -> None:
    await live.transition("a", patient(), absent=fresh())
    await redis.delete(room_key("a"))
    assert (await live.desk("owner")).waiting == ()
    assert await redis.smembers("sk:desk:owner") == set()


async def test_a_redis_that_is_away_passes() -> None:
    client = Redis(unix_socket_path="/nowhere/redis.sock", driver_info=None, retry=Retry(NoBackoff(), 0))
    live = LiveConsults(client, utc_now, LIFE, AUTHENTIC)
    for attempt in (live.load("a"), live.transition("a", patient(), absent=fresh()), live.desk("o"), everything(live)):
        with pytest.raises(DomainError, match="try_again") as refused:
            await attempt
        assert isinstance(refused.value.__cause__, Away)
    await client.aclose()


@pytest.mark.parametrize("answer", [b"WATCH", b"MULTI"])
async def test_a_change_whose_answer_was_lost_keeps_its_effects(
    address: str, live: LiveConsults, answer: bytes
) -> None:
    """redis-py 8.1.0 says WatchError when the connection breaks after EXEC was carried out."""
    await live.transition("a", patient(), absent=fresh())
    async with losing_an_answer(address, answer) as broken:
        client = Redis(unix_socket_path=broken, driver_info=None, retry=Retry(NoBackoff(), 3))
        consult, effects = await LiveConsults(client, utc_now, LIFE, AUTHENTIC).transition("a", practitioner())
        await client.aclose()
    assert await live.load("a") == consult
    assert {type(one) for one in effects} == {PlaceRoom, Show, ShowDesk}


@pytest.mark.parametrize("address", ["redis"], indirect=True)
@pytest.mark.parametrize("refused", ["watch", "mget"])
async def test_a_redis_that_refuses_one_of_two_questions_answers_the_next(
    address: str, live: LiveConsults, redis: Redis, refused: str
) -> None:
    await redis.execute_command("ACL", "SETUSER", "limited", "on", "nopass", "~*", "&*", "+@all", f"-{refused}")  # type: ignore[no-untyped-call]  # the library has no types
    client = Redis(unix_socket_path=address, username="limited", password="any", max_connections=1, driver_info=None)
    limited = LiveConsults(client, utc_now, LIFE, AUTHENTIC)
    with pytest.raises(DomainError, match="try_again"):
        await limited.transition("a", patient(), absent=fresh())
    assert await client.get("a") is None
    await redis.execute_command("ACL", "SETUSER", "limited", f"+{refused}")  # type: ignore[no-untyped-call]  # the library has no types
    made, _ = await limited.transition("a", patient(), absent=fresh())
    assert await live.load("a") == made
    await client.aclose()
