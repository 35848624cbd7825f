"""Booking by oneself as people meet it: hours on a page, free times, one held, digits from a mail, an appointment."""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest

from practice.bookings.model import Availability, Terms
from practice.mailed_digits import digits
from signaling.limiter import BOOKED_MAIL
from tests.browser.test_accessibility import judge
from tests.chromium import chromium
from tests.opening import of
from tests.organisations import scope_of
from tests.signaling.conftest import Server
from tests.web.forms.conftest import Browser, Seen
from tests.web.practice.conftest import owner

__all__ = ["owner"]

WHERE = "/account/booking"
HOURS = dict.fromkeys(("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"), "0-24")
OFFER = {
    "open": "on",
    **HOURS,
    "exceptions": "",
    "minutes": "30",
    "pause": "0",
    "notice": "1",
    "ahead": "14",
    "ancestors": "",
}
WHO = {"name": "Noor de Wit", "mail": "noor@elsewhere.example"}


@pytest.fixture
def stranger(mailing: Server, owner: Browser) -> Browser:
    mailing.store.outbox.ways = frozenset({"mail"})
    return Browser(mailing, "a stranger")


async def send(browser: Browser, form: str, version: int, **fields: str) -> Seen:
    token = (await browser.get(WHERE)).hidden("form_token")
    return await browser.send(f"{WHERE}/{form}", urlencode({"form_token": token, "version": version, **fields}))


async def offered(server: Server, **terms: object) -> tuple[Availability, str]:
    """An offer of Alice's, and the path of its page."""
    before = await server.store.bookings.of(of(server.alice.id))
    made = Terms(**{"week": (((0, 1440),),) * 7, "notice": 1, "ahead": 14, "open": True, **terms})  # type: ignore[arg-type] # as a caller has them
    availability = await server.store.bookings.set_terms(of(server.alice.id), made, before.version)
    return availability, f"/book/{availability.token}"


async def first(browser: Browser, page: str) -> str:
    """The path of the first free time."""
    found = re.search(rf'href="({page}/\d+)"', (await browser.get(page)).html)
    assert found is not None
    return found[1]


async def mailed(server: Server) -> list[str]:
    """The digits of the mails that wait."""
    told = [one.news for one in await server.store.notices.waiting() if one.news.word == "booking"]
    return [digits(server.store.keys.link_token(one.values["digits"])) for one in told]


async def test_hours_are_offered_and_read_back(mailing: Server, owner: Browser) -> None:
    assert f'href="{WHERE}"' in (await owner.get("/account")).html
    typed = {**OFFER, "saturday": "", "sunday": "9-12, 13.30-17", "exceptions": "2027-12-25\n2027-12-27 9-10",
             "ancestors": "Praktijk.example.org/"}  # fmt: skip
    sent = await send(owner, "offer", 0, **typed)
    assert (sent.status, sent.location) == (303, f"{WHERE}?done=saved")
    page = await owner.get(WHERE)
    assert page.field("sunday")["value"] == "09:00-12:00, 13:30-17:00" and page.field("saturday")["value"] == ""
    assert "2027-12-25\n2027-12-27 09:00-10:00" in page.html and "https://praktijk.example.org" in page.html
    availability = await mailing.store.bookings.of(of(mailing.alice.id))
    assert f"{mailing.origin}/book/{availability.token}" in page.html and availability.terms.open
    assert (await send(owner, "offer", 0, **OFFER)).status == 409
    sent = await send(owner, "readdress", 1)
    assert sent.status == 303 and availability.token not in (await owner.get(WHERE)).html
    acts = [(one.act, one.detail) async for one in mailing.store.audit.entries() if one.act == "availability-changed"]
    assert acts == [("availability-changed", "open"), ("availability-changed", "address")]


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("monday", "from nine"),
        ("exceptions", "christmas"),
        ("minutes", "4"),
        ("minutes", "a lot"),
        ("ahead", "0"),
        ("ancestors", "http://plain.example.org"),
        ("ancestors", "https://a.example.org; script-src *"),
        ("ancestors", "'self'"),
    ],
)
async def test_wrong_terms_come_back_with_a_word_beside_them(
    mailing: Server, owner: Browser, name: str, typed: str
) -> None:
    page = await send(owner, "offer", 0, **OFFER | {name: typed})
    assert page.status == 422 and page.field(name)["aria-invalid"] == "true"
    assert (await mailing.store.bookings.of(of(mailing.alice.id))).version == 0


async def test_a_stranger_books_without_an_account(mailing: Server, stranger: Browser) -> None:
    _, page = await offered(mailing)
    time = await first(stranger, page)
    shown = await stranger.get(time)
    assert shown.status == 200 and "Noor" not in shown.html
    sent = await stranger.send(f"{time}/hold", urlencode(WHO))
    assert sent.status == 303 and re.fullmatch(rf"{page}/held/[\w-]{{22}}", sent.location)
    (code,) = await mailed(mailing)
    held = await stranger.get(sent.location)
    assert "noor@elsewhere.example" in held.html and code not in held.html
    assert time not in (await stranger.get(page)).html
    wrong = await stranger.send(f"{sent.location}/confirm", urlencode({"code": "no digits"}))
    assert wrong.status == 422 and wrong.field("code")["aria-invalid"] == "true"
    done = await stranger.send(f"{sent.location}/confirm", urlencode({"code": code}))
    assert done.status == 200 and 'data-testid="booked"' in done.html
    today = datetime.now(UTC).date()
    (one,) = await mailing.store.appointments.list(of(mailing.alice.id), today, today + timedelta(days=400))
    assert (one.patient, one.contact and one.contact.mail) == ("Noor de Wit", "noor@elsewhere.example")
    assert (await stranger.get(sent.location)).status == 404
    assert (await stranger.send(f"{sent.location}/confirm", urlencode({"code": code}))).status == 404
    told = [(one.news.word, one.news.to) for one in await mailing.store.notices.waiting()]
    assert ("booked", mailing.alice.mail) in told
    acts = [(entry.act, entry.actor, entry.detail) async for entry in mailing.store.audit.entries()]
    assert ("appointment-created", "patient", "booked") in acts


