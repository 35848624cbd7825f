"""The private Redis: of each kind, keeping nothing, gone with its parent, back when it dies."""

import asyncio
import contextlib
import os
import shutil
import signal
import stat
import sys
import textwrap
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fakeredis import FakeRedis, FakeServer
from redis.exceptions import RedisError

from signaling.redis import OpenRedis, open_redis
from signaling.redis_child import sweep
from vault.errors import StartRefused

ROOT = Path(__file__).parents[2]


@pytest.fixture(params=["redis", "fakeredis"])
async def opened(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[OpenRedis]:
    if request.param == "fakeredis":
        monkeypatch.setenv("PATH", "")
    elif not shutil.which("redis-server") and not shutil.which("valkey-server"):
        pytest.skip("no redis-server here")
    async with open_redis(None) as found:
        assert found.kind == request.param
        yield found


async def test_it_speaks_redis(opened: OpenRedis) -> None:
    client = opened.client
    assert await client.set("sk:a", "b", ex=5, nx=True)
    assert not await client.set("sk:a", "c", nx=True)
    assert await client.get("sk:a") == b"b"
    assert 0 < await client.ttl("sk:a") <= 5
    async with client.pipeline(transaction=True) as pipe:
        await pipe.watch("sk:a")
        pipe.multi()  # type: ignore[no-untyped-call]  # the library has no types
        pipe.incr("sk:n")
        assert await pipe.execute() == [1]
    await client.rpush("sk:list", "x")
    popped = await client.blpop(["sk:list"], timeout=1)
    assert popped is not None and list(popped) == [b"sk:list", b"x"]


async def test_a_message_reaches_who_listens(opened: OpenRedis) -> None:
    async with opened.client.pubsub() as listener:
        await listener.subscribe("sk:channel")
        await listener.get_message(timeout=2)
        await opened.client.publish("sk:channel", b"hello")
        message = await listener.get_message(ignore_subscribe_messages=True, timeout=2)
        assert message["data"] == b"hello"


async def test_only_this_user_can_reach_it_and_it_has_no_port(opened: OpenRedis) -> None:
    socket = Path(opened.url.removeprefix("unix://"))
    assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(socket.stat().st_mode) == 0o700


async def test_it_keeps_nothing_on_disk(opened: OpenRedis) -> None:
    if opened.kind == "redis":
        client = opened.client
        assert await client.config_get("save") == {"save": ""}
        assert await client.config_get("appendonly") == {"appendonly": "no"}
        assert await client.config_get("slowlog-max-len") == {"slowlog-max-len": "0"}
    await opened.client.set("sk:canary", "value")
    folder = Path(opened.url.removeprefix("unix://")).parent
    assert [one.name for one in folder.iterdir()] == ["redis.sock"]


async def test_it_is_gone_afterwards(opened: OpenRedis) -> None:
    folder = Path(opened.url.removeprefix("unix://")).parent
    async with open_redis(None) as other:
        inner = Path(other.url.removeprefix("unix://")).parent
        assert inner != folder
    assert not inner.exists()


async def test_one_that_dies_is_started_again_at_the_same_address(
    opened: OpenRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    await opened.client.set("sk:lost", "1")
    for pid in children(os.getpid()):
        if (
            b"redis_child" in Path(f"/proc/{pid}/cmdline").read_bytes()
            and b"spreekkamer-test" not in Path(f"/proc/{pid}/cmdline").read_bytes()
        ):
            os.kill(pid, signal.SIGKILL)
    async with asyncio.timeout(60):
        while True:
            try:
                if await opened.client.get("sk:lost") is None:
                    break
            except (RedisError, OSError):
                pass
            await asyncio.sleep(0.05)


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


async def test_it_ends_when_its_parent_is_killed(opened: OpenRedis) -> None:
    path = os.environ["PATH"]
    script = textwrap.dedent("""
        import asyncio
        from signaling.redis import open_redis
        async def main():
            async with open_redis(None) as opened:
                print(opened.url, flush=True)
                await asyncio.Event().wait()
        asyncio.run(main())
    """)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", script), stdout=asyncio.subprocess.PIPE, cwd=ROOT, env={**os.environ, "PATH": path}
    )
    assert process.stdout is not None
    folder = Path((await process.stdout.readline()).decode().strip().removeprefix("unix://")).parent
    process.kill()
    await process.communicate()
    for _ in range(200):
        if not folder.exists():
            break
        await asyncio.sleep(0.05)
    assert not folder.exists()


async def test_an_address_where_nobody_answers_refuses_the_start() -> None:
    with pytest.raises(StartRefused):
        async with open_redis("unix:///nowhere/redis.sock"):
            pass


@contextlib.asynccontextmanager
async def redis_server(tmp_path: Path, *options: str) -> AsyncIterator[str]:
    """A real server as an operator might run one."""
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program is None:
        pytest.skip("no redis-server here")
    path = f"/tmp/spreekkamer-test-{os.getpid()}.sock"
    process = await asyncio.create_subprocess_exec(
        *(program, "--port", "0", "--unixsocket", path, "--dir", str(tmp_path), "--loglevel", "warning", *options),
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(60):
            while not Path(path).exists():  # noqa: ASYNC110 -- another process
                await asyncio.sleep(0.02)
        yield path
    finally:
        process.terminate()
        await process.wait()


ACL = ("--user", "default", "off", "--user", "app", "on", "nopass", "~*", "&*", "+@all")


@pytest.mark.duty("S-33")
@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--save", "", "--appendonly", "no"), None),
        (("--save", "60 1", "--appendonly", "no"), "keeps data on disk"),
        (("--save", "", "--appendonly", "yes"), "keeps data on disk"),
        (("--appendonly", "no"), "keeps data on disk"),  # its own default writes snapshots
        (("--save", "", *ACL, "-config"), None),
        (("--save", "", "--appendonly", "yes", *ACL, "-config"), "keeps data on disk"),
        (("--save", "", *ACL, "-config", "-info"), "forbids us to see"),
        (("--save", "", *ACL, "-config", "+config|get", "-info"), None),
    ],
)
async def test_a_redis_that_writes_to_disk_is_refused(
    tmp_path: Path, options: tuple[str, ...], sentence: str | None
) -> None:
    async with redis_server(tmp_path, *options) as path:
        who = "app@" if ACL[0] in options else ""
        opening = open_redis(f"unix://{who}{path}")
        if sentence is None:
            async with opening as found:
                assert found.kind == "external"
        else:
            with pytest.raises(StartRefused, match=sentence):
                await opening.__aenter__()


async def test_one_that_does_not_start_refuses_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(StartRefused):
        async with open_redis(None):
            pass


def test_the_janitor_drops_what_has_expired() -> None:
    server = FakeServer()
    redis = FakeRedis(server=server)
    redis.set("sk:old", "1", px=1)
    redis.set("sk:new", "1", ex=100)
    import time

    time.sleep(0.01)
    assert len(server.dbs[0]._dict) == 2
    sweep(FakeRedis(server=server))
    assert len(server.dbs[0]._dict) == 1
    assert redis.get("sk:new") == b"1"
