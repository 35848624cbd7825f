"""Mail that comes back: by a token of ours to the dispatch that it is about, once, without its content."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from operate.doctor import mailboxes
from practice.agenda.model import Appointment
from practice.agenda.records import APPOINTMENTS
from practice.bounces.reader import BounceReader, Came
from practice.bounces.reports import report
from practice.bounces.tokens import LIFE_DAYS, Tokens
from practice.imap import AT_ONCE, NotRead, Step
from practice.outgoing import Door
from practice.settings import BounceSettings, MailSettings, PracticeSettings
from practice.storage import Store
from signaling import couriers, mailing
from tests.conformance.world import until
from tests.opening import of
from tests.organisations import scope_of
from tests.people import Time, alice
from tests.practice.outbox import ZONE, Told, invited, moved, send_by, states
from tests.practice.posting import ORIGIN, server, sqlite_store, store
from tests.practice.test_invitations import practice
from tests.practice.test_mail_servers import OWN, access, write
from tests.servers import imap
from tests.servers.dovecot import dovecot
from tests.servers.imap import ADDRESS, Inbox
from tests.servers.mail import SENDER, MailServer
from vault.errors import DomainError

__all__ = ["server", "sqlite_store", "store"]

KEY = bytes(range(32))
RETURNED = Path(__file__).with_name("returned")
BOXES = [imap.box, *([dovecot] if os.environ.get("PROVE") else [])]
"""Dovecot itself in ``make prove``; here what answers as it was recorded to."""


@dataclass
class Returning:
    """A practice whose mail comes back to a mailbox."""

    store: Store
    server: MailServer
    box: Inbox
    told: Told = field(default_factory=Told)

    @property
    def tokens(self) -> Tokens:
        return Tokens(ADDRESS, KEY)

    @property
    def settings(self) -> PracticeSettings:
        return self.server.settings().model_copy(update={"bounces": self.box.settings()})

    def reader(self, **changes: Any) -> BounceReader:
        settings = self.settings
        bounces = settings.bounces.model_copy(update=changes)
        return couriers.reader(self.store, bounces, Door.of(settings), self.tokens, self.told)

    async def send(self, time: Time) -> list[str]:
        """What is written; to where it would come back."""
        settings = self.settings
        by = mailing.mailers(self.store, settings, Door.of(settings))
        sender = couriers.courier(self.store, by, ORIGIN, lambda: ZONE, self.told, None, self.tokens)
        assert sender is not None
        self.server.taken.clear()
        await send_by(sender, time)
        self.told.owners.clear()
        return [one.sender for one in self.server.taken]

    def arrive(self, *raws: bytes) -> None:
        for raw in raws:
            self.box.put(raw)

    async def came(self, **changes: Any) -> dict[Came, int]:
        """What a look at the mailbox counts."""
        reader = self.reader(**changes)
        await reader.round()
        return dict(reader.came)

    @property
    def left(self) -> int:
        """In the mailbox."""
        return self.box.left


def recorded(name: str, returns: str) -> bytes:
    """A report as Postfix 3.7.11 wrote it."""
    return (RETURNED / f"{name}.txt").read_bytes().replace(b"{returns}", returns.encode())


@pytest.fixture(params=BOXES, ids=[one.__name__ for one in BOXES])
async def box(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Inbox]:
    folder = tmp_path / "imap"
    folder.mkdir()
    async with request.param(folder) as found:
        yield found


@pytest.fixture
def returning(sqlite_store: Store, server: MailServer, box: Inbox) -> Returning:
    return Returning(sqlite_store, server, box)


async def sent(it: Returning, time: Time) -> tuple[Appointment, str]:
    """An invitation, and to where it comes back."""
    made = await invited(it.store, await alice(it.store))
    (returns,) = await it.send(time)
    return made, returns


# --- to where it comes back -------------------------------------------------------------------------------------------


async def test_an_invitation_comes_back_to_an_address_of_its_own_of_the_domain_that_readers_see(
    returning: Returning, time: Time
) -> None:
    made, returns = await sent(returning, time)
    local, _, domain = returns.partition("@")
    assert domain == SENDER.partition("@")[2] and local.startswith("bounces+") and len(local) <= 64
    (mail,) = returning.server.taken
    assert mail.message["From"].addresses[0].addr_spec == SENDER
    (one,) = (await returning.store.outbox.of([made]))[made.id]
    assert returning.tokens.dispatch(returns, time.now()) == one.id
    assert one.id.lower() not in returns and returns not in mail.raw.decode()


async def test_what_is_no_letter_to_a_patient_and_goes_by_another_server_comes_back_to_who_sends(
    returning: Returning, time: Time
) -> None:
    owner, _ = await practice(returning.store)
    await write(returning.store, await scope_of(returning.store, owner.id), access(returning.server))
    await invited(returning.store, owner)
    assert await returning.send(time) == [OWN]


def test_a_token_is_another_one_each_day_and_good_for_ten(time: Time) -> None:
    tokens, dispatch = Tokens(ADDRESS, KEY), "A" * 21 + "Q"
    first = tokens.address(dispatch, time.now())
    time.pass_(days=LIFE_DAYS)
    assert tokens.dispatch(f"<{first.upper()}>", time.now()) == dispatch, "also where a server folds case"
    assert tokens.address(dispatch, time.now()) != first
    time.pass_(days=1)
    assert tokens.dispatch(first, time.now()) is None
    time.jump(days=-LIFE_DAYS - 2)
    assert tokens.dispatch(first, time.now()) is None, "of tomorrow"


def test_nobody_else_makes_one(time: Time) -> None:
    tokens, dispatch = Tokens(ADDRESS, KEY), "A" * 21 + "Q"
    right = tokens.address(dispatch, time.now())
    for at in range(len("bounces+"), right.index("@")):
        other = f"{right[:at]}{'a' if right[at] != 'a' else 'b'}{right[at + 1 :]}"
        assert tokens.dispatch(other, time.now()) in (None, dispatch if at == right.index("@") - 1 else None), at
    assert Tokens(ADDRESS, KEY[::-1]).dispatch(right, time.now()) is None
    assert Tokens("bounces@example.net", KEY).dispatch(right, time.now()) is None


# --- what comes back --------------------------------------------------------------------------------------------------


async def test_what_could_not_be_delivered_is_refused_by_our_word_and_the_code(
    returning: Returning, time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    made, returns = await sent(returning, time)
    returning.arrive(recorded("failed", returns))
    with caplog.at_level(logging.DEBUG, "practice"):
        assert await returning.came() == {"refused": 1}
    (one,) = (await returning.store.outbox.of([made]))[made.id]
    assert (one.state, one.reason) == ("refused", "bounced 5.1.1")
    assert (returning.left, returning.told.owners) == (0, [made.owner])
    ours = " ".join(one.getMessage() for one in caplog.records if one.name != "mail.log")  # the mail server's
    assert "jan" not in ours.lower() and "bounces+" not in ours
    returning.arrive(recorded("failed", returns))
    assert await returning.came() == {"late": 1}
    assert (returning.left, returning.told.owners) == (0, [made.owner])


async def test_what_is_still_tried_is_no_refusal_and_what_was_given_up_is_one_whatever_its_code(
    returning: Returning, time: Time
) -> None:
    """A server that gave up after days says so with the code of its last try, 4.x.x."""
    made, returns = await sent(returning, time)
    returning.arrive(recorded("delayed", returns))
    assert (await returning.came(), await states(returning.store, made)) == ({"delayed": 1}, [("invitation", "sent")])
    returning.arrive(recorded("expired", returns))
    assert (await returning.came(), returning.left) == ({"refused": 1}, 0)
    (one,) = (await returning.store.outbox.of([made]))[made.id]
    assert one.reason == "bounced 4.3.0"


async def test_whatever_else_arrives_is_deleted_and_changes_nothing(returning: Returning, time: Time) -> None:
    made, returns = await sent(returning, time)
    right = recorded("failed", returns)
    deep = b"".join(b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (one, one) for one in range(10))
    forged = f"{returns[:20]}{'a' if returns[20] != 'a' else 'b'}{returns[21:]}"
    strange = {
        "a forged token": recorded("failed", forged),
        "no token": recorded("failed", ADDRESS),
        "no report": right.replace(b"multipart/report", b"multipart/mixed", 1),
        "a report of something else": right.replace(b"delivery-status;", b"disposition-notification;", 1),
        "nested ten deep": f"To: {returns}\r\n".encode() + deep + right,
        "nested too deep": f"To: {returns}\r\n".encode() + deep * 4000,
        "no body": right.partition(b"\n\n")[0] + b"\n\n",
        "nothing": b"",
        "no head": b"\r\n\r\n" + right,
        "no boundary": right.replace(b"boundary=", b"frontier=", 1),
        "bytes": bytes(range(256)) * 100,
        "50 MB": f"To: {returns}\r\nSubject: x\r\n\r\n".encode() + b"x" * 50_000_000,
    }
    returning.arrive(*strange.values())
    assert await returning.came() == {"stray": len(strange)}
    assert (returning.left, await states(returning.store, made)) == (0, [("invitation", "sent")])
    head, middle, end = right.partition(b"--0A1B2C3D4E5.1796065393/mail.example.org\nContent-Description: Undelivered")
    returning.arrive(head + middle + end + b"x" * 50_000_000)
    assert (await returning.came(), returning.left) == ({"refused": 1}, 0), "and a large one that is right counts"


async def test_of_what_is_destroyed_opened_or_told_anew_nothing_changes(returning: Returning, time: Time) -> None:
    store, person = returning.store, await alice(returning.store)
    made = [await invited(store, person) for _ in range(3)]
    to = {returning.tokens.dispatch(one, time.now()): one for one in await returning.send(time)}
    addresses = {one.id: to[(await store.outbox.of([one]))[one.id][0].id] for one in made}
    gone, opened, told = made
    await store.outbox.visited(opened)
    after = await moved(store, told, days=1)
    (newer,) = await returning.send(time)
    await store.retention.destroy(of(person.id), gone.id, APPOINTMENTS)
    returning.arrive(*(recorded("failed", addresses[one.id]) for one in (gone, opened, told)))
    counted = await returning.came()
    assert (counted.get("late"), returning.left) == (2, 0)
    assert await states(store, opened) == [("invitation", "opened")]
    assert (await states(store, after))[-1] == ("changed", "sent")
    returning.arrive(recorded("failed", newer))
    assert await returning.came() == {"refused": 1}
    assert (await states(store, after))[-1] == ("changed", "refused")


async def test_a_mailbox_is_read_some_at_a_time(returning: Returning, time: Time) -> None:
    _, returns = await sent(returning, time)
    returning.arrive(*[b"Subject: x\r\n\r\n"] * AT_ONCE, recorded("failed", returns))
    assert await returning.came() == {"stray": AT_ONCE}
    assert (await returning.came(), returning.left) == ({"refused": 1}, 0)
    assert await returning.came() == {}


async def test_a_flood_is_no_longer_a_list_than_can_be_read(
    sqlite_store: Store, server: MailServer, tmp_path: Path
) -> None:
    """A client in our library gives up at a line of 1,000,000 bytes."""
    async with imap.box(tmp_path) as box:
        last = 2**32
        box.messages = dict.fromkeys(range(last - 100_000, last), b"Subject: x\r\n\r\n")
        assert await Returning(sqlite_store, server, box).came() == {"stray": AT_ONCE}
        assert box.left == 100_000 - AT_ONCE


async def test_one_server_reads_at_a_time(returning: Returning, time: Time) -> None:
    made, returns = await sent(returning, time)
    returning.arrive(recorded("failed", returns))
    first, second = returning.reader(), returning.reader()
    second._lease.holder = "another"
    assert await first._lease.take()
    await second.round()
    assert (returning.left, dict(second.came)) == (1, {})
    await first.round()
    assert (returning.left, await states(returning.store, made)) == (0, [("invitation", "refused")])


async def test_while_nothing_can_be_written_nothing_is_deleted(
    returning: Returning, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, returns = await sent(returning, time)
    returning.arrive(recorded("delayed", returns), recorded("failed", returns))
    with monkeypatch.context() as away:

        async def fails(*_: Any) -> None:
            raise DomainError("try_again")

        away.setattr(returning.store.database, "ask", fails)
        with pytest.raises(DomainError):
            await returning.came()
    assert (returning.left, await states(returning.store, made)) == (1, [("invitation", "sent")])
    assert (await returning.came(), returning.left) == ({"refused": 1}, 0)


async def test_a_mailbox_that_cannot_be_read_is_said_by_its_step(returning: Returning, tmp_path: Path) -> None:
    wrong: dict[Step, dict[str, Any]] = {
        "sign-in": {"password": SecretStr("another")},
        "certificate": {"ca_file": None},
        "connect": {"port": 1},
        "forbidden": {"host": "mail.example.org"},
    }
    for step, changes in wrong.items():
        reader = returning.reader(**changes)
        with pytest.raises(NotRead) as fault:
            await reader.round()
        assert (fault.value.step, dict(reader.came)) == (step, {"unread": 1})
        bad = returning.settings.model_copy(update={"bounces": returning.settings.bounces.model_copy(update=changes)})
        assert [(one.state, one.meaning) for one in await mailboxes.bounces(bad)] == [("fail", mailboxes.SAID[step][0])]
    returning.arrive(b"Subject: x\r\n\r\n")
    assert [one.state for one in await mailboxes.bounces(returning.settings)] == ["ok"]
    assert returning.left == 1, "nothing is deleted by who only looks"
    assert [one.state for one in await mailboxes.bounces(returning.server.settings())] == ["unknown"]


async def test_it_is_looked_after_by_itself(returning: Returning, time: Time) -> None:
    made, returns = await sent(returning, time)
    returning.arrive(recorded("failed", returns))
    running = asyncio.create_task(returning.reader().run())
    await until(lambda: not returning.left, "the mailbox is not empty")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert await states(returning.store, made) == [("invitation", "refused")]


# --- what is hostile --------------------------------------------------------------------------------------------------

PARTS = st.sampled_from(
    [
        *(
            b"Content-Type: multipart/report; report-type=delivery-status; boundary=x\r\n",
            b"\r\n\r\n",
            b"--x\n",
            b"--x--",
        ),
        *(
            b"Content-Type: message/delivery-status\n\n",
            b"Action: failed\n",
            b"Status: 5.1.1\n",
            b"To: a\n",
            b" ",
            b"\r",
            b"=",
        ),
        *(b'boundary="', b"; ", b"=?utf-8?q?=ff?=", b"\xff\x00", b"Content-Type: text/plain; boundary*0*=utf-8''%ff\n"),
    ]
)


@given(st.lists(PARTS | st.binary(max_size=40), max_size=30).map(b"".join))
def test_whatever_arrives_is_a_report_or_none(raw: bytes) -> None:
    found = report(raw)
    assert found is None or found.action in ("failed", "delayed", "other")


# --- settings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"address": "bounces@example.net"}, "taken for forged"),
        ({"address": "much-longer-than-it-may-be@example.org"}, "more than 18 characters"),
        ({"user": None}, "nothing to read it by"),
        ({"password": None}, "nothing to read it by"),
        ({"host": None}, "nothing to read it by"),
        ({"host": "imap.example.org", "port": 143}, "that is not 993"),
        ({"host": "imap.example.org", "security": "none", "port": None}, "in clear from another machine"),
    ],
)
def test_a_mailbox_that_would_not_do_refuses_the_start(changes: dict[str, Any], said: str) -> None:
    right = imap.settings(1, Path("/x")).model_dump()
    mail = MailSettings(host="localhost", security="none", sender=SENDER)
    with pytest.raises(ValueError, match=said):
        PracticeSettings(mail=mail, bounces=BounceSettings(**(right | changes)))
