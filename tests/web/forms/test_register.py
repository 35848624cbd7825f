"""Registering as people meet it: a page that says the same to everybody, a mail, the pages behind its link."""

import logging
import re
from urllib.parse import urlencode

import pytest

from practice.settings import WAYS
from signaling.limiter import REGISTERED_NETWORK, REGISTERING_ADDRESS, REGISTERING_NETWORK
from signaling.sessions import PLAIN
from signaling.typedefs import LIMITER, REGISTERING, SETTINGS
from tests.browser.test_accessibility import judge
from tests.chromium import chromium
from tests.organisations import OPERATOR, scope_of
from tests.servers.mail import MailServer
from tests.signaling.authenticator import Authenticator
from tests.signaling.conftest import Server, postman_of
from tests.web.forms.conftest import Browser, Seen
from tests.web.forms.test_passkeys import offered
from tests.web.forms.test_security import codes_of
from tests.web.practice.conftest import owner
from tests.web.practice.test_invitations import OURS, text
from tests.web.practice.test_people import roles, send

__all__ = ["owner"]

MAIL = "noor@practice.example"
ACCOUNT = {"display_name": "Noor de Wit", "password": "vier losse woorden samen", "language": "fr"}
OWN = {"organisation": "Huis aan de Gracht", "address": "", "phone": "", "zone": "Europe/Amsterdam"}


@pytest.fixture(autouse=True)
async def opened(mailing: Server, owner: Browser) -> Server:
    """Both ways are open, and an owner lists a domain."""
    mailing.store.registrations.ways = frozenset(WAYS)
    scope = await scope_of(mailing.store, mailing.alice.id)
    await mailing.store.mail_domains.add(scope, "practice.example", "assistant", approval=False)
    return mailing


@pytest.fixture
def stranger(mailing: Server) -> Browser:
    return Browser(mailing, "a stranger")


async def ask(browser: Browser, mail: str = MAIL) -> Seen:
    return await browser.send("/register", urlencode({"mail": mail}))


async def link(server: Server, mail: str = MAIL) -> str:
    """That of the newest mail."""
    before = await links(server)
    await ask(Browser(server, "a stranger"), mail)
    (made,) = await links(server) - before
    return made


async def links(server: Server) -> set[str]:
    await server.app[REGISTERING].look()
    seeds = [one.news.values.get("registration") for one in await server.store.notices.waiting()]
    return {f"/register/{server.store.registrations.token(seed)}" for seed in seeds if seed}


async def told(server: Server) -> list[tuple[str, str]]:
    """Which mail about registering is to go, and to whom."""
    waiting = [one.news for one in await server.store.notices.waiting()]
    return sorted((one.word, one.to) for one in waiting if one.word.startswith("register"))


async def house(server: Server) -> str:
    return str((await scope_of(server.store, server.alice.id)).organisation)


async def account(server: Server, mail: str = MAIL) -> str:
    found = await server.store.practitioners.id_by_mail(OPERATOR, mail)
    assert found is not None
    return found


async def accept(server: Server, path: str, who: str = "noor", **changes: str) -> Seen:
    return await Browser(server, who).send(f"{path}/accept", urlencode(ACCOUNT | changes))


async def acts(server: Server) -> list[tuple[str, str | None]]:
    return [(one.act, one.detail) async for one in server.store.audit.entries()]


async def test_closed_there_is_no_page_and_no_link_to_one(mailing: Server, stranger: Browser) -> None:
    path = await link(mailing)
    assert 'href="/register"' in (await stranger.get("/signin")).html
    mailing.store.registrations.ways = frozenset()
    page = await stranger.get("/register")
    assert "Hier maakt niemand zelf een account." in text(page) and 'name="mail"' not in page.html
    assert 'href="/register"' not in (await stranger.get("/signin?lang=fr")).html
    for gone in (path, f"{path}/own", f"{path}/in/{await house(mailing)}"):
        assert (await stranger.get(gone)).status == 404
    assert (await ask(stranger)).status == 404
    assert (await accept(mailing, f"{path}/own", **OWN)).status == 404
    assert mailing.app[REGISTERING]._asked == []


