"""An open hour as people meet it: opened, a number, a place that is kept and lost, and closed."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
from redis.asyncio import Redis

from client.wire import Wire
from practice.agenda.model import Appointment
from practice.bookings.hours import closes
from practice.bookings.model import OpenHour
from rooms.consult_events import Close
from rooms.walk_ins import MINUTE
from signaling.gate import SIGNALING
from signaling.limiter import WALKING_IN_NETWORK
from signaling.protocol.events import Arrive, Ended
from signaling.protocol.waiting_room import AnnouncedView, Declined, QueueView
from signaling.walking_in import KEPT, WalkingIn
from tests.client.waiting import PATIENCE, until
from tests.opening import of
from tests.organisations import scope_of
from tests.signaling.conftest import Server
from tests.web.forms.conftest import Browser, Seen
from tests.web.practice.conftest import owner
from vault.records.content import new_id

__all__ = ["owner"]

WHERE = "/account/open-hour"
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
WEEK = {**dict.fromkeys(DAYS, ""), "exceptions": "", "minutes": "10"}
NOW = datetime(2027, 3, 22, 8, tzinfo=UTC)
"""A Monday, at nine in Amsterdam."""

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
FULL = Declined(message="not-now", text="Morgen om negen uur weer.")


def hour(**given: Any) -> OpenHour:
    return OpenHour(**{"week": (((9 * 60, 10 * 60), (11 * 60, 24 * 60)), *((),) * 6)} | given)


@pytest.mark.parametrize(
    ("given", "minutes", "left"),
    [
        (hour(), -1, None),
        (hour(), 0, 60),
        (hour(), 59, 1),
        (hour(), 60, None),
        (hour(), 14 * 60, 60),
        (hour(), 15 * 60, None),
        (hour(exceptions={date(2027, 3, 22): ()}), 0, None),
        (hour(exceptions={date(2027, 3, 22): ((480, 600),)}), -30, 90),
        (hour(until=NOW + timedelta(minutes=90)), 0, 90),
        (hour(until=NOW + timedelta(minutes=90)), 75, 15),
        (hour(until=NOW + timedelta(minutes=90)), 90, None),
        (hour(shut=NOW + timedelta(minutes=60)), 10, None),
        (hour(shut=NOW + timedelta(minutes=60)), 120, 13 * 60),
    ],
)
def test_until_when_it_is_open(given: OpenHour, minutes: int, left: int | None) -> None:
    at = NOW + timedelta(minutes=minutes)
    assert closes(given, AMSTERDAM, at) == (None if left is None else at + timedelta(minutes=left))


async def change(browser: Browser, form: str, **fields: str) -> Seen:
    page = await browser.get(WHERE)
    known = {"form_token": page.hidden("form_token"), "version": page.hidden("version")}
    return await browser.send(f"{WHERE}/{form}", urlencode(known | fields))


async def opened(server: Server, **given: Any) -> str:
    """Alice's, for two hours from now on; the path of its page."""
    before = await server.store.bookings.of(of(server.alice.id))
    until_then = server.time.now() + timedelta(hours=2)
    made = OpenHour(**{"until": until_then} | given)
    availability = await server.store.bookings.set_hour(of(server.alice.id), made, before.version)
    return f"/book/{availability.token}/open"


async def come(browser: Browser, page: str, name: str = "Noor de Wit") -> Seen:
    return await browser.send(f"{page}/come", urlencode({"name": name}))


def link_of(seen: Seen) -> str:
    found = re.search(r'href="[^"]*/c#([\w-]{44})"', seen.html)
    assert found is not None, seen.html
    return found[1]


def number_of(seen: Seen) -> int:
    found = re.search(r"Uw nummer is (\d+)", seen.elements.text)
    assert found is not None, seen.html
    return int(found[1])


def walking_in(server: Server) -> WalkingIn:
    return server.app[SIGNALING].desks.walking_in


async def of_alice(server: Server) -> list[Appointment]:
    today = server.time.now().date()
    found = await server.store.appointments.list(
        of(server.alice.id), today - timedelta(days=1), today + timedelta(days=1)
    )
    return list(found)


