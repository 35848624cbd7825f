"""What was written follows its appointment: its reminders when it moves, all of it when it becomes another's."""

from datetime import timedelta

import pytest

from practice.agenda.cancelling import FAREWELL, UNDO
from practice.invitations.courier import MISSES
from practice.invitations.letter import letter
from practice.invitations.port import Parcel
from practice.storage import Store
from tests.opening import of
from tests.people import START, Time, alice
from tests.practice.handing import Cast
from tests.practice.outbox import TO, courier, event, invited, moved, rows, send, states, subjects
from tests.practice.posting import server, store
from tests.servers.mail import MailServer
from vault.errors import DomainError

__all__ = ["server", "store"]


async def test_reminders_follow_the_appointment(store: Store, server: MailServer, time: Time, cast: Cast) -> None:
    await store.policies.change(cast.noor, None, (), 0, (1, 24))
    made = await invited(store, cast.alice)
    await send(store, server, time)
    assert await states(store, made) == [("invitation", "sent"), ("reminder", "queued"), ("reminder", "queued")]
    time.pass_(hours=24)
    await send(store, server, time)
    assert subjects(server) == ["Uw", "Herinnering:"]
    after = await moved(store, made, hours=5)
    await send(store, server, time)
    assert subjects(server)[2:] == ["Gewijzigd:"]
    time.pass_(seconds=(after.starts_at - timedelta(hours=1) - time.now()).total_seconds())
    await courier(store, server).round()
    assert subjects(server)[3:] == ["Herinnering:"] * 2, "of the new time, each"
    await store.appointments.cancel(of(made.owner), made.id, held=False)
    await send(store, server, time)
    time.pass_(days=3)
    await courier(store, server).round()
    assert subjects(server)[5:] == ["Geannuleerd:"]


async def test_handed_over_it_goes_along(store: Store, server: MailServer, time: Time, cast: Cast) -> None:
    """What waits goes once, with the link that leads on, and what was told is known to whoever has it now."""
    giver, taker = cast.alice, cast.bob
    told = await invited(store, giver)
    await send(store, server, time)
    waits = await invited(store, giver, "another@example.com")
    assert await cast.hand_over() == 2
    day = (START + timedelta(days=2)).date()
    mine = await store.appointments.list(of(taker.id), day, day)
    assert {one.id for one in mine}.isdisjoint({told.id, waits.id})
    found = await store.outbox.of(mine)
    assert sorted(each.state for those in found.values() for each in those) == ["queued", "sent"]
    await send(store, server, time)
    await store.retention.sweep()
    assert [mail.recipient for mail in server.taken] == [TO, "another@example.com"]
    assert len({event(mail)["UID"] for mail in server.taken}) == 2
    heir = next(one for one in mine if found[one.id][0].state == "sent")
    await moved(store, heir, hours=1)
    await send(store, server, time)
    assert subjects(server)[-1] == "Gewijzigd:"
    assert event(server.taken[-1])["UID"] == event(server.taken[0])["UID"]


async def test_who_is_still_to_come_is_told_that_the_account_ends(store: Store, server: MailServer, time: Time) -> None:
    person = await alice(store)
    told, unsent = await invited(store, person), await invited(store, person, "never@example.com")
    await store.appointments.create(of(person.id), "Nobody to tell", told.starts_at, 30, "nl")
    server.on_recipient = lambda address: "451 later" if address.startswith("never") else None
    await send(store, server, time)
    closed = await store.retention.close(of(person.id))
    assert closed.receipt is None, "one is still to be told"
    assert await store.keys.receipt(person.id, unsent.id) is not None, "of it nobody was told"
    assert await store.keys.receipt(person.id, told.id) is None
    await send(store, server, time)
    await store.retention.sweep()
    assert subjects(server) == ["Uw", "Geannuleerd:"]
    assert await store.keys.receipt(person.id, person.id) is not None
    assert await rows(store) == []


async def test_an_account_ends_ten_minutes_later_at_the_latest(store: Store, server: MailServer, time: Time) -> None:
    person = await alice(store)
    told = await invited(store, person)
    await send(store, server, time)
    server.on_recipient = lambda _: "451 later"
    await store.retention.close(of(person.id))
    await send(store, server, time)
    with pytest.raises(DomainError):
        await store.appointments.keep(of(person.id), told.id)
    time.pass_(seconds=FAREWELL.total_seconds() - UNDO.total_seconds())
    await store.retention.sweep()
    assert await store.keys.receipt(person.id, person.id) is not None


async def test_one_that_cannot_be_made_keeps_no_other_back(
    store: Store, server: MailServer, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await alice(store)
    broken = await invited(store, person, "broken@example.com")
    await invited(store, person)

    def broken_or_made(parcel: Parcel, sender: str) -> bytes:
        if parcel.appointment.id == broken.id:
            raise RuntimeError("no part of ours")
        return letter(parcel, sender)

    monkeypatch.setattr("practice.invitations.mail.letter", broken_or_made)
    await send(store, server, time)
    assert [one.recipient for one in server.taken] == [TO]
    assert await states(store, broken) == [("invitation", "queued")]


async def test_a_server_that_is_away_is_asked_a_few_times_and_not_for_each(
    store: Store, server: MailServer, time: Time
) -> None:
    person = await alice(store)
    for number in range(6):
        await invited(store, person, f"person{number}@example.com")
    time.pass_(seconds=UNDO.total_seconds())
    sender = courier(store, server, port=1)
    await sender.round()
    assert dict(sender.fates) == {"later": MISSES}
    await courier(store, server).round()
    assert len(server.taken) == 6 - MISSES
    time.pass_(minutes=5)
    await courier(store, server).round()
    assert len(server.taken) == 6


async def test_who_cancels_without_telling_destroys_in_ten_seconds(
    store: Store, server: MailServer, time: Time
) -> None:
    made = await invited(store, await alice(store))
    await send(store, server, time)
    off = await store.appointments.cancel(of(made.owner), made.id, held=False, tell=False)
    assert off.due == time.now() + UNDO
    await send(store, server, time)
    await store.retention.sweep()
    assert subjects(server) == ["Uw"]
    assert await store.keys.receipt(made.owner, made.id) is not None