async def test_whoever_asks_learns_nothing(mailing: Server, stranger: Browser) -> None:
    mails = (MAIL, "alice@example.org", "nobody@elsewhere.example", "no address")
    mailing.store.registrations.ways = frozenset({"domains"})
    answers = [await ask(stranger, mail) for mail in mails]
    assert {(one.status, one.location, one.html) for one in answers} == {(303, "/register?done=register", "")}
    assert "Als u met dit adres een account kunt maken" in text(await stranger.get(answers[0].location))
    assert await told(mailing) == [], "nobody has looked yet"
    await mailing.app[REGISTERING].look()
    assert await told(mailing) == [("register", MAIL), ("register-known", "alice@example.org")]
    assert [one for one in await acts(mailing) if one[0] == "registration-asked"] == [
        ("registration-asked", "new"),
        ("registration-asked", "known"),
    ]


async def test_the_mail_brings_the_link_that_makes_an_account(
    mailing: Server, stranger: Browser, mails: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    """By a real mail server, as somebody reads it."""
    caplog.set_level(logging.DEBUG)
    postman = postman_of(mailing, mails.settings())
    await ask(stranger)
    await mailing.app[REGISTERING].look()
    await postman.round()
    (mail,) = [one for one in mails.taken if one.recipient == MAIL]
    assert mail.message["Subject"] == "Maak uw account"
    (path,) = re.findall(rf"{mailing.origin}(/register/\S+)", mail.text)
    here = f"{path}/in/{await house(mailing)}"
    for page in (path, here, f"{here}/passkey"):
        seen = await Browser(mailing, "a scanner").get(page)
        assert (seen.status, seen.headers["Cache-Control"]) == (200, "no-store")
        assert seen.headers["Referrer-Policy"] == "strict-origin"
    assert f'href="{here}"' in (await stranger.get(path)).html
    done = await accept(mailing, here)
    assert (done.status, done.location) == (303, "/account/security?done=joined")
    assert "Uw account is gemaakt" in text(await Browser(mailing, "noor").get(done.location))
    assert await roles(mailing, await account(mailing)) == {"assistant"}
    assert ("account-added", "registered") in await acts(mailing)
    assert (await accept(mailing, here, "somebody else")).status == 404
    assert (await stranger.get(path)).status == 404
    said = " ".join(str(one.__dict__) for one in caplog.records if one.name.startswith(OURS))
    assert path.rpartition("/")[2] not in said and MAIL not in said


async def test_an_organisation_of_ones_own(mailing: Server) -> None:
    path = await link(mailing, "noor@elsewhere.example")
    page = await Browser(mailing, "noor").get(f"{path}/own")
    assert "Een eigen organisatie" in text(page) and page.field("zone")["value"] == "Europe/Amsterdam"
    assert (await Browser(mailing, "noor").get(f"{path}/in/{await house(mailing)}")).status == 404
    done = await accept(mailing, f"{path}/own", **OWN)
    assert done.status == 303
    noor = await account(mailing, "noor@elsewhere.example")
    assert await roles(mailing, noor) == {"owner", "practitioner"}
    page = await Browser(mailing, "noor").get("/practice/organisation")
    assert page.field("organisation")["value"] == OWN["organisation"]
    assert "Bob" not in (await Browser(mailing, "noor").get("/practice/people")).html
    assert ("organisation-founded", None) in await acts(mailing)


async def test_with_a_passkey_alone_in_an_organisation_of_ones_own(mailing: Server) -> None:
    device, path = Authenticator(mailing.origin), f"{await link(mailing)}/own"
    browser = Browser(mailing, "noor")
    page = await browser.get(f"{path}/passkey")
    fields = {"display_name": "Noor", "language": "nl", "name": "Sleutel", "challenge": page.hidden("challenge")}
    made = device.made(offered(page)["bytes"])
    sent = await browser.send(f"{path}/passkey/make", urlencode(fields | OWN | made))
    assert sent.status == 200 and len(codes_of(sent)) == 10
    assert await roles(mailing, await account(mailing)) == {"owner", "practitioner"}
    assert ("factor-added", "passkey") in await acts(mailing)
    assert (await browser.get("/account/security")).status == 200
    again = await browser.send(f"{path}/passkey/make", urlencode(fields | OWN | made))
    assert again.status in (404, 409)


@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        ({"display_name": "N\u043eor"}, "display_name", "letters van één schrift"),
        ({"organisation": "Pr\u0430ktijk Zuid"}, "organisation", "letters van één schrift"),
        ({"organisation": "praktijk v00rbeeld"}, "organisation", "Er is al een organisatie"),
        ({"zone": "Mars"}, "zone", "klopt niet"),
        ({"password": "kort"}, "password", "te kort"),
        ({"password": "password123"}, "password", ""),
    ],
)
async def test_one_clear_error_for_each_and_the_link_stays_good(
    mailing: Server, changes: dict[str, str], field: str, says: str
) -> None:
    path = f"{await link(mailing)}/own"
    page = await accept(mailing, path, **OWN | changes)
    assert page.status == 422 and says in page.described(field)
    assert page.field(field)["aria-invalid"] == "true"
    assert (await accept(mailing, path, **OWN)).status == 303


