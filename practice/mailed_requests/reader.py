"""Looking after what people mail about their data: by one server at a time, each mail once.

**Filed, then deleted**: a mail is deleted at the mail server when its request is on disk, and not before. Cut off
between the two it is looked at again, and is then no second request. **No attachment is fetched**: the server says what
a mail consists of, and the beginning of its texts is all that is asked for, however large it is.
"""

import asyncio
import hashlib
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final, Literal, Protocol

from practice.imap import AT_ONCE, Mailbox, NotRead, Server
from practice.mailed_requests.letters import HEADERS, MOST_HTML, MOST_PLAIN, MOST_TEXTS, Head, head, text
from practice.mailed_requests.structure import Part, Shape, Value, answers, shape
from vault.database.leases import Lease
from vault.errors import DomainError

logger = logging.getLogger(__name__)

LOOK_SECONDS: Final = 15.0
AGAIN_SECONDS: Final = 2.0
"""After a mail that could not be read: it is not to stay for a minute."""

TRIES: Final = 3
"""So often a mail's texts are asked for; then it is filed without them, and whoever sent it is asked to write again."""

WHOLE_SECONDS: Final = 100.0
MOST_HEADER: Final = 32_768
HEADER: Final = f"BODY.PEEK[HEADER.FIELDS ({' '.join(HEADERS)})]<0.{MOST_HEADER}>"

Came = Literal["filed", "stray", "unread"]
"""A mail is a request; one is a report, or what a program sent for a mail of ours; and a look for which the mailbox did
not open.
"""
CAME: Final[tuple[Came, ...]] = ("filed", "stray", "unread")


@dataclass(frozen=True)
class Mailed:
    """A mail as it is filed. ``mail`` is who it says to be from, which proves nothing; empty: nobody that mail can be
    sent to. ``attachments`` is their number, None where nobody could say; ``cut`` whether its text went on. ``once`` is
    the same whenever this mail is read. ``answered`` says whether it may be answered by a program.
    """

    mail: str = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)
    attachments: int | None
    cut: bool
    once: str = field(repr=False)
    answered: bool


class Desk(Protocol):
    """Where requests are filed."""

    @property
    def most(self) -> int:
        """Characters that a request's text may have."""

    async def file(self, mailed: Mailed) -> None:
        """It is on disk when this returns; filed before, it is not again. Errors: DomainError."""


class RequestReader:
    """``came`` counts what came, since the start of this server; ``ours`` are addresses that we send by, or read."""

    def __init__(self, mailbox: Mailbox, desk: Desk, lease: Lease, ours: Collection[str]) -> None:
        self._mailbox = mailbox
        self._desk = desk
        self._lease = lease
        self._ours = ours
        self._failed: Counter[str] = Counter()
        self.came: Counter[Came] = Counter()

    async def run(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Until cancelled. Faults are logged and tried again."""
        try:
            while True:
                more = 0
                try:
                    more = await self.round()
                except NotRead as fault:
                    logger.warning("the mailbox of requests was not read", extra={"cause": fault.step})
                except Exception:
                    logger.exception("mailed requests could not be looked after and are looked at again")
                await sleep(0 if more >= AT_ONCE else AGAIN_SECONDS if self._failed else LOOK_SECONDS)
        finally:
            with suppress(DomainError):
                await self._lease.release()

    async def round(self) -> int:
        """Look at what there is, unless another server does: how much. Errors: NotRead, DomainError."""
        if not await self._lease.take():
            return 0
        try:
            async with self._mailbox.opened(WHOLE_SECONDS) as server:
                found = await asyncio.to_thread(server.first)
                for uid in found:
                    self.came[await self._filed(server, uid)] += 1
                    await asyncio.to_thread(server.delete, uid)
                return len(found)
        except NotRead:
            self.came["unread"] += 1
            raise

    async def _filed(self, server: Server, uid: str) -> Came:
        """Errors: NotRead, DomainError."""
        parts = await asyncio.to_thread(server.fetch, uid, HEADER)
        raw = _first(_answer(parts), "BODY[HEADER")
        try:
            found = await asyncio.to_thread(head, raw, self._ours)
        except Exception:  # noqa: BLE001 -- whatever hostile bytes do to a parser, they are somebody's mail
            found = Head("", "", "", automatic=True, reply=False)
        once = hashlib.sha256(f"{server.validity}:{uid}:{found.message_id}".encode()).hexdigest()
        consists, texts = await self._read(server, uid, once)
        if found.reply or (consists is not None and consists.report):
            return "stray"
        try:
            said, cut = await asyncio.to_thread(text, texts, self._desk.most)
        except Exception:  # noqa: BLE001 -- as of the header
            said, cut = "", True
        attachments = None if consists is None else consists.attachments
        answered = bool(found.mail) and not found.automatic
        await self._file(Mailed(found.mail, found.subject, said, attachments, cut, once, answered))
        return "filed"

    async def _file(self, mailed: Mailed) -> None:
        """As it is, or, where a request cannot be that, without its words and its address: no mail keeps those behind
        it from being read. Errors: DomainError.
        """
        try:
            await self._desk.file(mailed)
        except DomainError as error:
            if error.code != "invalid":
                raise
            await self._desk.file(replace(mailed, mail="", subject="", text="", cut=True, answered=False))

    async def _read(self, server: Server, uid: str, once: str) -> tuple[Shape | None, list[tuple[Part, bytes]]]:
        """What a mail consists of, and the beginning of its texts; of one that cannot be read, nothing.

        Errors: NotRead, the first times.
        """
        if self._failed[once] >= TRIES:
            del self._failed[once]
            return None, []
        self._failed[once] += 1
        said = _answer(await asyncio.to_thread(server.fetch, uid, "BODYSTRUCTURE"))
        try:
            consists = shape(said.get("BODYSTRUCTURE"))
        except ValueError:
            consists = None
        texts = list[tuple[Part, bytes]]()
        for part in consists.texts[:MOST_TEXTS] if consists else ():
            most = MOST_HTML if part.kind == "html" else MOST_PLAIN
            fetched = await asyncio.to_thread(server.fetch, uid, f"BODY.PEEK[{part.section}]<0.{most}>")
            texts.append((part, _first(_answer(fetched), f"BODY[{part.section}]")))
        del self._failed[once]
        return consists, texts


def _answer(parts: list[object]) -> Mapping[str, Value]:
    """What a server said of the message that was asked for; nothing where it is no answer."""
    found: dict[str, Value] = {}
    try:
        for one in answers(parts):
            found.update(one)
    except ValueError:
        return {}
    return found


def _first(said: Mapping[str, Value], begins: str) -> bytes:
    value = next((one for name, one in said.items() if name.startswith(begins)), None)
    return value if isinstance(value, bytes) else b""