async def test_looking_and_pressing_books_nothing(mailing: Server, stranger: Browser) -> None:
    _, page = await offered(mailing)
    time = await first(stranger, page)
    held = (await stranger.send(f"{time}/hold", urlencode(WHO))).location
    for _ in range(3):
        assert (await stranger.get(held)).status == 200
    assert (await stranger.send(f"{held}/confirm", urlencode({"code": ""}))).status == 422
    today = datetime.now(UTC).date()
    assert not await mailing.store.appointments.list(of(mailing.alice.id), today, today + timedelta(days=400))


async def test_what_is_gone_closed_or_of_somebody_who_left_is_not_found(mailing: Server, stranger: Browser) -> None:
    availability, page = await offered(mailing)
    time = await first(stranger, page)
    for path in ("/book/x", f"/book/{'é' * 9}", f"{page}/held/x", f"{page}/soon", f"{page}/{10**20}"):
        assert (await stranger.get(path)).status == 404, path
    other, _ = await offered(mailing, open=False)
    assert other.token == availability.token and (await stranger.get(page)).status == 404
    await offered(mailing)
    mailing.store.notices.on = False
    assert (await stranger.get(time)).status == 404
    mailing.store.notices.on = True
    scope = await scope_of(mailing.store, mailing.alice.id)
    await mailing.store.organisation.set_roles(scope, mailing.bob.id, ["owner"])
    other_owner = await scope_of(mailing.store, mailing.bob.id)
    await mailing.store.organisation.set_state(other_owner, mailing.alice.id, "deactivated")
    assert (await stranger.get(page)).status == 404


async def test_each_refusal_says_so(mailing: Server, stranger: Browser) -> None:
    _, page = await offered(mailing)
    time = await first(stranger, page)
    assert (await stranger.send(f"{time}/hold", urlencode(WHO))).status == 303
    second = await first(stranger, page)
    busy = await stranger.send(f"{second}/hold", urlencode(WHO | {"mail": "somebody@elsewhere.example"}))
    assert busy.status == 429 and "tien minuten" in busy.html
    taken = await stranger.send(f"{time}/hold", urlencode(WHO | {"mail": "somebody@elsewhere.example"}))
    assert taken.status == 409 and "net vergeven" in taken.html
    wrong = await stranger.send(f"{second}/hold", urlencode(WHO | {"mail": "nobody"}))
    assert wrong.status == 422 and wrong.field("mail")["aria-invalid"] == "true"
    for _ in range(BOOKED_MAIL.tries):
        await stranger.send(f"{second}/hold", urlencode(WHO))
    assert (await stranger.send(f"{second}/hold", urlencode(WHO))).status == 429


async def test_only_origins_that_were_named_show_it_in_a_frame(mailing: Server, stranger: Browser) -> None:
    _, page = await offered(mailing)
    plain = await stranger.get(page)
    assert "frame-ancestors 'none'" in plain.headers["Content-Security-Policy"]
    assert plain.headers["X-Frame-Options"] == "DENY"
    await offered(mailing, ancestors=("https://a.example.org", "https://b.example.org"))
    for path in (page, await first(stranger, page)):
        framed = await stranger.get(path)
        policy = framed.headers["Content-Security-Policy"]
        assert "frame-ancestors https://a.example.org https://b.example.org" in policy
        assert "X-Frame-Options" not in framed.headers and "Set-Cookie" not in framed.headers
    assert (await stranger.get("/signin")).headers["X-Frame-Options"] == "DENY"


async def test_two_weeks_are_shown_at_a_time(mailing: Server, stranger: Browser) -> None:
    _, page = await offered(mailing, ahead=40)
    shown = await stranger.get(page)
    assert shown.html.count('<ul class="times">') == 14 and 'data-testid="earlier"' not in shown.html
    later = re.search(rf'href="({page}\?from=[\d-]+)" data-testid="later"', shown.html)
    assert later is not None
    after = await stranger.get(later[1])
    assert 'data-testid="earlier"' in after.html and 'data-testid="later"' in after.html
    assert (await stranger.get(f"{page}?from=soon")).html.count('<ul class="times">') == 14
    await offered(mailing, week=((),) * 7)
    assert 'data-testid="no-times"' in (await stranger.get(page)).html


@pytest.mark.browser
@pytest.mark.usefixtures("stranger")
async def test_a_browser_books_on_pages_that_anybody_can_use(mailing: Server) -> None:
    """On a phone, in French; each page is judged."""
    _, path = await offered(mailing, minutes=240)
    async with chromium() as browser:
        context = await browser.new_context(locale="fr-FR", viewport={"width": 390, "height": 844})
        page = await context.new_page()
        await page.goto(f"{mailing.origin}{path}")
        await judge(page, "free times")
        await page.locator("ul.times a").first.click()
        await page.get_by_label("Votre nom").fill(WHO["name"])
        await page.get_by_label("Adresse e-mail").fill(WHO["mail"])
        await judge(page, "a time")
        await page.get_by_test_id("hold").click()
        await page.get_by_label("Code").fill((await mailed(mailing))[0])
        await judge(page, "digits")
        await page.get_by_test_id("confirm").click()
        await page.get_by_test_id("booked").wait_for()
        await judge(page, "booked")
        await context.close()
