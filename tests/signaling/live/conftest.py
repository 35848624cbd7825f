"""A Redis of each kind, storage, a node, a worker."""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from practice.agenda.model import Appointment
from practice.storage import Store
from signaling.redis import connect
from signaling.sockets.limits import Limits
from tests.opening import open_store
from tests.signaling.live.cast import EVERYBODY, Node, Practice, Worker, appoint, open_node
from vault.settings import VaultSettings

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def redis_of() -> Iterator[Callable[[str], str]]:
    """The address of a Redis of a kind, started when first asked for."""
    started: dict[str, tuple[subprocess.Popen[bytes], str]] = {}
    folders: list[tempfile.TemporaryDirectory[str]] = []

    def start(kind: str) -> str:
        if kind not in started:
            folder = tempfile.TemporaryDirectory(prefix="spreekkamer-test-")
            folders.append(folder)
            environment = {"PATH": os.environ["PATH"] if kind == "redis" else ""}
            process = subprocess.Popen(
                [sys.executable, "-m", "signaling.redis_child", folder.name],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                cwd=ROOT,
                env=environment,
            )
            assert process.stdout
            line = process.stdout.readline().decode().strip()
            if line != kind:
                process.kill()
                pytest.skip(f"no {kind} here")
            started[kind] = process, f"unix://{folder.name}/redis.sock"
        return started[kind][1]

    yield start
    for process, _ in started.values():
        assert process.stdin
        assert process.stdout
        process.stdin.close()
        process.wait(5)
        process.stdout.close()
    for folder in folders:
        folder.cleanup()


@pytest.fixture(autouse=True)
async def everybody_goes_home() -> AsyncIterator[None]:
    yield
    while EVERYBODY:
        await EVERYBODY.pop().go_home()


@pytest.fixture
async def redis_url(redis_of: Callable[[str], str], request: pytest.FixtureRequest) -> str:
    """An empty Redis; ``@pytest.mark.parametrize("redis_url", [...], indirect=True)`` chooses the kind."""
    url = redis_of(getattr(request, "param", "redis"))
    client = connect(url)
    await client.flushall()
    await client.aclose()
    return url


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, Appointment]:
    """A data folder with one practitioner and one appointment, made once."""
    data = tmp_path_factory.mktemp("furnished") / "data"

    async def furnish() -> tuple[str, Appointment]:
        async with open_store(VaultSettings(data=data, trust_clock=True)) as store:
            practitioner = await store.practitioners.add("alice@example.org", "correct horse battery", "A.", "nl")
            return practitioner.id, await appoint(store, practitioner.id)

    return data, *asyncio.run(furnish())


@pytest.fixture
def copied(furnished: tuple[Path, str, Appointment], tmp_path: Path) -> VaultSettings:
    """A copy of it. Made where no loop runs: every call that touches a file is looked into there."""
    data = tmp_path / "data"
    shutil.copytree(furnished[0], data, ignore=shutil.ignore_patterns("*.lock"))
    return VaultSettings(data=data, trust_clock=True)


@pytest.fixture
async def store(copied: VaultSettings) -> AsyncIterator[Store]:
    async with open_store(copied) as opened:
        yield opened


@pytest.fixture
def practice(store: Store, furnished: tuple[Path, str, Appointment]) -> Practice:
    return Practice(store, furnished[1], furnished[2])


@pytest.fixture
async def nodes(redis_url: str, store: Store) -> AsyncIterator[Callable[..., object]]:
    async with AsyncExitStack() as stack:

        async def start(limits: Limits | None = None, *, native: bool = False, **more: Any) -> Node:
            return await stack.enter_async_context(open_node(redis_url, store, limits=limits, native=native, **more))

        yield start


@pytest.fixture
async def node(nodes: Callable[..., Awaitable[Node]]) -> Node:
    return await nodes()


@pytest.fixture
async def workers(redis_url: str) -> AsyncIterator[Callable[[str], Awaitable[Worker]]]:
    started: list[Worker] = []

    async def start(name: str = "worker-1") -> Worker:
        worker = Worker(redis_url, name)
        await worker.start()
        started.append(worker)
        return worker

    yield start
    for worker in started:
        await worker.die()


@pytest.fixture
async def worker(workers: Callable[[str], Awaitable[Worker]]) -> Worker:
    return await workers("worker-1")
