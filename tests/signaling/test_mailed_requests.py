"""What people mail about their data: filed, then deleted at the mail server; its attachments are nowhere, ever."""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from redis.exceptions import ConnectionError as Away

from operate.doctor import mailboxes
from practice.imap import NotRead
from practice.imap import Server as Imap
from practice.mailed_requests import reader as readers
from practice.mailed_requests.reader import RequestReader
from practice.outgoing import Door
from practice.requests.model import MOST, Request
from practice.requests.records import REQUESTS
from practice.settings import PracticeSettings, RequestMailboxSettings, RequestSettings
from signaling import mailed_requests
from signaling.limiter import REQUEST_ANSWERS_ALL
from signaling.typedefs import LIMITER, POSTMAN
from tests.organisations import OPERATOR, PRACTICE
from tests.servers import imap
from tests.servers.dovecot import dovecot
from tests.servers.imap import Inbox, requests_settings
from tests.servers.mail import MailServer, running
from tests.signaling.conftest import Server
from vault.errors import DomainError

SENDER = "jan@example.net"
BOXES = [imap.box, *([dovecot] if os.environ.get("PROVE") else [])]


def letter(text: str = "Please tell me what you have about me.", sender: str = SENDER, **headers: str) -> EmailMessage:
    made = EmailMessage()
    made["Return-Path"], made["From"], made["Subject"] = f"<{sender}>", sender, "My data"
    made["Message-ID"] = f"<{secrets.token_hex(8)}@example.net>"
    for name, value in headers.items():
        del made[name.replace("_", "-")]
        made[name.replace("_", "-")] = value
    made.set_content(text)
    return made


