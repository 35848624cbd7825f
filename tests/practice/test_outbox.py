"""What patients are told: with its cause, in order, what is true when it goes, and never of what is destroyed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from practice.agenda.cancelling import FAREWELL, UNDO
from practice.agenda.changes import Correction
from practice.agenda.records import APPOINTMENTS, appointments
from practice.invitations.port import Void
from practice.invitations.store import FIRST_WAIT, LIFE
from practice.storage import Store
from tests.opening import of
from tests.people import Time, alice, charlie
from tests.practice.outbox import TO, Told, courier, event, invited, moved, rows, send, states, subjects
from tests.practice.posting import server, sqlite_store, store
from tests.servers.mail import MailServer
from vault.errors import DomainError
from vault.records.scope import Scope

__all__ = ["server", "sqlite_store", "store"]


async def test_an_invitation_leaves_after_the_time_in_which_it_may_be_taken_back(
    store: Store, server: MailServer, time: Time
) -> None:
    person, told = await alice(store), Told()
    made, sender = await invited(store, person), courier(store, server, told)
    time.pass_(seconds=UNDO.total_seconds() - 1)
    await sender.round()
    assert (server.asked, await states(store, made)) == ([], [("invitation", "queued")])
    time.pass_(seconds=1)
    await sender.round()
    (mail,) = server.taken
    assert mail.recipient == TO and mail.encrypted
    assert await states(store, made) == [("invitation", "sent")]
    assert told.owners == [person.id]
    await sender.round()
    assert len(server.taken) == 1


async def test_what_is_taken_back_in_time_goes_nowhere(store: Store, server: MailServer, time: Time) -> None:
    made = await invited(store, await alice(store))
    await store.retention.destroy(of(made.owner), made.id, APPOINTMENTS)
    await send(store, server, time)
    assert (server.asked, await rows(store)) == ([], [])


async def test_one_calendar_entry_follows_the_appointment(store: Store, server: MailServer, time: Time) -> None:
    """UID kept, SEQUENCE and DTSTAMP raised, CANCEL at the end."""
    made = await invited(store, await alice(store))
    await send(store, server, time)
    after = await moved(store, made, hours=3)
    await send(store, server, time)
    await store.appointments.cancel(of(made.owner), made.id, held=False)
    await send(store, server, time)
    assert subjects(server) == ["Uw", "Gewijzigd:", "Geannuleerd:"]
    events = [event(mail) for mail in server.taken]
    assert len({one["UID"] for one in events}) == 1
    assert [one["SEQUENCE"] for one in events] == ["0", "1", "2"]
    assert sorted(one["DTSTAMP"] for one in events) == [one["DTSTAMP"] for one in events]
    assert len({one["DTSTAMP"] for one in events}) == 3
    assert [one["METHOD"] for one in events] == ["REQUEST", "REQUEST", "CANCEL"]
    assert events[1]["DTSTART"] == after.starts_at.strftime("%Y%m%dT%H%M%SZ")
    assert events[2]["STATUS"] == "CANCELLED"


async def test_a_later_one_makes_an_earlier_one_void(store: Store, server: MailServer, time: Time) -> None:
    made = await invited(store, await alice(store))
    await moved(store, await moved(store, made, hours=1), hours=1)
    await send(store, server, time)
    assert subjects(server) == ["Uw"], "the patient is invited once, to what holds"
    assert event(server.taken[0])["DTSTART"] == (made.starts_at + timedelta(hours=2)).strftime("%Y%m%dT%H%M%SZ")


async def test_what_is_moved_and_moved_back_is_told_to_nobody(store: Store, server: MailServer, time: Time) -> None:
    made = await invited(store, await alice(store))
    await send(store, server, time)
    await moved(store, await moved(store, made, hours=1), hours=-1)
    await send(store, server, time)
    assert len(server.taken) == 1
    assert await states(store, made) == [("invitation", "sent")]


async def test_what_nobody_was_told_of_is_not_cancelled(store: Store, server: MailServer, time: Time) -> None:
    made = await invited(store, await alice(store))
    off = await store.appointments.cancel(of(made.owner), made.id, held=False)
    assert off.due == time.now() + UNDO
    await send(store, server, time)
    await store.retention.sweep()
    assert (server.asked, await rows(store)) == ([], [])
    with pytest.raises(DomainError, match="gone"):
        await store.appointments.get(of(made.owner), made.id)


async def test_a_cancelled_one_lives_until_it_was_told(store: Store, server: MailServer, time: Time) -> None:
    made = await invited(store, await alice(store))
    await send(store, server, time)
    off = await store.appointments.cancel(of(made.owner), made.id, held=False)
    assert off.due == time.now() + FAREWELL
    await store.retention.sweep()
    assert await store.keys.receipt(made.owner, made.id) is None
    await send(store, server, time)
    assert await store.appointments.by_link(Scope.guest(made.id), made.secret) is None
    await store.retention.sweep()
    assert subjects(server)[-1] == "Geannuleerd:"
    assert await store.keys.receipt(made.owner, made.id) is not None
    assert await rows(store) == []


async def test_and_no_longer_than_ten_minutes(store: Store, server: MailServer, time: Time) -> None:
    made = await invited(store, await alice(store))
    await send(store, server, time)
    server.on_recipient = lambda _: "451 later"
    await store.appointments.cancel(of(made.owner), made.id, held=False)
    await send(store, server, time)
    time.pass_(seconds=FAREWELL.total_seconds() - UNDO.total_seconds() - 1)
    await store.retention.sweep()
    assert await store.keys.receipt(made.owner, made.id) is None
    time.pass_(seconds=1)
    server.on_recipient = lambda _: None
    await courier(store, server).round()
    await store.retention.sweep()
    assert len(server.taken) == 1
    assert await store.keys.receipt(made.owner, made.id) is not None


async def test_a_cancellation_taken_back_in_time_is_told_to_nobody(
    store: Store, server: MailServer, time: Time
) -> None:
    made = await invited(store, await alice(store))
    await send(store, server, time)
    await store.appointments.cancel(of(made.owner), made.id, held=False)
    back = await store.appointments.keep(of(made.owner), made.id)
    await send(store, server, time)
    assert (len(server.taken), back.cancelled_at, back.state) == (1, None, "planned")
    await store.appointments.cancel(of(made.owner), made.id, held=False)
    time.pass_(seconds=UNDO.total_seconds())
    server.on_recipient = lambda _: "451 later"
    await courier(store, server).round()
    await store.appointments.keep(of(made.owner), made.id)
    server.on_recipient = lambda _: None
    await send(store, server, time)
    assert len(server.taken) == 1, "its cancellation never began"


async def test_a_refused_address_says_so_and_keeps_nobody_back(store: Store, server: MailServer, time: Time) -> None:
    person = await alice(store)
    wrong, right = await invited(store, person, "nobody@example.com"), await invited(store, person)
    server.on_recipient = lambda address: "550 5.1.1 nobody" if address.startswith("nobody") else None
    await send(store, server, time)
    assert [mail.recipient for mail in server.taken] == [TO]
    (refused,) = (await store.outbox.of([wrong]))[wrong.id]
    assert (refused.state, refused.reason) == ("refused", "recipient 550")
    await store.appointments.change(of(person.id), wrong.id, Correction(wrong.version, patient="Other name"))
    await send(store, server, time)
    assert len(server.asked) == 2, "the same letter to the same address is not tried for ever"
    corrected = Correction(wrong.version + 1, mail="somebody@example.com")
    after = await store.appointments.change(of(person.id), wrong.id, corrected)
    assert after.secret != wrong.secret, "a link that may be a stranger's leads nowhere"
    await send(store, server, time)
    assert server.taken[-1].recipient == "somebody@example.com"
    assert await states(store, right) == [("invitation", "sent")]


async def test_a_busy_server_is_tried_again_and_for_a_day(store: Store, server: MailServer, time: Time) -> None:
    made, sender = await invited(store, await alice(store)), courier(store, server)
    server.on_recipient = lambda _: "451 4.7.1 greylisted"
    time.pass_(seconds=UNDO.total_seconds())
    await sender.round()
    await sender.round()
    assert len(server.asked) == 1
    time.pass_(seconds=FIRST_WAIT.total_seconds())
    await sender.round()
    assert len(server.asked) == 2
    time.pass_(seconds=LIFE.total_seconds())
    await sender.round()
    assert (len(server.asked), await states(store, made)) == (2, [("invitation", "late")])
    assert dict(sender.fates) == {"later": 2, "late": 1}


async def test_it_is_in_order_for_one_appointment_and_no_other_waits(
    store: Store, server: MailServer, time: Time
) -> None:
    person = await alice(store)
    made = await invited(store, person, "one@example.com")
    await send(store, server, time)
    server.on_recipient = lambda address: "451 later" if address.startswith("one") else None
    await moved(store, made, hours=1)
    other = await invited(store, person, "two@example.com")
    await send(store, server, time)
    assert await states(store, other) == [("invitation", "sent")]
    await store.appointments.cancel(of(person.id), made.id, held=False)
    server.on_recipient = lambda _: None
    await send(store, server, time)
    await courier(store, server).round()
    assert [mail.recipient for mail in server.taken] == ["one@example.com", "two@example.com", "one@example.com"]
    assert subjects(server)[-1] == "Geannuleerd:"


async def test_cut_off_after_it_was_taken_it_goes_once_more_under_the_same_name(
    store: Store, server: MailServer, time: Time
) -> None:
    made = await invited(store, await alice(store))
    server.cut = True
    await send(store, server, time)
    server.cut = False
    (row,) = (await store.outbox.of([made]))[made.id]
    assert row.begun and row.state == "queued"
    time.pass_(seconds=FIRST_WAIT.total_seconds())
    await courier(store, server).round()
    names = [str(mail.message["Message-ID"]) for mail in server.taken]
    assert len(names) == 2 and len(set(names)) == 1


async def test_what_may_have_come_is_cancelled(store: Store, server: MailServer, time: Time) -> None:
    made = await invited(store, await alice(store))
    server.cut = True
    await send(store, server, time)
    server.cut = False
    await store.appointments.cancel(of(made.owner), made.id, held=False)
    await send(store, server, time)
    assert subjects(server) == ["Uw", "Geannuleerd:"]


@pytest.mark.parametrize("what", ["destroyed", "due", "moved"])
async def test_no_letter_begins_once_its_appointment_is_another(
    store: Store, server: MailServer, time: Time, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """Between the reading of an appointment and the command by which its letter begins."""
    made = await invited(store, await alice(store))
    sender = courier(store, server)
    real = store.outbox.begun

    @asynccontextmanager
    async def meanwhile(*given: Any) -> AsyncIterator[None]:
        if what == "destroyed":
            await store.retention.destroy(of(made.owner), made.id, APPOINTMENTS)
        elif what == "moved":
            await moved(store, made, hours=1)
        else:
            await store.retention.destroy_all(of(made.owner))
        async with real(*given):
            yield

    monkeypatch.setattr(store.outbox, "begun", meanwhile)
    time.pass_(seconds=UNDO.total_seconds())
    await sender.round()
    assert (server.asked, server.taken) == ([TO], [])
    assert dict(sender.fates) == {"void": 1}


async def test_who_destroys_waits_for_a_letter_to_begin_and_no_longer(
    store: Store, server: MailServer, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Inside the step nothing is destroyed; after it nothing waits, however slow the server is."""
    made, order = await invited(store, await alice(store)), list[str]()
    real, begun = store.outbox.begun, asyncio.Event()

    @asynccontextmanager
    async def slowly(*given: Any) -> AsyncIterator[None]:
        async with real(*given):
            begun.set()
            for _ in range(50):
                await asyncio.sleep(0)
            yield
            order.append("begun")

    async def destroy() -> None:
        await begun.wait()
        await store.retention.destroy(of(made.owner), made.id, APPOINTMENTS)
        order.append("destroyed")

    monkeypatch.setattr(store.outbox, "begun", slowly)
    time.pass_(seconds=UNDO.total_seconds())
    await asyncio.gather(courier(store, server).round(), destroy())
    assert order == ["begun", "destroyed"]
    assert len(server.taken) == 1


