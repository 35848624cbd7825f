"""TCP in the way: a door that can be cut, and a balancer in front of nodes, as an operator's reverse proxy is."""

import asyncio
import socket
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

import aiohttp

HEALTH_SECONDS = 1.0
"""How often the balancer asks each node whether it is ready, and how long it waits for the answer."""

Address = tuple[str, int] | str
"""Host and port, or the path of a Unix socket."""


class Pipe(asyncio.Protocol):
    """One direction of a connection; what arrives goes to ``other``."""

    def __init__(self, closed: Callable[["Pipe"], None]) -> None:
        self.transport: asyncio.Transport | None = None
        self.other: Pipe | None = None
        self.early: list[bytes] = []
        self._closed = closed

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if self.other is None or self.other.transport is None:
            self.early.append(data)
        else:
            self.other.transport.write(data)

    def connection_lost(self, _error: Exception | None) -> None:
        if self.other and self.other.transport:
            self.other.transport.abort()
        self._closed(self)

    def splice(self, other: "Pipe") -> None:
        self.other, other.other = other, self
        for pipe in (self, other):
            for data in pipe.early:
                pipe.data_received(data)
            pipe.early.clear()


async def dial(target: Address, pipe: Pipe) -> None:
    """Raises OSError."""
    loop = asyncio.get_running_loop()
    if isinstance(target, str):
        await loop.create_unix_connection(lambda: pipe, target)
    else:
        await loop.create_connection(lambda: pipe, *target)


class Splicer(ABC):
    """Accepts on a free port of loopback and splices each connection to where ``choose`` says."""

    def __init__(self) -> None:
        self.port = 0
        self._pipes: set[Pipe] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def open(self, port: int = 0, listener: socket.socket | None = None) -> None:
        """At a port of loopback, 0 for any; or at what listens already."""
        loop = asyncio.get_running_loop()
        where = {"sock": listener} if listener else {"host": "127.0.0.1", "port": port, "backlog": 1024}
        self._server = await loop.create_server(self._accept, **where)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Idempotent."""
        if self._server:
            self._server.close()
        self.abort()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def abort(self) -> None:
        for pipe in list(self._pipes):
            if pipe.transport:
                pipe.transport.abort()

    def _accept(self) -> Pipe:
        pipe = Pipe(self._pipes.discard)
        self._pipes.add(pipe)
        task = asyncio.ensure_future(self._connect(pipe))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return pipe

    @abstractmethod
    async def _connect(self, pipe: Pipe) -> None:
        """Splice a newcomer's connection to one behind."""


class Door(Splicer):
    """In front of one server. ``cut`` leaves connections hanging, as a lost cable does; ``slam`` resets them."""

    def __init__(self, target: Address) -> None:
        super().__init__()
        self._target = target
        self._open = True
        self._hanging = False

    def cut(self) -> None:
        self._open, self._hanging = False, True
        for pipe in self._pipes:
            if pipe.transport:
                pipe.transport.pause_reading()

    def slam(self) -> None:
        self._open, self._hanging = False, False
        self.abort()

    def mend(self) -> None:
        """New connections pass; those that hung are reset, as they would be by then."""
        self._open = True
        self.abort()

    async def _connect(self, pipe: Pipe) -> None:
        await asyncio.sleep(0)
        if not self._open:
            if not self._hanging and pipe.transport:
                pipe.transport.abort()
            return
        far = Pipe(self._pipes.discard)
        self._pipes.add(far)
        try:
            await dial(self._target, far)
        except OSError:
            if pipe.transport:
                pipe.transport.abort()
            return
        pipe.splice(far)


class Balancer(Splicer):
    """In front of several nodes: each connection to the ready one with the fewest, another one if that refuses.

    ``ready`` is asked of ``/health/ready`` once a second. Connections that are open stay where they are; ``where`` says
    at which node, by the port that the client has.
    """

    def __init__(self, nodes: list[int]) -> None:
        super().__init__()
        self.ready: dict[int, bool] = dict.fromkeys(nodes, False)
        self.carried: dict[int, int] = dict.fromkeys(nodes, 0)
        self.where: dict[int, int] = {}
        self._looking: list[asyncio.Task[None]] = []

    async def open(self, port: int = 0, listener: socket.socket | None = None) -> None:
        await super().open(port, listener)
        self._looking = [asyncio.create_task(self._look(node)) for node in self.ready]

    async def close(self) -> None:
        for task in self._looking:
            task.cancel()
        await asyncio.gather(*self._looking, return_exceptions=True)
        await super().close()

    async def _look(self, node: int) -> None:
        timeout = aiohttp.ClientTimeout(total=HEALTH_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while True:
                try:
                    async with session.get(f"http://127.0.0.1:{node}/health/ready") as answer:
                        self.ready[node] = answer.status == 200
                except (aiohttp.ClientError, TimeoutError, OSError):
                    self.ready[node] = False
                await asyncio.sleep(HEALTH_SECONDS)

    async def _connect(self, pipe: Pipe) -> None:
        nodes = sorted((node for node, good in self.ready.items() if good), key=lambda node: self.carried[node])
        for node in nodes:
            far = Pipe(partial(self._gone, node))
            try:
                await dial(("127.0.0.1", node), far)
            except OSError:
                continue
            self._pipes.add(far)
            self.carried[node] += 1
            if pipe.transport is None or pipe.transport.is_closing():
                assert far.transport is not None
                far.transport.abort()
            else:
                self.where[pipe.transport.get_extra_info("peername")[1]] = node
                pipe.splice(far)
            return
        with suppress(AttributeError):
            pipe.transport.abort()  # type: ignore[union-attr]  # connected

    def _gone(self, node: int, far: Pipe) -> None:
        if far in self._pipes:
            self._pipes.discard(far)
            self.carried[node] -= 1


async def eventually(condition: Callable[[], Awaitable[bool]], why: str, seconds: float) -> None:
    """TimeoutError with ``why`` when it does not become true."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not await condition():
        if asyncio.get_running_loop().time() > deadline:
            raise TimeoutError(why)
        await asyncio.sleep(0.05)
