"""Places in the queue of an open hour: who gets none, who loses one, and whose appointment is left alone then."""

from datetime import timedelta
from ipaddress import ip_network
from zoneinfo import ZoneInfo

import pytest

from practice.agenda.changes import Correction
from practice.agenda.guests import Invitee
from practice.bookings.model import OpenHour
from signaling.gate import SIGNALING
from signaling.walking_in import KEPT, UNUSED
from tests.opening import of
from tests.practice.outbox import courier, subjects
from tests.practice.posting import server as mail_server
from tests.servers.mail import MailServer
from tests.signaling.conftest import Server
from tests.web.forms.conftest import Browser
from tests.web.forms.test_open_hour import (
    come,
    eventually,
    link_of,
    number_of,
    of_alice,
    opened,
    waiting,
    walking_in,
)
from vault.errors import DomainError

__all__ = ["mail_server"]


async def test_who_comes_while_it_closes_gets_no_number(server: Server) -> None:
    page, alice = await opened(server), of(server.alice.id)
    seen = await server.store.bookings.receiving(page.split("/")[2], ZoneInfo("UTC"))
    assert seen is not None and seen[1] is not None
    for closed in ("shut", "readdressed"):
        if closed == "shut":
            await server.store.bookings.set_hour(alice, OpenHour(minutes=15), seen[0].version)
        else:
            await opened(server)
            await server.store.bookings.readdress(alice, (await server.store.bookings.of(alice)).version)
        with pytest.raises(DomainError, match="ended"):
            await walking_in(server).come(seen[0], "Noor de Wit", "nl", "")
        queue = await server.app[SIGNALING].consults.beside.walk_ins.of(server.alice.id)
        assert (await of_alice(server), queue.spots) == ([], ()), closed


@pytest.mark.parametrize("networks", [(None,) * 3, ("2001:db8:1:1::/64", "2001:db8:1:2::/64", "2001:db8:1:ffff::/64")])
async def test_a_customers_networks_and_all_unknown_ones_count_as_one(
    server: Server, monkeypatch: pytest.MonkeyPatch, networks: tuple[str | None, ...]
) -> None:
    page, stranger, answers = await opened(server), Browser(server, "a stranger"), []
    for network in (*networks, "2001:db8:2:1::/64"):
        where = network and ip_network(network)
        monkeypatch.setattr("web.open_hour.client_network", lambda _, where=where: where)
        answers.append((await come(stranger, page)).status)
    assert answers == [200, 200, 429, 200]


async def test_a_number_whose_link_nobody_opened_is_kept_for_two_minutes(server: Server) -> None:
    page, stranger = await opened(server), Browser(server, "a stranger")
    links = [link_of(await come(stranger, page)) for _ in range(2)]
    assert (await come(stranger, page)).status == 429
    assert (await server.call("POST", "/api/v1/join", {"link": links[1]})).status == 200
    server.time.ahead += UNUSED - timedelta(seconds=30)
    await walking_in(server).look()
    assert not any(one.cancelled_at for one in await of_alice(server))
    server.time.ahead += timedelta(minutes=1)
    await walking_in(server).look()
    off = {one.number for one in await of_alice(server) if one.cancelled_at}
    assert off == {1}, "who looks at their devices first keeps theirs"
    assert number_of(await come(stranger, page)) == 3


async def test_who_was_received_is_not_cancelled_when_they_are_gone(server: Server) -> None:
    page, stranger = await opened(server), Browser(server, "a stranger")
    links = [link_of(await come(stranger, page)) for _ in range(2)]
    met, held = [link[:22] for link in links]
    signaling = server.app[SIGNALING]
    async with waiting(server, links[0]) as noor:
        (one,) = [one for one in await of_alice(server) if one.id == met]
        await server.run(one)
        consult = await signaling.consults.live.load(met)
        assert consult is not None
        await signaling.desks.greeting.call_in(server.alice.id, met, consult.waiting[0].id)

        async def left() -> str | None:
            found = await signaling.consults.live.load(met)
            return None if found and found.met and len(found.participants) == 1 else f"{found}"

        await noor.wire.request("leave")
        await eventually(left)
    await server.store.appointments.attend(of(server.alice.id), held, "held")
    server.time.ahead += KEPT + timedelta(minutes=1)
    await walking_in(server).look()
    assert not any(one.cancelled_at for one in await of_alice(server))
    assert (await signaling.consults.beside.walk_ins.of(server.alice.id)).spots == ()


async def test_who_is_in_when_all_are_sent_away_stays(server: Server) -> None:
    page, stranger = await opened(server), Browser(server, "a stranger")
    link = link_of(await come(stranger, page))
    async with waiting(server, link):
        (one,) = await of_alice(server)
        await server.run(one)
        assert await walking_in(server).send_away(server.alice.id) == []
        assert (await of_alice(server))[0].cancelled_at is None
        assert len((await server.app[SIGNALING].consults.beside.walk_ins.of(server.alice.id)).spots) == 1


@pytest.mark.parametrize("there", [True, False])
async def test_one_that_was_moved_is_an_appointment_as_any_other(server: Server, there: bool) -> None:
    page, stranger = await opened(server), Browser(server, "a stranger")
    link = link_of(await come(stranger, page))
    async with waiting(server, link):
        (one,) = await of_alice(server)
        tomorrow = Correction(one.version, starts_at=one.starts_at + timedelta(days=1))
        moved = await server.store.appointments.change(of(server.alice.id), one.id, tomorrow)
        server.time.ahead += KEPT + timedelta(minutes=1)
        if there:
            await walking_in(server).look()
    if not there:
        await walking_in(server).look()
    assert await of_alice(server) == [moved]
    assert (await server.app[SIGNALING].consults.beside.walk_ins.of(server.alice.id)).spots == ()


async def test_who_has_an_address_is_told_of_the_loss_and_not_of_the_wait(
    server: Server, mail_server: MailServer
) -> None:
    server.store.outbox.ways = frozenset({"mail"})
    page, stranger = await opened(server), Browser(server, "a stranger")
    link = link_of(await come(stranger, page))

    async def told() -> list[str]:
        server.time.ahead += timedelta(minutes=1)
        await courier(server.store, mail_server).round()
        return subjects(mail_server)

    async with waiting(server, link):
        (one,) = await of_alice(server)
        invitee = Invitee("Maria", "guest", "nl", mail="maria@elsewhere.example")
        await server.store.guests.add(of(server.alice.id), one.id, invitee)
        assert await told() == ["Uw"]
        for _ in range(3):
            server.time.ahead += KEPT
            await walking_in(server).look()
            assert await told() == ["Uw"]
        (after,) = await of_alice(server)
        assert after.starts_at - one.starts_at >= 3 * KEPT
        contact = after.guests[0].contact
        assert contact is not None and contact.sequence == 0
    server.time.ahead += KEPT + timedelta(minutes=1)
    await walking_in(server).look()
    assert await told() == ["Uw", "Geannuleerd:"]
