"""Who sends mail about an account: again where that may help, in order, once, and no longer than a day."""

import asyncio
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from practice.notices import smtp
from practice.notices.letter import TEXTS
from practice.notices.records import notices
from practice.notices.smtp import Mailer, NotSent
from practice.outgoing import Door
from practice.settings import MailSettings, PracticeSettings
from practice.storage import Store
from signaling.tasks import stop
from tests.client.waiting import PATIENCE
from tests.opening import open_store
from tests.people import Time, alice, charlie
from tests.practice.posting import postman, rows, server, sqlite_store, store, tell
from tests.servers.mail import MailServer
from vault.errors import DomainError
from vault.settings import VaultSettings

__all__ = ["server", "sqlite_store", "store"]

FIRST_WAIT = timedelta(seconds=30)
LIFE = timedelta(days=1)
LONGEST_WAIT = timedelta(hours=1)
"""As documents and pages say it."""

LETTER = b"Subject: x\r\n\r\nx\r\n"


async def test_a_busy_server_is_tried_again_with_growing_waits(store: Store, server: MailServer, time: Time) -> None:
    person, sender = await alice(store), postman(store, server)
    server.on_recipient = lambda _: "451 4.7.1 greylisted"
    await tell(store, person)
    waits: list[timedelta] = []
    for asked in range(1, 10):
        await sender.round()
        assert len(server.asked) == asked
        (notice,) = await store.notices.waiting()
        waits.append(notice.again - time.now())
        time.pass_(seconds=(waits[-1] - timedelta(seconds=1)).total_seconds())
        await sender.round()
        assert len(server.asked) == asked, "not before its time"
        time.pass_(seconds=1)
    assert waits[0] == FIRST_WAIT
    assert all(later == min(2 * wait, LONGEST_WAIT) for wait, later in pairwise(waits))
    assert waits[-1] == LONGEST_WAIT
    server.on_recipient = lambda _: None
    await sender.round()
    assert len(server.taken) == 1
    assert dict(sender.fates) == {"later": 9, "sent": 1}


@pytest.mark.parametrize("at", ["on_recipient", "on_content"])
async def test_what_is_refused_for_good_dies(store: Store, server: MailServer, at: str) -> None:
    person, other, sender = await alice(store), await charlie(store), postman(store, server)
    setattr(server, at, lambda address: "550 5.1.1 nobody" if address.startswith("Alice") else None)
    await tell(store, person)
    await tell(store, other)
    await sender.round()
    assert [mail.recipient for mail in server.taken] == ["charlie@example.org"], "one wrong address keeps nobody back"
    assert {state for _, state in await rows(store)} == {"destroying"}
    assert dict(sender.fates) == {"refused": 1, "sent": 1}


async def test_an_address_that_mail_cannot_be_sent_to_dies(store: Store, server: MailServer) -> None:
    person, sender = await store.practitioners.add("é x@example.org", "correct horse battery", "A", "nl"), None
    sender = postman(store, server)
    await tell(store, person)
    await sender.round()
    assert (dict(sender.fates), server.asked) == ({"refused": 1}, [])
    assert [state for _, state in await rows(store)] == ["destroying"]


@pytest.mark.parametrize(
    "changes", [{"user": "somebody-else"}, {"port": 1}, {"ca_file": None}, {"user": None}], ids=str
)
async def test_what_the_operator_can_mend_is_tried_again(
    store: Store, server: MailServer, time: Time, changes: dict[str, Any]
) -> None:
    person = await alice(store)
    for _ in range(3):
        await tell(store, person, to=f"person{len(await rows(store))}@example.org")
    wrong = postman(store, server, **changes)
    await wrong.round()
    assert dict(wrong.fates) == {"later": 1}, "the others would go no better"
    time.pass_(minutes=5)
    await postman(store, server).round()
    assert len(server.taken) == 3