async def test_whose_address_has_an_account_meanwhile_is_told(mailing: Server) -> None:
    path = await link(mailing)
    await mailing.store.organisation.add_account(OPERATOR, MAIL, "correct horse battery", "Somebody", "nl")
    page = await accept(mailing, f"{path}/own", **OWN)
    assert page.status == 409 and "intussen al een account gemaakt" in text(page)


async def test_where_a_second_factor_comes_first_nothing_else_is_open(mailing: Server) -> None:
    demanded = {"second_factor": "demanded", "second_factor_grace_days": 0}
    mailing.app._state[SETTINGS] = mailing.app[SETTINGS].model_copy(update=demanded)
    assert (await accept(mailing, f"{await link(mailing)}/own", **OWN)).status == 303
    noor = Browser(mailing, "noor")
    assert (await noor.get("/account/security/app")).status == 200
    assert (await noor.get("/account")).location == "/signin?next=/account"


async def test_tries_are_counted(mailing: Server, stranger: Browser) -> None:
    for _ in range(REGISTERING_ADDRESS.tries + 2):
        assert (await ask(stranger)).status == 303
    assert len(await links(mailing)) == REGISTERING_ADDRESS.tries
    for number in range(REGISTERING_NETWORK.tries - REGISTERING_ADDRESS.tries - 2):
        assert (await ask(stranger, f"{number}@practice.example")).status == 303
    refused = await ask(stranger, "noor@elsewhere.example")
    assert refused.status == 429 and refused.headers["Retry-After"]
    await mailing.app[LIMITER]._redis.flushall()
    for _ in range(REGISTERED_NETWORK.tries):
        assert (await stranger.get(f"/register/{'A' * 43}")).status == 404
    assert (await stranger.get(f"/register/{'A' * 43}")).status == 429


# --- who waits -------------------------------------------------------------------------------------------------------


async def waiting(server: Server, name: str = "Noor de Wit") -> str:
    scope = await scope_of(server.store, server.alice.id)
    await server.store.mail_domains.add(scope, "gmail.com", "practitioner", approval=False)
    path = f"{await link(server, 'noor@gmail.com')}/in/{await house(server)}"
    page = await accept(server, path, display_name=name)
    assert page.status == 200 and "Uw verzoek is ontvangen" in text(page)
    assert not any(one.key == "sid" for one in server.jars.get("noor", []))
    return await account(server, "noor@gmail.com")


