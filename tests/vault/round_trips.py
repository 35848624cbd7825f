"""Round trips to a PostgreSQL or a Redis, counted on the wire by who stands in between."""

import socket
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

READY_FOR_QUERY = ord("Z")
HEADER = 5
PING = b"\r\nPING\r\n"


class Counted:
    """``trips`` counts what was asked and answered, on all connections together."""

    def __init__(self) -> None:
        self.trips = 0
        self._lock = threading.Lock()

    def one_more(self) -> None:
        with self._lock:
            self.trips += 1


class Answers:
    """PostgreSQL's side of a connection: each ReadyForQuery ends one round trip (protocol 3.2, 54.2.2.1)."""

    def __init__(self, counted: Counted) -> None:
        self._counted = counted
        self._rest = b""

    def asked(self, _data: bytes) -> None:
        """Nothing to note."""

    def answered(self, data: bytes) -> None:
        buffer = self._rest + data
        while len(buffer) >= HEADER:
            length = 1 + int.from_bytes(buffer[1:HEADER], "big")
            if len(buffer) < length:
                break
            if buffer[0] == READY_FOR_QUERY:
                self._counted.one_more()
            buffer = buffer[length:]
        self._rest = buffer


class Turns:
    """Redis's side: what is asked before anything was answered belongs to the same round trip."""

    def __init__(self, counted: Counted) -> None:
        self._counted = counted
        self._waiting = False

    def asked(self, data: bytes) -> None:
        if PING in data:  # of a subscription that was silent for a while
            return
        if not self._waiting:
            self._counted.one_more()
        self._waiting = True

    def answered(self, _data: bytes) -> None:
        self._waiting = False


@contextmanager
def before_postgres(folder: Path) -> Iterator[tuple[Path, Counted]]:
    """Another folder for the same server's socket, and what goes through it."""
    with tempfile.TemporaryDirectory(prefix="spreekkamer-count-") as place:
        counted = Counted()
        with _between(Path(place, ".s.PGSQL.5432"), folder / ".s.PGSQL.5432", lambda: Answers(counted)):
            yield Path(place), counted


def counting(url: str, place: Path) -> str:
    """The same database by way of ``before_postgres``."""
    return f"{url.partition('?')[0]}?host={place}"


@contextmanager
def before_redis(path: Path) -> Iterator[tuple[Path, Counted]]:
    """Another socket of the same server, and what goes through it."""
    with tempfile.TemporaryDirectory(prefix="spreekkamer-count-") as place:
        counted = Counted()
        with _between(Path(place, "redis"), path, lambda: Turns(counted)):
            yield Path(place, "redis"), counted


@contextmanager
def _between(here: Path, there: Path, side: Callable[[], Answers | Turns]) -> Iterator[None]:
    """In threads: whoever is counted may hold up the test's loop."""
    with ExitStack() as stack:
        threads: list[threading.Thread] = []
        stack.callback(ended, threads)
        listener = stack.enter_context(socket.socket(socket.AF_UNIX))
        listener.bind(str(here))
        listener.listen()

        def run(work: Callable[[], None]) -> None:
            threads.append(threading.Thread(target=work, daemon=True))
            threads[-1].start()

        def accept() -> None:
            with suppress(OSError):
                while True:
                    client, behind = listener.accept()[0], socket.socket(socket.AF_UNIX)
                    for one in (client, behind):
                        stack.callback(one.close)
                        stack.callback(shut, one)
                    behind.connect(str(there))
                    counting = side()
                    run(partial(pump, client, behind, counting.asked))
                    run(partial(pump, behind, client, counting.answered))

        run(accept)
        try:
            yield
        finally:
            shut(listener)
            threads[0].join(30)


def ended(threads: Sequence[threading.Thread]) -> None:
    for thread in threads:
        thread.join(30)


def pump(source: socket.socket, target: socket.socket, note: Callable[[bytes], None]) -> None:
    """One direction, until either side closes; then both do."""
    with suppress(OSError):
        while data := source.recv(1 << 16):
            note(data)
            target.sendall(data)
    for one in (source, target):
        shut(one)


def shut(one: socket.socket) -> None:
    """Whoever waits for it is told."""
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
