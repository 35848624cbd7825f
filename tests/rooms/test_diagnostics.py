"""Technical data: allow-listed, in Redis only, gone 24 hours after it was taken."""

import asyncio
import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from rooms.diagnostics import LIFETIME, Diagnostics, Sample
from tests.people import START, Time
from vault.errors import DomainError

A, B = "A" * 22, "B" * 22
SAMPLE = {"candidate": "host", "transport": "udp", "rtt_ms": 20, "event": "connected"}


@pytest.fixture(scope="module")
def server() -> Iterator[Path]:
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program is None:
        pytest.skip("NOT TESTED ON REDIS: install redis-server")
    with tempfile.TemporaryDirectory(prefix="sk-redis-") as folder:
        socket = Path(folder, "socket")
        command = [program, "--port", "0", "--unixsocket", str(socket), "--save", "", "--appendonly", "no"]
        with subprocess.Popen([*command, "--dir", folder], stdout=subprocess.DEVNULL) as process:
            while not socket.exists():
                assert process.poll() is None
            yield socket
            process.terminate()


@pytest.fixture(params=["redis", "fakeredis"])
async def redis(request: pytest.FixtureRequest) -> AsyncIterator[Redis]:
    if request.param == "redis":
        client = Redis(unix_socket_path=str(request.getfixturevalue("server")))
        await client.flushall()
    else:
        import fakeredis

        client = fakeredis.FakeAsyncRedis()
        await client.set("warm", "up", px=1)  # reads its table of commands
        await client.flushall()
    yield client
    await client.aclose()


@pytest.fixture
def diagnostics(redis: Redis, time: Time) -> Diagnostics:
    return Diagnostics(redis, time.now)


async def test_a_sample_comes_back_with_when_it_was_taken(diagnostics: Diagnostics, time: Time) -> None:
    await diagnostics.record(A, "me", SAMPLE, 5_000)
    await diagnostics.record(A, "you", {"rtt_ms": 99}, 60_000)
    await diagnostics.record(B, "other", SAMPLE, 0)
    older, newer = await diagnostics.timeline(A)
    assert (older.participant, older.sample.rtt_ms) == ("you", 99)
    assert (newer.participant, newer.sample.event) == ("me", "connected")
    assert (START - newer.taken).total_seconds() == 5
    assert newer.sample == Sample.model_validate(SAMPLE)


@pytest.mark.duty("S-33")
async def test_every_key_expires_24_hours_after_its_sample_was_taken(diagnostics: Diagnostics, redis: Redis) -> None:
    for age in (0, 1, 3_600_000, LIFETIME - 5_000):
        await diagnostics.record(A, "me", SAMPLE, age)
    lives = sorted([await redis.pttl(key) for key in await redis.keys("sk:diag:*")])
    assert lives == pytest.approx([5_000, LIFETIME - 3_600_000, LIFETIME, LIFETIME], abs=2_000)
    for key in await redis.keys("*"):
        assert 0 < await redis.pttl(key) <= LIFETIME


@pytest.mark.duty("S-33")
async def test_a_later_sample_never_prolongs_an_earlier_one(diagnostics: Diagnostics, redis: Redis) -> None:
    await diagnostics.record(A, "me", SAMPLE, LIFETIME - 400)
    for _ in range(5):
        await diagnostics.record(A, "me", SAMPLE, 0)
    await asyncio.sleep(0.6)
    assert len(await diagnostics.timeline(A)) == 5


async def test_a_sample_older_than_24_hours_is_not_kept(diagnostics: Diagnostics, redis: Redis) -> None:
    await diagnostics.record(A, "me", SAMPLE, LIFETIME)
    assert await redis.keys("*") == []


@pytest.mark.duty("S-33")
async def test_expiry_is_set_in_the_same_command(
    diagnostics: Diagnostics, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[object, ...]] = []
    plain = redis.execute_command

    async def execute(*command: object, **options: object) -> object:
        sent.append(command)
        return await plain(*command, **options)  # type: ignore[no-untyped-call]  # the library has no types

    monkeypatch.setattr(redis, "execute_command", execute)
    await diagnostics.record(A, "me", SAMPLE, 0)
    assert {str(command[0]).upper() for command in sent} == {"SET"}
    assert all("PX" in command for command in sent)


