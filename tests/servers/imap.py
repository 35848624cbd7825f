"""IMAP servers on loopback that say what Dovecot was recorded to say.

``Player`` plays one exchange: lines of ``C:``, which have to come as they stand, and of ``S:``; ``TAG`` is whatever the
client calls its command. ``Box`` answers as those do, of whatever messages are put into it.
"""

import asyncio
import base64
import re
import ssl
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final, Protocol

from pydantic import SecretStr

from practice.settings import BounceSettings, RequestMailboxSettings
from tests.servers.certified import certified
from tests.servers.structure import section, structure

USER, PASSWORD, ADDRESS = "bounces", "a-password-of-the-mailbox", "bounces@example.org"
PART: Final = re.compile(r"\(BODY\.PEEK\[(?P<section>[A-Z0-9.]+(?: \([^)]*\))?)\]<0\.(?P<most>\d+)>\)")
KNOWN: Final = "IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ AUTH=PLAIN"


class Inbox(Protocol):
    """A mailbox that messages come into."""

    def settings(self) -> BounceSettings:
        """That name it."""

    def put(self, raw: bytes) -> None:
        """One arrives."""

    @property
    def left(self) -> int:
        """How many there are."""


def settings(port: int, authority: Path) -> BounceSettings:
    return BounceSettings(
        address=ADDRESS, host="localhost", port=port, user=USER, password=SecretStr(PASSWORD), ca_file=authority
    )


def requests_settings(port: int, authority: Path) -> RequestMailboxSettings:
    return RequestMailboxSettings(
        address="privacy@example.org",
        host="localhost",
        port=port,
        user=USER,
        password=SecretStr(PASSWORD),
        ca_file=authority,
    )


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


@dataclass
class Box:
    """One mailbox, over TLS."""

    port: int
    authority: Path
    messages: dict[int, bytes] = field(default_factory=dict)
    marked: set[int] = field(default_factory=set)
    last: int = 0
    given: list[bytes] = field(default_factory=list)
    """What was given of parts of messages."""

    def settings(self) -> BounceSettings:
        return settings(self.port, self.authority)

    def put(self, raw: bytes) -> None:
        self.last += 1
        self.messages[self.last] = raw

    @property
    def left(self) -> int:
        return len(self.messages)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"* OK [CAPABILITY {KNOWN}] Dovecot ready.\r\n".encode())
        with suppress(ConnectionError, ssl.SSLError):
            while line := await reader.readline():
                tag, _, command = line.decode().strip().partition(" ")
                if command == "AUTHENTICATE PLAIN":
                    writer.write(b"+ \r\n")
                    said = base64.b64decode(await reader.readline()).decode()
                    right = said == f"\0{USER}\0{PASSWORD}"
                    end = "OK Logged in" if right else "NO [AUTHENTICATIONFAILED] Authentication failed."
                    writer.write(f"{tag} {end}\r\n".encode())
                    continue
                for answer in self._answers(command):
                    writer.write(answer + b"\r\n")
                writer.write(f"{tag} OK {command.split()[0]} completed.\r\n".encode())
                await writer.drain()
                if command == "LOGOUT":
                    break
        writer.close()

    def _answers(self, command: str) -> Iterator[bytes]:
        match command.split():
            case ["CAPABILITY"]:
                yield f"* CAPABILITY {KNOWN}".encode()
            case ["SELECT", "INBOX"]:
                yield b"* %d EXISTS" % self.left
                yield b"* OK [UIDVALIDITY 1796065393] UIDs valid"
            case ["UID", "SEARCH", places]:
                begin, end = map(int, places.split(":"))
                found = islice(self.messages, begin - 1, end)
                yield b" ".join([b"* SEARCH", *(b"%d" % one for one in found)])
            case ["UID", "FETCH", uid, "(BODYSTRUCTURE)"]:
                yield b"* 1 FETCH (UID %s BODYSTRUCTURE %s)" % (uid.encode(), structure(self.messages[int(uid)]))
            case ["UID", "FETCH", uid, *what] if part := PART.fullmatch(" ".join(what)):
                first = section(self.messages[int(uid)], part["section"])[: int(part["most"])]
                self.given.append(first)
                yield b"* 1 FETCH (UID %s BODY[%s]<0> {%d}\r\n%s)" % (
                    *(uid.encode(), part["section"].encode(), len(first), first),
                )
            case ["UID", "FETCH", uid, part]:
                first = self.messages[int(uid)][: int(part.removesuffix(">)").rpartition(".")[2])]
                yield b"* %d FETCH (UID %s BODY[]<0> {%d}\r\n%s)" % (1, uid.encode(), len(first), first)
            case ["UID", "STORE", uid, *_]:
                self.marked.add(int(uid))
            case ["EXPUNGE"]:
                for one in self.marked & self.messages.keys():
                    del self.messages[one]
                    yield b"* 1 EXPUNGE"
            case ["LOGOUT"]:
                yield b"* BYE Logging out"
            case _:
                raise AssertionError(command)


@asynccontextmanager
async def box(folder: Path) -> AsyncIterator[Box]:
    context, authority = certified(folder, "imap")
    found = Box(0, authority)
    server = await asyncio.start_server(found.serve, "127.0.0.1", 0, ssl=context)
    found.port = server.sockets[0].getsockname()[1]
    async with server:
        yield found
