"""A Redis that carries something out and whose answer is lost."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


@asynccontextmanager
async def losing_an_answer(address: str, to: bytes) -> AsyncIterator[str]:
    """A socket in front of Redis: the connection breaks after what holds ``to`` was carried out, once, unanswered."""
    done = False

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        redis_reader, redis_writer = await asyncio.open_unix_connection(address)
        losing = False

        async def ask() -> None:
            nonlocal done, losing
            while data := await reader.read(65_536):
                if to in data and not done:
                    done = losing = True
                redis_writer.write(data)
            redis_writer.close()

        async def answer() -> None:
            while (data := await redis_reader.read(65_536)) and not losing:
                writer.write(data)
            writer.close()

        await asyncio.gather(ask(), answer(), return_exceptions=True)

    with tempfile.TemporaryDirectory(prefix="spreekkamer-test-") as folder:
        server = await asyncio.start_unix_server(serve, f"{folder}/socket")
        try:
            yield f"{folder}/socket"
        finally:
            server.close()