async def eventually(reason: Callable[[], Awaitable[str | None]]) -> None:
    """Until there is no reason any more why not."""
    async with asyncio.timeout(PATIENCE):
        while await reason():  # noqa: ASYNC110 -- what it waits for is in Redis
            await asyncio.sleep(0.02)


class Waits:
    """A page that waits, and what it was told."""

    def __init__(self, server: Server, link: str) -> None:
        self.server = server
        self.appointment = link[:22]
        self.link = link
        self.me = new_id()
        self.heard: list[Any] = []
        self.wire = Wire(server.origin, lambda _, body: self.heard.append(body))

    async def arrive(self) -> None:
        token = (await self.server.call("POST", "/api/v1/join", {"link": self.link})).body["access_token"]
        await self.wire.open(token)
        await self.wire.request("arrive", Arrive(appointment=self.appointment, participant=self.me))

    @property
    def queue(self) -> QueueView | None:
        views = [one.queue for one in self.heard if isinstance(one, AnnouncedView)]
        return views[-1] if views else None


@asynccontextmanager
async def waiting(server: Server, link: str) -> AsyncIterator[Waits]:
    page = Waits(server, link)
    await page.arrive()
    try:
        yield page
    finally:
        await page.wire.close()


async def test_it_is_opened_and_closed_on_a_page(server: Server, owner: Browser) -> None:
    assert f'href="{WHERE}"' in (await owner.get("/account/booking")).html
    sent = await change(owner, "offer", **WEEK | {"monday": "9-10", "exceptions": "2027-12-25", "minutes": "15"})
    assert (sent.status, sent.location) == (303, f"{WHERE}?done=saved")
    page = await owner.get(WHERE)
    assert page.field("monday")["value"] == "09:00-10:00" and page.field("minutes")["value"] == "15"
    for form, wrong in (
        ("offer", WEEK | {"monday": "nine"}),
        ("offer", WEEK | {"minutes": "4"}),
        ("now", {"until": "x"}),
    ):
        assert (await change(owner, form, **wrong)).status == 422, wrong
    sent = await change(owner, "now", until="23:59")
    assert sent.location == f"{WHERE}?done=hour-open"
    page = await owner.get(WHERE)
    availability = await server.store.bookings.of(of(server.alice.id))
    assert f"{server.origin}/book/{availability.token}/open" in page.html
    assert "Open tot 23.59" in page.elements.text and not availability.terms.open
    sent = await change(owner, "close", queue="stay", text="")
    assert sent.location == f"{WHERE}?done=hour-closed"
    assert "nu gesloten" in (await owner.get(WHERE)).elements.text
    details = [one.detail async for one in server.store.audit.entries() if one.act == "availability-changed"]
    assert details == ["hours", "hour-open", "hour-closed"]
    kept = (await server.store.bookings.of(of(server.alice.id))).hour
    assert (kept.week[0], kept.minutes, kept.until) == (((540, 600),), 15, None)


async def test_closing_holds_until_these_hours_are_over(server: Server, owner: Browser) -> None:
    page = await opened(server, week=(((0, 24 * 60),),) * 7, until=None)
    assert 'data-testid="come"' in (await owner.get(page)).html
    await change(owner, "close", queue="stay", text="")
    assert 'data-testid="closed"' in (await owner.get(page)).html
    server.time.ahead += timedelta(days=1)
    assert 'data-testid="come"' in (await owner.get(page)).html


async def test_whoever_comes_gets_a_number_and_a_link_of_their_own(server: Server) -> None:
    page, stranger = await opened(server), Browser(server, "a stranger")
    shown = await stranger.get(page)
    assert shown.status == 200 and "nog niet bekend" in shown.elements.text
    for nothing in ("", " ", "\u200b"):
        assert (await come(stranger, page, nothing)).status == 422
    assert await of_alice(server) == []
    got = await come(stranger, page)
    assert (got.status, number_of(got)) == (200, 1)
    (one,) = await of_alice(server)
    assert (one.patient, one.number, one.contact, link_of(got)) == ("Noor de Wit", 1, None, one.id + one.secret)
    assert timedelta() <= server.time.now() - one.starts_at < timedelta(minutes=1)
    joined = await server.call("POST", "/api/v1/join", {"link": link_of(got)})
    assert joined.body["window"] == "open"
    entries = [(one.act, one.actor, one.detail) async for one in server.store.audit.entries()]
    assert ("appointment-created", "patient", "walked-in") in entries
    assert (await stranger.get(page.removesuffix("/open"))).status == 404, "nothing is offered for booking"