async def signs_in(server: Server) -> bool:
    body = {"mail": "noor@gmail.com", "password": ACCOUNT["password"]}
    return (await server.call("POST", "/api/v1/sign-in", body, who="noor again")).status == 200


async def test_who_waits_is_let_in_by_who_looks_after_people(mailing: Server, owner: Browser) -> None:
    noor = await waiting(mailing, "B0b")
    assert not await signs_in(mailing)
    told = [one.news.to for one in await mailing.store.notices.waiting() if one.news.word == "arrival"]
    assert told == [mailing.alice.mail]
    page = await owner.get("/practice/people")
    arrivals = page.html.partition('data-testid="arrivals"')[2].partition("</ul>")[0]
    assert "noor@gmail.com" in arrivals and "deze naam lijkt op die van" in arrivals and "Bob" in arrivals
    person = await owner.get(f"/practice/people/{noor}")
    assert "Heeft zelf een account gemaakt" in text(person) and 'data-testid="set-state"' not in person.html
    done = await send(owner, "/practice/arrivals/let-in", account=noor)
    assert (done.status, done.location) == (303, "/practice/people?done=let-in")
    assert await signs_in(mailing)
    told = [one.news.word for one in await mailing.store.notices.waiting() if one.news.to == "noor@gmail.com"]
    assert "let-in" in told and ("member-let-in", None) in await acts(mailing)
    assert (await send(owner, "/practice/arrivals/turn-down", account=noor)).status == 404
    assert 'data-testid="arrivals"' not in (await owner.get("/practice/people")).html


async def test_who_is_turned_down_has_no_account_any_more_and_is_told(mailing: Server, owner: Browser) -> None:
    noor = await waiting(mailing)
    done = await send(owner, "/practice/arrivals/turn-down", account=noor)
    assert (done.status, done.location) == (303, "/practice/people?done=turned-down")
    assert await mailing.store.practitioners.id_by_mail(OPERATOR, "noor@gmail.com") is None
    told = [one.news.word for one in await mailing.store.notices.waiting() if one.news.to == "noor@gmail.com"]
    assert "turned-down" in told
    assert {"member-turned-down", "account-closed"} <= {act for act, _ in await acts(mailing)}
    assert (await send(owner, "/practice/arrivals/let-in", account=noor)).status == 404


@pytest.mark.browser
async def test_a_browser_registers_on_pages_that_anybody_can_use(mailing: Server, owner: Browser) -> None:
    """Without scripts; each page is judged, on a phone."""
    await waiting(mailing)
    before = await links(mailing)
    session = next(one for one in mailing.jars["alice"] if one.key == PLAIN)
    async with chromium() as browser:
        context = await browser.new_context(locale="de-DE", viewport={"width": 390, "height": 844})
        page = await context.new_page()
        await page.goto(f"{mailing.origin}/signin")
        await page.get_by_test_id("register").click()
        await page.get_by_label("E-Mail-Adresse").fill(MAIL)
        await judge(page, "register")
        await page.get_by_test_id("send-link").click()
        await page.get_by_role("status").wait_for()
        (path,) = await links(mailing) - before
        await page.goto(f"{mailing.origin}{path}")
        await judge(page, "the link")
        await page.get_by_test_id("register-own").click()
        await judge(page, "an organisation of one's own")
        await page.get_by_test_id("by-passkey").click()
        await judge(page, "with a passkey")
        await page.go_back()
        await page.go_back()
        await page.get_by_test_id("register-in").click()
        await page.get_by_label("Name", exact=True).fill("Noor")
        await page.get_by_label("Passwort").fill("vier losse woorden samen")
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"{mailing.origin}/account/security?done=joined")
        await context.add_cookies([{"name": PLAIN, "value": session.value, "url": mailing.origin}])
        for address in ("/practice/people", "/practice/mail-domains"):
            await page.goto(f"{mailing.origin}{address}")
            await judge(page, address)
        await context.close()