async def test_cut_off_after_it_was_taken_it_goes_once_more_under_the_same_name(
    store: Store, server: MailServer, time: Time
) -> None:
    person, sender = await alice(store), postman(store, server)
    server.cut = True
    await tell(store, person)
    await sender.round()
    server.cut = False
    time.pass_(minutes=1)
    await sender.round()
    names = [str(mail.message["Message-ID"]) for mail in server.taken]
    assert len(names) == 2 and len(set(names)) == 1
    assert dict(sender.fates) == {"later": 1, "sent": 1}


async def test_a_server_that_ends_before_marking_sends_it_again_and_loses_none(
    store: Store, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await alice(store)
    await tell(store, person)

    async def ends(*_: object) -> None:
        raise DomainError("try_again")

    with monkeypatch.context() as cut, pytest.raises(DomainError):
        cut.setattr(store.notices, "done", ends)
        await postman(store, server).round()
    assert len(await store.notices.waiting()) == 1
    await postman(store, server).round()
    assert len(server.taken) == 2


async def test_a_day_later_it_is_told_to_nobody(store: Store, server: MailServer, time: Time) -> None:
    person, sender = await alice(store), postman(store, server)
    server.on_recipient = lambda _: "451 later"
    await tell(store, person)
    await sender.round()
    time.pass_(seconds=LIFE.total_seconds() - 60)
    await tell(store, person, "new-device")
    server.on_recipient = lambda _: None
    time.pass_(minutes=1)
    await sender.round()
    assert [str(mail.message["Subject"]) for mail in server.taken] == [TEXTS["new-device"]["nl"]["subject"]]
    assert dict(sender.fates) == {"later": 1, "late": 1, "sent": 1}
    await store.retention.sweep()
    assert await rows(store) == []


async def test_each_address_gets_them_in_the_order_of_their_causes(
    store: Store, server: MailServer, time: Time
) -> None:
    """What comes later waits for what came before, and for nothing of another address."""
    person, other, sender = await alice(store), await charlie(store), postman(store, server)
    server.on_recipient = lambda address: "451 later" if address.startswith("Alice") else None
    await tell(store, person)
    time.pass_(seconds=1)
    await sender.round()
    for word in ("new-device", "password-changed"):
        await tell(store, person, word)
        await tell(store, other, word)
        time.pass_(seconds=1)
    server.on_recipient = lambda _: None
    await sender.round()
    assert [mail.recipient for mail in server.taken] == ["charlie@example.org"] * 2
    time.pass_(minutes=1)
    await sender.round()
    said = [str(mail.message["Subject"]) for mail in server.taken if mail.recipient.startswith("Alice")]
    assert said == [TEXTS[word]["nl"]["subject"] for word in ("password-changed", "new-device", "password-changed")]


async def test_two_servers_send_it_once(
    settings: VaultSettings, server: MailServer, tmp_path: Path, time: Time
) -> None:
    """Each with a lease of its own over one database."""
    async with open_store(settings, now=time.now, boot=time.boottime, mail=True) as store:
        person = await alice(store)
        for number in range(8):
            await tell(store, person, to=f"person{number}@example.org")
        one, two = postman(store, server), postman(store, server)
        two._lease.holder = "another-server"
        await asyncio.gather(one.round(), two.round())
        assert len(server.taken) == 8
        time.pass_(minutes=3)  # the one that had it is gone
        await tell(store, person)
        await two.round()
        assert len(server.taken) == 9


async def test_it_is_sent_without_being_asked(sqlite_store: Store, server: MailServer) -> None:
    running_ = asyncio.create_task(postman(sqlite_store, server).run())
    try:
        await tell(sqlite_store, await alice(sqlite_store))
        async with asyncio.timeout(20):
            await server.arrived.wait()
    finally:
        await stop([running_])


async def test_one_that_cannot_be_read_keeps_nobody_back_and_dies_of_age(
    sqlite_store: Store, server: MailServer, time: Time
) -> None:
    store = sqlite_store
    person, sender = await alice(store), postman(store, server)
    await tell(store, person)
    async with store.database.write() as connection:
        await connection.execute(update(notices).values(content=b"no content"))
    time.pass_(seconds=1)
    await tell(store, person)
    await sender.round()
    assert len(server.taken) == 1
    time.pass_(days=1)
    await sender.round()
    await store.retention.sweep()
    assert await rows(store) == []


async def test_a_link_that_is_of_no_use_any_more_is_not_sent_and_not_counted_as_a_days(
    store: Store, server: MailServer, time: Time
) -> None:
    person, sender = await alice(store), postman(store, server)
    await tell(store, person, "reset", to="early@example.org")
    time.pass_(seconds=1)
    await tell(store, person, "reset", to="late@example.org")
    await tell(store, person)
    time.pass_(minutes=59, seconds=59)
    await sender.round()
    assert {mail.recipient for mail in server.taken} == {"late@example.org", "Alice@example.org"}
    assert dict(sender.fates) == {"late": 1, "sent": 2}
    assert {state for _, state in await rows(store)} == {"destroying"}


async def test_who_loses_the_lease_in_the_middle_sends_no_more(
    store: Store, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, sender = await alice(store), postman(store, server)
    for number in range(4):
        await tell(store, person, to=f"person{number}@example.org")
    real, left = sender._lease.take, 3

    async def take() -> bool:
        nonlocal left
        left -= 1
        return left >= 0 and await real()

    monkeypatch.setattr(sender._lease, "take", take)
    await sender.round()
    assert len(server.taken) == 2
    monkeypatch.undo()
    await sender.round()
    assert len(server.taken) == len({mail.recipient for mail in server.taken}) == 4


async def test_a_fault_ends_no_postman(
    sqlite_store: Store, server: MailServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    sender = postman(sqlite_store, server)
    real, faults = sender.round, [DomainError("try_again"), RuntimeError("no part of ours")]

    async def round_() -> None:
        if faults:
            sqlite_store.notices.written.set()
            raise faults.pop()
        await real()

    monkeypatch.setattr(sender, "round", round_)
    await tell(sqlite_store, await alice(sqlite_store))
    working = asyncio.create_task(sender.run())
    try:
        await asyncio.wait_for(server.arrived.wait(), PATIENCE)
    finally:
        await stop([working])
    assert caplog.text.count("mail could not be looked after and is tried again") == 2


async def test_a_server_that_answers_nothing_any_more_is_left(
    server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each answer may take its time; the whole letter may not take for ever."""
    settings = server.settings()
    monkeypatch.setattr(smtp, "WHOLE_SECONDS", 0.0)
    with pytest.raises(NotSent) as said:
        await Mailer(settings.mail, Door.of(settings)).send("alice@example.org", LETTER)
    assert (said.value.step, said.value.code, said.value.final) == ("content", None, False)
    assert server.taken == []


@pytest.mark.parametrize("fault", [ConnectionResetError(), ValueError("no address")])
async def test_a_connection_that_breaks_in_the_middle_is_tried_again(
    server: MailServer, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    settings = server.settings()

    async def broken(*_: object) -> None:
        raise fault

    monkeypatch.setattr("aiosmtplib.SMTP.rcpt", broken)
    with pytest.raises(NotSent) as said:
        await Mailer(settings.mail, Door.of(settings)).send("alice@example.org", LETTER)
    assert (said.value.step, said.value.code, said.value.final) == ("recipient", None, False)
    assert server.taken == []


def test_without_a_mail_server_there_is_nobody_to_hand_it_to() -> None:
    nobody, some = PracticeSettings(), MailServer(port=25).settings("none")
    assert (nobody.sends, some.sends) == (False, True)
    with pytest.raises(ValueError, match="no mail server"):
        Mailer(MailSettings(), Door.of(nobody))


@pytest.mark.parametrize(
    ("changes", "step"),
    [({"ca_file": None}, "certificate"), ({"port": 1}, "connect"), ({"user": "somebody-else"}, "sign-in")],
    ids=str,
)
async def test_at_which_step_it_ended_is_said(server: MailServer, changes: dict[str, Any], step: str) -> None:
    settings = server.settings(**changes)
    with pytest.raises(NotSent) as said:
        await Mailer(settings.mail, Door.of(settings)).send("alice@example.org", LETTER)
    assert (said.value.step, said.value.code) == (step, 535 if step == "sign-in" else None)
    assert not said.value.final
