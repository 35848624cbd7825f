"""The calendar feed: its address is shown once and kept as a hash; it has times and no names, and dies too."""

from datetime import timedelta
from urllib.parse import urlencode, urlsplit

import pytest
from icalendar import Calendar

from practice.feeds.records import FEEDS
from tests.opening import of
from tests.organisations import scope_of
from tests.signaling.conftest import Server
from tests.web.forms.conftest import Browser, Seen

WHERE = "/account/feed"


@pytest.fixture
def stranger(server: Server) -> Browser:
    return Browser(server, "a stranger")


async def press(browser: Browser, form: str) -> Seen:
    return await browser.send(f"{WHERE}/{form}", urlencode({"form_token": await browser.token()}))


async def made(browser: Browser) -> str:
    page = await press(browser, "make")
    assert page.status == 200
    return urlsplit(page.html.partition('data-testid="feed-address">')[2].partition("<")[0]).path


async def test_it_has_the_times_and_no_names(server: Server, alice: Browser, stranger: Browser) -> None:
    one = await server.appoint(server.alice, 600)
    page = await alice.get(WHERE)
    assert "geen abonnement" in page.html and "kunnen wij niet vernietigen" in page.html
    address = await made(alice)
    found = await stranger.get(address)
    assert found.status == 200 and one.patient not in found.html and one.secret not in found.html
    assert one.id not in found.html
    (event,) = Calendar.from_ical(found.html).walk("VEVENT")
    times = (one.starts_at.replace(microsecond=0), one.ends_at.replace(microsecond=0))
    assert (event.decoded("dtstart"), event.decoded("dtend")) == times
    assert str(event["summary"]) == "Bezet"
    assert str(event["url"]) == f"{server.origin}/desk"
    page = await alice.get(WHERE)
    assert address not in page.html and "Er is een abonnement" in page.html


async def test_no_other_address_reads_anything(server: Server, alice: Browser, stranger: Browser) -> None:
    first = await made(alice)
    second = await made(alice)
    assert (await stranger.get(first)).status == 404, "the new one took its place"
    assert (await stranger.get(second)).status == 200
    for other in ("/calendar/x.ics", f"/calendar/{'A' * 43}.ics", f"/calendar/{'é' * 30}.ics", "/calendar/.ics"):
        assert (await stranger.get(other)).status == 404
    assert (await press(alice, "end")).status == 303
    assert (await stranger.get(second)).status == 404


async def test_it_is_nowhere_in_clear_and_dies_with_the_account(
    server: Server, alice: Browser, stranger: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    address = await made(alice)
    token = address.rpartition("/")[2].removesuffix(".ics")
    assert (await stranger.get(address)).status == 200
    rows = await server.store.database.ask(FEEDS.living())
    assert rows and not any(token.encode() in bytes(str(tuple(row)), "utf-8") for row in rows)
    assert token not in caplog.text
    await server.store.retention.close(await scope_of(server.store, server.alice.id))
    assert (await stranger.get(address)).status == 404


async def test_it_reaches_a_month_back_and_a_year_ahead(server: Server, alice: Browser, stranger: Browser) -> None:
    address, now = await made(alice), server.time.now()
    store = server.store.appointments
    for days in (-2, 1, 300, 500):
        await store.create(of(server.alice.id), "Jan", now + timedelta(days=days), 20, "nl")
    found = Calendar.from_ical((await stranger.get(address)).html).walk("VEVENT")
    assert [round((one.decoded("dtstart") - now) / timedelta(days=1)) for one in found] == [-2, 1, 300]
    assert len({str(one["uid"]) for one in found}) == 3
