"""Technical data in a real Redis: every key of it ends within 24 hours of when its sample was taken."""

import asyncio
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from rooms.diagnostics import Diagnostics
from signaling.redis import connect
from signaling.redis_child import SOCKET
from tests.prove.figures import Figure, Size

DAY = 86_400_000
SAMPLE = {"browser": "Firefox 133", "device": "phone", "address": "203.0.113.7", "rtt_ms": 40}


def prove(size: Size) -> list[Figure]:
    """Samples of all ages, written again and again for the same people."""
    with tempfile.TemporaryDirectory(prefix="prove-") as folder:
        command = [sys.executable, "-m", "signaling.redis_child", folder]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
            assert child.stdin is not None
            assert child.stdout is not None
            child.stdout.readline()
            try:
                right, keys, longest = asyncio.run(fill(size, f"unix://{Path(folder, SOCKET)}"))
            finally:
                child.stdin.close()
                child.wait(5)
    reached = f"{100 * right / keys:.2f} % of {keys:,} keys; longest {longest / 1000:,.0f} s"
    return [Figure("diagnostics keys with 0 < TTL ≤ 86,400 s", "100 %", reached, right == keys > 0)]


async def fill(size: Size, url: str) -> tuple[int, int, int]:
    """How many keys are right, how many there are, and the longest time to live in milliseconds."""
    redis = connect(url)
    diagnostics = Diagnostics(redis, lambda: datetime.now(UTC))
    samples = size.choose(20_000, 300)
    for number in range(samples):
        age = size.random.choice([0, size.random.randrange(DAY), size.random.randrange(DAY)])
        await diagnostics.record(f"appointment-{number % 50}", f"participant-{number % 7}", SAMPLE, age)
    lives = [await redis.pttl(key) async for key in redis.scan_iter(match="sk:diag*", count=1000)]
    await redis.aclose()
    return sum(0 < life <= DAY for life in lives), len(lives), max(lives)