async def test_no_closed_hour_gives_a_number(server: Server, owner: Browser) -> None:
    never, stranger = await opened(server, until=None), Browser(server, "a stranger")
    for path in ("/book/x/open", f"/book/{'é' * 9}/open", never):
        assert (await stranger.get(path)).status == 404
        assert (await come(stranger, path)).status == 404
    scope = await scope_of(server.store, server.alice.id)
    await server.store.organisation.set_state(scope, server.bob.id, "deactivated")
    theirs = await server.store.bookings.set_hour(of(server.bob.id), hour(), 0)
    assert (await stranger.get(f"/book/{theirs.token}/open")).status == 404
    assert (await owner.get(WHERE)).html.count("/book/") == 0, "nor is its address told"
    page = await opened(server, minutes=15, until=None)
    assert (await come(stranger, page)).status == 410
    assert page in (await owner.get(WHERE)).html
    assert await of_alice(server) == []


async def test_a_queue_is_not_filled_by_one(server: Server) -> None:
    page, stranger = await opened(server), Browser(server, "a stranger")
    assert [number_of(await come(stranger, page)) for _ in range(2)] == [1, 2]
    third = await come(stranger, page)
    assert third.status == 429 and "Vanaf uw netwerk" in third.elements.text
    assert len(await of_alice(server)) == 2
    assert len(await walking_in(server).send_away(server.alice.id)) == 2
    for _ in range(WALKING_IN_NETWORK.tries - 3):
        await come(stranger, page)
    assert (await come(stranger, page)).status == 429
    assert len(await walking_in(server).send_away(server.alice.id)) == 2
    assert (await come(stranger, page)).status == 429, "so many are asked for in an hour"


async def test_who_waits_reads_their_place_and_the_desk_the_number(server: Server, owner: Browser) -> None:
    page, stranger = await opened(server), Browser(server, "a stranger")
    links = [link_of(await come(stranger, page, name)) for name in ("Noor", "Piet")]
    async with waiting(server, links[1]) as piet:
        first = QueueView(number=2, before=0, least=None, most=None)
        await until(lambda: None if piet.queue == first else f"{piet.queue}")
        async with waiting(server, links[0]) as noor:
            await until(lambda: None if noor.queue and noor.queue.number == 1 else f"{noor.queue}")
            await until(lambda: None if piet.queue and piet.queue.before == 1 else f"{piet.queue}")
            assert "Noor" not in str(piet.heard)
            desk = await server.app[SIGNALING].consults.live.desk(server.alice.id)
            assert {one.appointment: one.number for one in desk.waiting} == {links[0][:22]: 1, links[1][:22]: 2}
            booked = await server.appoint(server.alice)
            assert booked.number is None
            for length in (10, 10, 10):
                await server.app[SIGNALING].consults.beside.walk_ins.over(
                    server.alice.id, "held", server.time.now().date().isoformat(), length * MINUTE
                )
            known = QueueView(number=2, before=1, least=10, most=15)
            await until(lambda: None if piet.queue == known else f"{piet.queue}")
            shown = await stranger.get(page)
            assert "20 tot 25 minuten" in shown.elements.text


