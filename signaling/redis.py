"""There is always a Redis: the one at ``redis_url``, or a private one that lives and dies with this process."""

import asyncio
import logging
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import NoPermissionError, RedisError, ResponseError

from signaling.redis_child import SOCKET
from signaling.redis_faults import why
from vault.errors import StartRefused

logger = logging.getLogger(__name__)

READY_SECONDS = 12.0
STOP_SECONDS = 5.0
RESTART_SECONDS = 0.5


@dataclass(frozen=True)
class OpenRedis:
    """``url`` is for other processes and for Socket.IO's manager; ``kind`` is redis, fakeredis or external."""

    client: Redis
    url: str
    kind: str


@asynccontextmanager
async def open_redis(url: str | None) -> AsyncIterator[OpenRedis]:
    """A client of the Redis at ``url``, or of an embedded one if there is no address."""
    if url:
        client = connect(url)
        try:
            await client.ping()
            await refuse_persistence(client)
        except (RedisError, OSError) as error:
            await client.aclose()
            raise StartRefused(why(error)) from None
        except StartRefused:
            await client.aclose()
            raise
        try:
            yield OpenRedis(client, url, "external")
        finally:
            await client.aclose()
        return
    async with _embedded() as embedded:
        client = connect(embedded.url)
        try:
            yield OpenRedis(client, embedded.url, embedded.kind)
        finally:
            await client.aclose()


async def refuse_absence(client: Redis, where: str) -> None:
    """StartRefused when nothing can be asked of this Redis, whose address is in the setting ``where``."""
    try:
        await client.ping()
    except NoPermissionError:
        return  # somebody answers, and knows us
    except (RedisError, OSError) as error:
        raise StartRefused(why(error, where)) from None


async def refuse_persistence(client: Redis) -> None:
    """StartRefused when this Redis keeps data on disk: what expires in memory would stay there (S-33).

    CONFIG GET tells. Where an ACL forbids it, INFO must tell, which knows of the append-only file and of snapshots that
    were made, not of those that are planned; then a line in the log says what was not seen.
    """
    try:
        found = await client.config_get("save", "appendonly")
        on_disk = [name for name, value in found.items() if value not in ("", "no")]
    except ResponseError:
        try:
            info = await client.info("persistence")
        except ResponseError:
            raise StartRefused(
                "Redis forbids us to see whether it keeps data on disk; allow its user +config|get."
            ) from None
        on_disk = [name for name in ("aof_enabled", "rdb_saves", "rdb_bgsave_in_progress") if info.get(name)]
        logger.warning("redis does not say whether it plans to write snapshots; see to it that save is empty")
    if on_disk:
        raise StartRefused(
            "Redis keeps data on disk, where it outlives its expiry; start it with --save '' --appendonly no."
        )


@asynccontextmanager
async def _embedded() -> AsyncIterator["EmbeddedRedis"]:
    embedded = EmbeddedRedis()
    try:
        await embedded.start()
        supervisor = asyncio.create_task(embedded.supervise())
        try:
            yield embedded
        finally:
            supervisor.cancel()
            await asyncio.gather(supervisor, return_exceptions=True)
    finally:
        await embedded.close()


def connect(url: str) -> Redis:
    """A client that gives up after seconds, not never: a call that hangs would hang a person."""
    client: Redis = Redis.from_url(
        url,
        decode_responses=False,
        socket_timeout=3,  # calls to media workers wait for 2 s
        socket_connect_timeout=2,
        driver_info=None,  # else it looks its own version up on the disk for every connection
        # A connection that broke is made again; of one that does not answer nobody should wait four times as long.
        retry=Retry(ExponentialBackoff(cap=0.2, base=0.02), 3, supported_errors=(Disconnected,)),
    )
    return client


class EmbeddedRedis:
    """A private Redis in a child process, started again when it dies; what it held is then lost, as it may be."""

    def __init__(self) -> None:
        # Not in the data folder: a Unix socket's path may be 107 bytes at most.
        self.folder = Path(tempfile.mkdtemp(prefix="spreekkamer-"))
        self.url = f"unix://{quote(str(self.folder / SOCKET))}"
        self.kind = ""
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start the child and wait until it answers; ``StartRefused`` if it does not."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "signaling.redis_child", str(self.folder)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            cwd=Path(__file__).parents[1],
            start_new_session=True,  # Ctrl-C is for us; it ends when we let go of it
        )
        assert process.stdout is not None
        self._process = process
        try:
            async with asyncio.timeout(READY_SECONDS):
                self.kind = (await process.stdout.readline()).decode().strip()
        except TimeoutError:
            self.kind = ""
        if not self.kind:
            await _end(process)
            raise StartRefused("The private Redis does not start; set signaling.redis_url to one that runs.")
        logger.info("private redis started", extra={"kind": self.kind})

    async def supervise(self) -> None:
        """Start it again whenever it ends."""
        while self._process is not None:
            await self._process.wait()
            logger.error("private redis ended", extra={"exit_code": self._process.returncode})
            await asyncio.sleep(RESTART_SECONDS)
            with suppress(StartRefused):
                await self.start()

    async def close(self) -> None:
        """End the child and remove its folder; safe to call twice."""
        process, self._process = self._process, None
        if process is not None:
            await _end(process)
        shutil.rmtree(self.folder, ignore_errors=True)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Let go of the child, which then ends by itself; kill it if it does not."""
    assert process.stdin is not None
    process.stdin.close()
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