async def test_two_servers_send_it_once(store: Store, server: MailServer, time: Time) -> None:
    person = await alice(store)
    for number in range(6):
        await invited(store, person, f"person{number}@example.com")
    one, two = courier(store, server), courier(store, server)
    two._lease.holder = "another-server"
    time.pass_(seconds=UNDO.total_seconds())
    await asyncio.gather(one.round(), two.round())
    assert len(server.taken) == 6


async def test_who_loses_the_lease_at_the_last_moment_sends_nothing(
    store: Store, server: MailServer, time: Time
) -> None:
    made, sender = await invited(store, await alice(store)), courier(store, server)
    time.pass_(seconds=UNDO.total_seconds())
    assert await sender._lease.take()
    (due,) = await store.outbox.waiting()
    time.pass_(minutes=3)
    other = courier(store, server)
    other._lease.holder = "another-server"
    assert await other._lease.take()
    with pytest.raises(Void):
        async with store.outbox.begun(due, sender._lease):
            pass
    assert await states(store, made) == [("invitation", "queued")]


async def test_neither_address_nor_time_stands_in_a_row(store: Store, server: MailServer, time: Time) -> None:
    made = await invited(store, await alice(store), "canary@example.com")
    for row in await rows(store):
        assert b"canary" not in row.content
    await send(store, server, time)
    (sent,) = (await store.outbox.of([made]))[made.id]
    assert "canary" not in repr(sent) and sent.to != "canary@example.com"


