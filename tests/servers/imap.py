"""An IMAP server on loopback that says what was recorded of another: lines of ``C:``, which have to come as they stand,
and of ``S:``; ``TAG`` is whatever the client calls its command.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path


def recorded(path: Path) -> list[str]:
    return path.read_text().splitlines()


@dataclass
class Player:
    """``heard`` is all that the client said; ``done`` is whether it said all that stands there."""

    lines: Sequence[str]
    port: int = 0
    heard: list[str] = field(default_factory=list)
    done: bool = False

    async def play(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tag = ""
        with suppress(ConnectionError):
            for line in self.lines:
                who, text = line[0], line[3:]
                if who == "S":
                    writer.write(f"{text.replace('TAG', tag)}\r\n".encode())
                    continue
                said = (await reader.readline()).decode().rstrip("\r\n")
                if text.startswith("TAG "):
                    tag, _, rest = said.partition(" ")
                    said = f"TAG {rest}"
                self.heard.append(said)
                if said != text:
                    break
            else:
                self.done = True
        writer.close()


@asynccontextmanager
async def playing(lines: Sequence[str]) -> AsyncIterator[Player]:
    player = Player(lines)
    server = await asyncio.start_server(player.play, "127.0.0.1", 0)
    player.port = server.sockets[0].getsockname()[1]
    async with server:
        yield player