async def test_a_place_is_kept_for_ten_minutes_and_then_nobodys(server: Server) -> None:
    page, stranger = await opened(server), Browser(server, "a stranger")
    link = link_of(await come(stranger, page))
    async with waiting(server, link):
        server.time.ahead += timedelta(minutes=9)
        await walking_in(server).look()
    server.time.ahead += KEPT - timedelta(minutes=1)
    await walking_in(server).look()
    async with waiting(server, link) as again:
        await until(lambda: None if again.queue and again.queue.number == 1 else "no place")
    (one,) = await of_alice(server)
    assert one.cancelled_at is None
    server.time.ahead += KEPT + timedelta(minutes=2)
    await walking_in(server).look()
    server.time.ahead += timedelta(minutes=1)
    assert (await server.call("POST", "/api/v1/join", {"link": link})).status == 404
    entries = [(one.act, one.actor, one.detail) async for one in server.store.audit.entries()]
    assert ("appointment-cancelled", "server", "left") in entries
    assert number_of(await come(stranger, page)) == 2


async def test_who_stays_is_not_destroyed_while_they_wait(server: Server) -> None:
    await server.store.practitioners.set_retention(of(server.alice.id), "end")
    page, stranger = await opened(server), Browser(server, "a stranger")
    link = link_of(await come(stranger, page))
    async with waiting(server, link):
        for _ in range(12):
            server.time.ahead += timedelta(minutes=9)
            await walking_in(server).look()
        (one,) = await of_alice(server)
        assert server.time.now() - one.starts_at < timedelta(minutes=20)
        assert (await server.call("POST", "/api/v1/join", {"link": link})).status == 200


async def test_who_is_called_in_begins_no_more_anew_and_gives_up_the_place_at_the_end(server: Server) -> None:
    page, stranger = await opened(server), Browser(server, "a stranger")
    link = link_of(await come(stranger, page))
    signaling = server.app[SIGNALING]
    async with waiting(server, link):
        (one,) = await of_alice(server)
        await server.run(one)
        consult = await signaling.consults.live.load(one.id)
        assert consult is not None
        await signaling.desks.greeting.call_in(server.alice.id, one.id, consult.waiting[0].id)

        async def held() -> str | None:
            return None if (await of_alice(server))[0].attended else "nothing was noted yet"

        await eventually(held)
        server.time.ahead += timedelta(minutes=12)
        await walking_in(server).look()
        assert (await of_alice(server))[0].starts_at == one.starts_at, "their consult is what counts now"
        await signaling.consults.runner.apply(one.id, Close("ended"))

        async def over() -> str | None:
            queue = await signaling.consults.beside.walk_ins.of(server.alice.id)
            return None if not queue.spots and len(queue.lengths) == 1 else f"{queue}"

        await eventually(over)
    (length,) = (await signaling.consults.beside.walk_ins.of(server.alice.id)).lengths
    assert 12 * MINUTE <= length < 13 * MINUTE


async def test_whoever_closes_may_send_all_away_in_words(server: Server, owner: Browser) -> None:
    page, stranger = await opened(server), Browser(server, "a stranger")
    links = [link_of(await come(stranger, page)) for _ in range(2)]
    booked = await server.appoint(server.alice)
    async with waiting(server, links[0]) as one, waiting(server, booked.id + booked.secret) as other:
        await change(owner, "close", queue="go", text=FULL.text or "")
        ended = Ended(reason="ended", declined=FULL)
        await until(lambda: None if ended in one.heard else f"{one.heard}")
        assert ended not in other.heard, "who has an appointment stays"
    server.time.ahead += timedelta(minutes=1)
    for link in links:
        assert (await server.call("POST", "/api/v1/join", {"link": link})).status == 404
    assert (await server.call("POST", "/api/v1/join", {"link": booked.id + booked.secret})).status == 200
    assert (await come(stranger, page)).status == 410


async def test_numbers_outlive_an_emptied_redis(server: Server, redis: Redis) -> None:
    page, stranger = await opened(server), Browser(server, "a stranger")
    link = [link_of(await come(stranger, page)) for _ in range(2)][1]
    async with waiting(server, link) as one:
        await until(lambda: None if one.queue else "no place")
        await redis.flushdb()
        assert number_of(await come(stranger, page)) == 3, "storage knows them too"

    async def back() -> str | None:
        queue = await server.app[SIGNALING].consults.beside.walk_ins.of(server.alice.id)
        return None if [spot.number for spot in queue.spots] == [2, 3] else f"{queue}"

    async with waiting(server, link):
        await eventually(back)