async def test_nobody_elses_is_invited_cancelled_or_told(store: Store) -> None:
    made, other = await invited(store, await alice(store)), await charlie(store)
    with pytest.raises(DomainError, match="not_found"):
        await store.appointments.invite(of(other.id), made.id)
    with pytest.raises(DomainError, match="not_found"):
        await store.appointments.cancel(of(other.id), made.id, held=False)


async def test_a_new_link_takes_the_place_of_the_old_one(store: Store, server: MailServer, time: Time) -> None:
    made = await invited(store, await alice(store))
    await send(store, server, time)
    again = await store.appointments.invite(of(made.owner), made.id, new_link=True)
    await send(store, server, time)
    guest = Scope.guest(made.id)
    assert await store.appointments.by_link(guest, made.secret) is None
    assert await store.appointments.by_link(guest, again.secret)
    text = server.taken[-1].message.get_body(("plain",))
    assert text is not None and again.secret in str(text.get_content())


async def test_a_visit_is_seen_as_opened(store: Store, server: MailServer, time: Time) -> None:
    made = await invited(store, await alice(store))
    await store.outbox.visited(made)
    assert await states(store, made) == [("invitation", "queued")]
    await send(store, server, time)
    await store.outbox.visited(made)
    assert await states(store, made) == [("invitation", "opened")]


@pytest.mark.parametrize(
    "mail", ["nobody", "a@b@c.example", "x@192.0.2.1", "é x@example.org", "a\r\nBcc: x@example.org"]
)
async def test_an_address_that_mail_cannot_be_sent_to_is_refused(sqlite_store: Store, mail: str) -> None:
    store, person = sqlite_store, await alice(sqlite_store)
    with pytest.raises(DomainError) as said:
        await invited(store, person, mail)
    assert (said.value.code, said.value.field) == ("invalid", "mail")
    made = await invited(store, person)
    with pytest.raises(DomainError) as said:
        await store.appointments.change(of(person.id), made.id, Correction(made.version, mail=mail))
    assert (said.value.code, said.value.field) == ("invalid", "mail")


async def test_a_damaged_row_keeps_nobody_back(sqlite_store: Store, server: MailServer, time: Time) -> None:
    store = sqlite_store
    person = await alice(store)
    broken = await invited(store, person, "broken@example.com")
    await invited(store, person)
    async with store.database.write() as connection:
        await connection.execute(update(appointments).where(appointments.c.id == broken.id).values(content=b"no"))
    await send(store, server, time)
    assert [mail.recipient for mail in server.taken] == [TO]