def enclosed(canary: bytes, *, size: int = 40_000) -> bytes:
    """A mail with an attachment that is full of a word."""
    made = letter()
    made.add_attachment(canary * (size // len(canary)), maintype="image", subtype="jpeg", filename="passport.jpg")
    return made.as_bytes()


@pytest.fixture(params=BOXES, ids=[one.__name__ for one in BOXES])
async def box(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Inbox]:
    folder = tmp_path / "imap"
    folder.mkdir()
    async with request.param(folder) as found:
        yield found


@pytest.fixture
async def mail(tmp_path: Path) -> AsyncIterator[MailServer]:
    async with running(tmp_path) as found:
        yield found


@pytest.fixture
def server_practice(box: Any, mail: MailServer) -> PracticeSettings:
    requests = RequestSettings(mailbox=requests_settings(box.port, box.authority))
    return mail.settings().model_copy(update={"requests": requests})


@dataclass
class Mailed:
    """A server that reads a mailbox."""

    server: Server
    box: Any
    mail: MailServer
    settings: PracticeSettings

    def reader(self, **changes: Any) -> RequestReader:
        """Another one, of which a test says when it looks."""
        box = RequestMailboxSettings(**(dict(self.settings.requests.mailbox) | changes))
        settings = self.settings.model_copy(update={"requests": RequestSettings(mailbox=box)})
        app = self.server.app
        made = mailed_requests.reader(self.server.store, settings, Door.of(settings), app[LIMITER])
        assert made is not None
        made._lease.name = "of-a-test"
        return made

    async def came(self, *raws: bytes | EmailMessage) -> dict[str, int]:
        for one in raws:
            self.box.put(one.as_bytes() if isinstance(one, EmailMessage) else one)
        reader = self.reader()
        await reader.round()
        return {str(name): number for name, number in reader.came.items()}

    async def filed(self) -> list[Request]:
        store = self.server.store
        opened = await store.requests._reader.open(REQUESTS, await store.database.ask(REQUESTS.living()))
        assert not opened.damaged
        return sorted(opened.living, key=lambda one: one.asked)

    async def told(self) -> list[tuple[str, str]]:
        """Who is answered, and by which words."""
        return [(one.news.to, one.news.word) for one in await self.server.store.notices.waiting()]


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """No server looks by itself."""

    async def waits(_: RequestReader) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(RequestReader, "run", waits)


@pytest.fixture
async def mailed(
    still: None,
    server: Server,
    box: Inbox,
    mail: MailServer,
    server_practice: PracticeSettings,
    monkeypatch: pytest.MonkeyPatch,
) -> Mailed:
    """No answer is sent."""
    server.store.notices.on = True
    await server.store.organisation.establish(OPERATOR, PRACTICE)
    postman = server.app[POSTMAN]
    assert postman is not None
    monkeypatch.setattr(postman._lease, "take", never)
    return Mailed(server, box, mail, server_practice)


async def never() -> bool:
    return False


# --- what becomes of a mail -------------------------------------------------------------------------------------------


@pytest.mark.duty("S-47")
async def test_a_mail_is_a_request_and_is_deleted_where_it_was(mailed: Mailed) -> None:
    assert await mailed.came(letter()) == {"filed": 1}
    (one,) = await mailed.filed()
    assert (one.what, one.way, one.mail, one.proven, one.enclosed, one.cut) == (
        *("unspecified", "mailbox", SENDER, "", 0, False),
    )
    assert one.text == "My data\n\nPlease tell me what you have about me."
    assert mailed.box.left == 0
    assert await mailed.told() == [(SENDER, "request-mailed")]


@pytest.mark.duty("S-47")
async def test_attachments_are_told_of_by_their_number_and_the_answer_names_the_page_that_masks(mailed: Mailed) -> None:
    canary = secrets.token_hex(16).encode()
    assert await mailed.came(enclosed(canary)) == {"filed": 1}
    (one,) = await mailed.filed()
    assert (one.enclosed, "passport" in one.text) == (1, False)
    assert await mailed.told() == [(SENDER, "request-enclosed")]
    (notice,) = await mailed.server.store.notices.waiting()
    postman = mailed.server.app[POSTMAN]
    assert postman is not None
    _, raw = postman._head.letter(notice, mailed.server.time.now())
    said = message_from_bytes(raw).get_payload(decode=True)
    assert isinstance(said, bytes)
    assert f"/identity/{mailed.server.store.requests.token(one.seed)}".encode() in said
    assert SENDER.encode() not in said and b"My data" not in said, "it discloses nothing"


async def test_twice_the_same_is_one_request_and_one_answer(mailed: Mailed) -> None:
    await mailed.came(letter(), letter())
    assert (len(await mailed.filed()), len(await mailed.told()), mailed.box.left) == (1, 1, 0)


@pytest.mark.duty("S-47")
async def test_who_writes_often_is_answered_once_a_day(mailed: Mailed) -> None:
    await mailed.came(
        letter("one"), letter("two", sender="JAN@example.net"), letter("three", sender="piet@example.net")
    )
    assert len(await mailed.filed()) == 3
    assert sorted(await mailed.told()) == [(SENDER, "request-mailed"), ("piet@example.net", "request-mailed")]
    mailed.server.time.ahead += timedelta(days=1, seconds=1)
    await mailed.came(letter("four"))
    assert [to for to, _ in await mailed.told()].count(SENDER) == 2


async def test_whom_forged_senders_name_is_not_all_answered(mailed: Mailed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailed_requests, "REQUEST_ANSWERS_ALL", replace(REQUEST_ANSWERS_ALL, burst=3))
    await mailed.came(*(letter(sender=f"victim{one}@example.net") for one in range(5)))
    assert (len(await mailed.filed()), len(await mailed.told())) == (5, 3)
    mailed.server.time.ahead += timedelta(seconds=REQUEST_ANSWERS_ALL.seconds + 1)
    await mailed.came(letter("again", sender="victim4@example.net"), letter("again", sender="victim3@example.net"))
    assert len(await mailed.told()) == 4, "who was not answered may be later"


@pytest.mark.duty("S-47")
async def test_what_a_program_sent_is_filed_and_answered_by_none(mailed: Mailed) -> None:
    automatic = [
        letter("a", Auto_Submitted="auto-generated"),
        letter("b", Precedence="bulk"),
        letter("c", List_Id="<x.example.net>"),
        letter("d", Return_Path="<>"),
        letter("e", sender="privacy@example.org"),
        letter("f", sender="noreply@example.net"),
    ]
    assert await mailed.came(*automatic) == {"filed": len(automatic)}
    assert (await mailed.told(), mailed.box.left) == ([], 0)


async def test_a_report_and_an_answer_of_a_programs_are_no_requests(mailed: Mailed) -> None:
    report = letter()
    report.make_mixed()
    report.replace_header("Content-Type", 'multipart/report; report-type=delivery-status; boundary="x"')
    assert await mailed.came(letter(Auto_Submitted="auto-replied"), report) == {"stray": 2}
    assert (await mailed.filed(), await mailed.told(), mailed.box.left) == ([], [], 0)


async def test_each_strange_mail_has_one_outcome(mailed: Mailed) -> None:
    head = f"From: {SENDER}\r\nReturn-Path: <{SENDER}>\r\n".encode()
    deep = b"".join(b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (one, one) for one in range(10))
    strange = {
        "nested ten deep": head + deep + b"\r\nat the bottom\r\n",
        "no body": head + b"Subject: nothing\r\n\r\n",
        "no subject": head + b"\r\nonly this\r\n",
        "nobody": b"Subject: x\r\n\r\nwho am I\r\n",
        "bytes": head + b"\r\n" + bytes(range(256)) * 20,
        "long": head + b"\r\n" + b"word " * 5000,
        "html": head + b"Content-Type: text/html\r\n\r\n<p>Hello<script>alert(1)</script></p>",
    }
    assert await mailed.came(*strange.values()) == {"filed": len(strange)}
    texts = {one.text: one for one in await mailed.filed()}
    assert {"at the bottom", "nothing", "only this", "x\n\nwho am I", "Hello"} <= texts.keys()
    assert texts["x\n\nwho am I"].mail == ""
    (long,) = [one for one in texts.values() if one.text.startswith("word word")]
    assert long.cut and len(long.text) <= MOST
    assert mailed.box.left == 0


async def test_no_mail_keeps_those_behind_it_from_being_read(mailed: Mailed) -> None:
    unseen = "\u115f"
    local = f"{'a' * 60}@{'b' * 60}.{'c' * 60}.{'d' * 60}.{'e' * 30}.example"
    strange = letter("too long to answer", sender=local, Return_Path=f"<{SENDER}>")
    family = letter("of no character set").as_bytes().replace(b"utf-8", b"iso-8859-99")
    assert len(local) > 254 and b"iso-8859-99" in family
    hidden = letter("behind what is not seen", Subject=f"{unseen * 200}x"), letter(f"a\n{unseen * MOST}x")
    assert await mailed.came(*hidden, strange, family, letter("the last")) == {"filed": 5}
    texts = {one.text: one.mail for one in await mailed.filed()}
    assert texts == {
        "behind what is not seen": SENDER,
        "My data\n\na": SENDER,
        "My data\n\ntoo long to answer": "",
        "My data\n\nof no character set": SENDER,
        "My data\n\nthe last": SENDER,
    }
    assert mailed.box.left == 0


async def test_what_no_request_can_say_is_filed_without_its_words(
    mailed: Mailed, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as changed:
        changed.setattr("practice.mailed_requests.filing.beginning", lambda said, _: said and f"{said}\n\u115f")
        assert await mailed.came(letter()) == {"filed": 1}
    (one,) = await mailed.filed()
    assert (one.text, one.mail, one.cut, mailed.box.left, await mailed.told()) == ("", "", True, 0, [])


async def test_a_mail_of_50_mb_is_never_fetched_whole(mailed: Mailed) -> None:
    made = letter().as_bytes()
    head, _, body = made.partition(b"\n\n")
    large = head.replace(b'text/plain; charset="utf-8"', b'multipart/mixed; boundary="x"')
    large += b"\n\n--x\nContent-Type: text/plain\n\n" + body
    large += (
        b"--x\nContent-Type: application/zip\nContent-Disposition: attachment\n\n" + b"x" * 50_000_000 + b"\n--x--\n"
    )
    assert await mailed.came(large) == {"filed": 1}
    (one,) = await mailed.filed()
    assert (one.enclosed, mailed.box.left) == (1, 0)
    if isinstance(mailed.box, imap.Box):
        assert sum(map(len, mailed.box.given)) < 100_000


async def test_while_nothing_can_be_written_nothing_is_deleted_and_then_it_is_filed_once(
    mailed: Mailed, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as away:

        async def fails(*_: Any, **__: Any) -> None:
            raise DomainError("try_again")

        away.setattr(mailed.server.store.requests._writer, "first", fails)
        with pytest.raises(DomainError):
            await mailed.came(letter())
    assert (mailed.box.left, await mailed.filed(), await mailed.told()) == (1, [], [])
    assert await mailed.came() == {"filed": 1}
    assert (mailed.box.left, await mailed.told()) == (0, [(SENDER, "request-mailed")]), "the answer was given back"


async def test_cut_off_before_it_was_deleted_it_is_no_second_request(
    mailed: Mailed, monkeypatch: pytest.MonkeyPatch
) -> None:
    for sender in (SENDER, "not an address"):
        with monkeypatch.context() as away:

            def fails(*_: Any) -> None:
                raise NotRead("reading")

            away.setattr("practice.imap.Server.delete", fails)
            with pytest.raises(NotRead):
                await mailed.came(letter(sender=sender))
        assert mailed.box.left == 1
        await mailed.came()
        assert mailed.box.left == 0
    assert (len(await mailed.filed()), len(await mailed.told())) == (2, 1)


async def test_a_mail_whose_parts_no_server_can_say_is_filed_without_its_text(
    mailed: Mailed, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch = Imap.fetch

    def failing(self: Imap, uid: str, what: str) -> Any:
        if what == "BODYSTRUCTURE":
            raise NotRead("reading")
        return fetch(self, uid, what)

    monkeypatch.setattr(Imap, "fetch", failing)
    mailed.box.put(letter().as_bytes())
    reader = mailed.reader()
    for _ in range(readers.TRIES):
        with pytest.raises(NotRead):
            await reader.round()
    await reader.round()
    (one,) = await mailed.filed()
    assert (one.text, one.enclosed, mailed.box.left) == ("My data", None, 0)


async def test_without_redis_it_is_filed_and_nobody_is_answered(
    mailed: Mailed, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: Any, **__: Any) -> None:
        raise Away

    monkeypatch.setattr(mailed.server.app[LIMITER], "take", away)
    assert await mailed.came(letter()) == {"filed": 1}
    assert await mailed.told() == []


async def test_a_mailbox_that_cannot_be_read_is_said_by_its_step(mailed: Mailed) -> None:
    reader = mailed.reader(ca_file=None)
    with pytest.raises(NotRead) as fault:
        await reader.round()
    assert (fault.value.step, dict(reader.came)) == ("certificate", {"unread": 1})
    assert [one.state for one in await mailboxes.requests(mailed.settings)] == ["ok"]
    assert [one.state for one in await mailboxes.requests(mailed.mail.settings())] == ["unknown"]
