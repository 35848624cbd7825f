#!/bin/sh
# redis-py 8.1.0, asyncio, as it comes: a command whose answer was lost with the connection is sent again, whatever it does.
#
# What one would think: a broken connection raises ConnectionError, and who asked decides; at most reads are tried again.
# Instead the default `Retry(…, 3)` repeats writes, blocks of MULTI/EXEC included, and nobody is told. Seen, with one
# connection cut after the server had carried the command out and before its answer came:
#   INCR gives 2, MULTI/INCR/RPUSH/EXEC is carried out twice (2, and two entries), LPOP loses an element;
#   SET NX says None and `lock()` False to the very one who now holds the key, so that nobody works until it expires;
#   under WATCH the block is not repeated, but called a WatchError, which says that nothing was carried out: who then tries
#   again, as one does, counts twice too.
# With `Retry(NoBackoff(), 0)` nothing is repeated and each raises ConnectionError; under WATCH it stays a WatchError.
#
# Needs python3 with venv, and redis-server (seen with 7.0.15; it only stores).
set -eu
command -v redis-server >/dev/null || { echo 'needs redis-server' >&2; exit 2; }
folder=$(mktemp -d)
server=''
trap '[ -z "$server" ] || { kill "$server"; wait "$server" || true; }; rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check redis==8.1.0
redis-server --port 0 --unixsocket "$folder/redis" --save '' --appendonly no >/dev/null &
server=$!
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import asyncio
import contextlib
import importlib.metadata
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

REAL, CUT = f"{sys.argv[1]}/redis", f"{sys.argv[1]}/cut"


class Cutter:
    """Passes everything on, and once, when a command with this word was answered, closes instead of passing the answer."""

    def __init__(self) -> None:
        self.word: bytes | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, commands = await asyncio.open_unix_connection(REAL)
        cut = False

        async def there() -> None:
            nonlocal cut
            while data := await reader.read(65536):
                if self.word and self.word in data:
                    self.word, cut = None, True
                commands.write(data)
            commands.close()

        async def back() -> None:
            while data := await answers.read(65536):
                if cut:
                    break
                writer.write(data)
            writer.close()

        await asyncio.gather(there(), back(), return_exceptions=True)


async def block(client: Redis) -> Any:
    async with client.pipeline(transaction=True) as pipe:
        pipe.incr("n")
        pipe.rpush("list", "entry")
        return await pipe.execute()


async def watched(client: Redis) -> Any:
    async with client.pipeline(transaction=True) as pipe:
        await pipe.watch("n")
        pipe.multi()
        pipe.incr("n")
        return await pipe.execute()


ATTEMPTS: dict[str, tuple[bytes, Callable[[Redis], Awaitable[Any]]]] = {
    "INCR": (b"INCR", lambda client: client.incr("n")),
    "MULTI": (b"MULTI", block),
    "WATCH": (b"MULTI", watched),
    "LPOP": (b"LPOP", lambda client: client.lpop("queue")),
    "SET NX": (b"held", lambda client: client.set("held", "mine", nx=True, ex=30)),
    "lock()": (b"held", lambda client: client.lock("held", timeout=30, blocking=False).acquire()),
}


async def attempt(cutter: Cutter, name: str, options: dict[str, Any]) -> tuple[str, str]:
    """What the caller is told, and what the server then has."""
    word, act = ATTEMPTS[name]
    direct = Redis(unix_socket_path=REAL, decode_responses=True)
    client = Redis(unix_socket_path=CUT, decode_responses=True, **options)
    await direct.flushall()
    await direct.rpush("queue", "first", "second")
    await client.ping()
    cutter.word = word
    try:
        told = str(await act(client))
    except RedisError as error:
        told = type(error).__name__
    state = (await direct.get("n"), await direct.llen("list"), await direct.lrange("queue", 0, -1), await direct.exists("held"))
    await client.aclose()
    await direct.aclose()
    return told, str(state)


async def main() -> int:
    for _ in range(100):
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_unix_connection(REAL)
            writer.close()
            break
        await asyncio.sleep(0.1)
    cutter = Cutter()
    async with await asyncio.start_unix_server(cutter.serve, CUT):
        as_it_comes = {name: await attempt(cutter, name, {}) for name in ATTEMPTS}
        once = {name: await attempt(cutter, name, {"retry": Retry(NoBackoff(), 0)}) for name in ATTEMPTS}
    print(f"redis-py {importlib.metadata.version('redis')}; told | (n, entries, queue, held):")
    for name in ATTEMPTS:
        print(f"  {name}: as it comes {' | '.join(as_it_comes[name])}; without retries {' | '.join(once[name])}")
    told = {name: result for name, (result, _) in as_it_comes.items()}
    expected = {"INCR": "2", "MULTI": "[2, 2]", "WATCH": "WatchError", "LPOP": "second", "SET NX": "None", "lock()": "False"}
    unsent = {name: "WatchError" if name == "WATCH" else "ConnectionError" for name in ATTEMPTS}
    return 0 if told == expected and {name: result for name, (result, _) in once.items()} == unsent else 1


sys.exit(asyncio.run(main()))
PYTHON