@pytest.mark.parametrize(
    "sample",
    [
        {"name": "Jan"},
        {"sdp": "v=0"},
        {"link": "https://x/c#y"},
        {"rtt_ms": -1},
        {"rtt_ms": "20"},
        {"browser": "Firefox/133.0 (X11; Linux)"},
        {"browser": "Firefox 133\n"},
        {"address": "example.org"},
        {"address": "10.0.0.1; DROP"},
        {"event": "said hello"},
        {"candidate": "x" * 1000},
    ],
)
async def test_what_is_not_on_the_list_is_refused(
    diagnostics: Diagnostics, redis: Redis, sample: dict[str, object]
) -> None:
    with pytest.raises(DomainError, match="invalid"):
        await diagnostics.record(A, "me", sample, 0)
    assert await redis.keys("*") == []


@pytest.mark.parametrize(
    ("appointment", "participant"), [("*", "me"), ("a:b", "me"), ("", "me"), (A, ""), (A, "x\n"), (A, "é")]
)
async def test_ids_cannot_break_out_of_their_key(diagnostics: Diagnostics, appointment: str, participant: str) -> None:
    with pytest.raises(DomainError, match="invalid"):
        await diagnostics.record(appointment, participant, SAMPLE, 0)


async def test_a_pattern_is_no_appointment(diagnostics: Diagnostics) -> None:
    await diagnostics.record(A, "me", SAMPLE, 0)
    assert await diagnostics.timeline("*") == []
    await diagnostics.forget("*")
    assert len(await diagnostics.timeline(A)) == 1


async def test_destruction_removes_the_samples_of_that_appointment_only(diagnostics: Diagnostics, redis: Redis) -> None:
    for appointment in (A, B):
        await diagnostics.record(appointment, "me", SAMPLE, 0)
    await diagnostics.forget(A)
    await diagnostics.forget(A)
    assert await diagnostics.timeline(A) == []
    assert len(await diagnostics.timeline(B)) == 1
    assert not [key for key in await redis.keys("*") if A.encode() in key]


async def test_keys_that_would_live_too_long_are_removed(
    diagnostics: Diagnostics, redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    await diagnostics.record(A, "me", SAMPLE, 0)
    assert await diagnostics.tidy() == 0
    await redis.set(f"sk:diag:{A}:me:1:x", "{}")
    await redis.set(f"sk:diag:{A}:me:2:x", "{}", px=LIFETIME * 2)
    await redis.set("sk:other", "stays")
    assert await diagnostics.tidy() == 2
    assert "without a right expiry" in caplog.text
    assert len(await diagnostics.timeline(A)) == 1
    assert await redis.get("sk:other") == b"stays"


async def test_addresses_have_one_form(diagnostics: Diagnostics) -> None:
    await diagnostics.record(A, "me", {"address": "2001:DB8:0:0::1"}, 0)
    assert (await diagnostics.timeline(A))[0].sample.address == "2001:db8::1"


async def test_without_redis_the_answer_is_try_again() -> None:
    client = Redis(unix_socket_path="/nonexistent/socket", retry=Retry(NoBackoff(), 0))
    diagnostics = Diagnostics(client, lambda: START)
    for call in (
        diagnostics.record(A, "me", SAMPLE, 0),
        diagnostics.timeline(A),
        diagnostics.forget(A),
        diagnostics.tidy(),
    ):
        with pytest.raises(DomainError, match="try_again"):
            await call
    await client.aclose()


@given(st.dictionaries(st.text(max_size=12), st.text(max_size=12) | st.integers() | st.none(), max_size=5))
def test_no_unknown_field_is_ever_accepted(fields: dict[str, object]) -> None:
    with contextlib.suppress(ValueError):
        assert set(Sample.model_validate(fields).model_dump(exclude_unset=True)) <= set(Sample.model_fields)
        assert set(fields) <= set(Sample.model_fields)


async def test_a_sample_that_expires_while_it_is_looked_for_is_left_out(
    diagnostics: Diagnostics, monkeypatch: pytest.MonkeyPatch
) -> None:
    await diagnostics.record(A, "me", SAMPLE, 0)
    plain = diagnostics._keys

    async def gone_by_then(appointment: str) -> AsyncIterator[bytes]:
        async for key in plain(appointment):
            yield key.replace(b":me:", b":you:")
            yield key

    monkeypatch.setattr(diagnostics, "_keys", gone_by_then)
    assert [one.participant for one in await diagnostics.timeline(A)] == ["me"]
