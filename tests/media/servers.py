"""A Redis of a test's own."""

import asyncio
import shutil
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError


async def start_redis(path: Path, *options: str, user: str = "") -> asyncio.subprocess.Process:
    """Start one on a Unix socket; returns when it answers."""
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program is None:
        pytest.skip("no redis-server")
    server = await asyncio.create_subprocess_exec(
        program, "--port", "0", "--unixsocket", str(path), "--save", "", "--appendonly", "no", *options,
        stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    async with asyncio.timeout(60):
        while True:
            redis = Redis.from_url(f"unix://{user}{path}", driver_info=None)
            try:
                await redis.ping()
                return server
            except RedisError:
                await asyncio.sleep(0.02)
            finally:
                await redis.aclose()
