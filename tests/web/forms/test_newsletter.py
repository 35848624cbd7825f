"""The newsletter's pages: turned on and off, confirmed behind a link, left by a button and by a mail program."""

from collections.abc import Callable
from datetime import UTC
from urllib.parse import urlencode

import aiohttp
import pytest

from practice.circulars.model import WORDING
from practice.outgoing import Door
from practice.settings import PracticeSettings
from signaling import mailing as sending
from signaling.typedefs import POSTMAN, PRESS
from tests.organisations import scope_of
from tests.practice.newsletter import Seeds
from tests.servers.mail import MailServer
from tests.signaling.conftest import Server, postman_of
from tests.web.forms.conftest import Browser, Seen
from tests.web.practice.conftest import owner
from web.locale import CATALOGUES

__all__ = ["owner"]

AGREED = {
    1: {
        "nl": "Ik wil per mail nieuws van mijn organisatie ontvangen. Ik kan dat op elk moment met één klik stoppen.",
        "en": "I want news of my organisation by mail. I can stop that at any moment with one click.",
        "de": "Ich möchte Neues aus meiner Organisation per E-Mail bekommen. "
        "Ich kann das jederzeit mit einem Klick beenden.",
        "fr": "Je souhaite recevoir par e-mail des nouvelles de mon organisation. "
        "Je peux y mettre fin à tout moment en un clic.",
    }
}  # fmt: skip
"""By version: whoever changes the sentence counts on, and leaves what was agreed to before."""


@pytest.fixture
async def writing(server: Server, owner: Browser, mails: MailServer, monkeypatch: pytest.MonkeyPatch) -> Browser:
    """Alice, who owns the organisation, on a server that sends mail."""
    settings = PracticeSettings(mail=mails.settings().mail)
    by = sending.mailers(server.store, settings, Door.of(settings))
    monkeypatch.setitem(server.app._state, POSTMAN, postman_of(server, settings))
    monkeypatch.setitem(server.app._state, PRESS, sending.press(server.store, by, server.origin, lambda: UTC))
    monkeypatch.setattr(server.store.notices, "on", True)
    return owner


async def press(browser: Browser, form: str, **fields: str) -> Seen:
    return await browser.send(form, urlencode({"form_token": await browser.token(), **fields}))


async def token_of(server: Server) -> str:
    found = await server.store.subscriptions.of(await scope_of(server.store, server.alice.id))
    assert found is not None
    return server.store.subscriptions.token(found.seed)


async def acts(server: Server) -> list[tuple[str, str | None]]:
    kept = ("newsletter", "circular")
    return [(one.act, one.detail) async for one in server.store.audit.entries() if one.act.startswith(kept)]


async def round_of(server: Server) -> None:
    sender = server.app[PRESS]
    assert sender is not None
    await sender.round()


@pytest.mark.duty("S-22")
async def test_it_is_turned_on_by_two_steps_and_off_by_one(server: Server, writing: Browser, mails: MailServer) -> None:
    page = await writing.get("/account/newsletter")
    assert page.status == 200 and "De nieuwsbrief staat uit" in page.html
    assert (await press(writing, "/account/newsletter/ask")).status == 303
    assert "Er is een e-mail met een link gestuurd naar" in (await writing.get("/account/newsletter")).html
    reader = Browser(server, "who reads the mail")
    link = f"/newsletter/confirm/{await token_of(server)}"
    for _ in range(2):
        seen = await reader.get(link)
        assert seen.status == 200 and AGREED[WORDING]["nl"] in seen.html, "a look changes nothing"
    assert "Toestemming gegeven" not in (await writing.get("/account/newsletter")).html
    assert (await reader.send(f"{link}/give", "")).status == 200
    page = await writing.get("/account/newsletter")
    assert "De nieuwsbrief staat aan" in page.html and AGREED[WORDING]["nl"] in page.html
    assert (await press(writing, "/account/newsletter/withdraw")).status == 303
    assert "De nieuwsbrief staat uit" in (await writing.get("/account/newsletter")).html
    assert await acts(server) == [
        ("newsletter-asked", None),
        ("newsletter-given", None),
        ("newsletter-withdrawn", None),
    ]


def test_what_is_agreed_to_is_the_text_of_its_version() -> None:
    assert {language: one.text("newsletter.consent") for language, one in CATALOGUES.items()} == {
        language: text.replace("'", "\N{RIGHT SINGLE QUOTATION MARK}") for language, text in AGREED[WORDING].items()
    }


async def given(server: Server, browser: Browser) -> str:
    seeds = Seeds(server.store)
    await server.store.subscriptions.ask(await scope_of(server.store, server.alice.id), seeds.tell)
    await server.store.subscriptions.confirm(seeds.mailed[0])
    return seeds.mailed[0]


@pytest.mark.duty("S-22")
@pytest.mark.parametrize("form", ["urlencoded", "multipart"])
async def test_one_click_of_a_mail_program_stops_it(server: Server, writing: Browser, form: str) -> None:
    """RFC 8058, 3.2: a POST without cookies, in either form, that is answered without a redirect."""
    token = await given(server, writing)
    data: dict[str, str] | aiohttp.FormData = {"List-Unsubscribe": "One-Click"}
    if form == "multipart":
        data = aiohttp.FormData(default_to_multipart=True)
        data.add_field("List-Unsubscribe", "One-Click")
    url = f"http://127.0.0.1:{server.port}/newsletter/leave/{token}"
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        for _ in range(2):
            async with session.post(url, data=data, allow_redirects=False) as answer:
                assert (answer.status, "Set-Cookie" in answer.headers) == (200, False)
    found = await server.store.subscriptions.of(await scope_of(server.store, server.alice.id))
    assert found is not None and found.withdrawn is not None
    assert await acts(server) == [("newsletter-withdrawn", None)], "once"


async def test_a_scanner_that_opens_the_link_stops_nothing_and_a_person_does(server: Server, writing: Browser) -> None:
    token = await given(server, writing)
    reader = Browser(server, "who reads the mail")
    page = await reader.get(f"/newsletter/leave/{token}")
    assert page.status == 200 and "Met de knop stopt de nieuwsbrief meteen" in page.html
    assert (await writing.get("/account/newsletter")).html.count("De nieuwsbrief staat aan") == 1
    said = await reader.send(f"/newsletter/leave/{token}/stop", "")
    assert said.status == 200 and "U bent afgemeld" in said.html
    assert "U bent al afgemeld" in (await reader.get(f"/newsletter/leave/{token}")).html


@pytest.mark.parametrize(
    ("body", "status"),
    [("", 400), ("x=1", 400), ("List-Unsubscribe=Two-Clicks", 400), ("List-Unsubscribe=One-Click", 404)],
)
async def test_what_is_none_stops_nothing(server: Server, writing: Browser, body: str, status: int) -> None:
    token = await given(server, writing)
    other = "A" * 43 if status == 404 else token
    url = f"http://127.0.0.1:{server.port}/newsletter/leave/{other}"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    async with aiohttp.ClientSession() as session, session.post(url, data=body, headers=headers) as answer:
        assert answer.status == status
    assert "De nieuwsbrief staat aan" in (await writing.get("/account/newsletter")).html


@pytest.mark.parametrize("page", [lambda one: f"/newsletter/confirm/{one}", lambda one: f"/newsletter/leave/{one}"])
async def test_a_link_that_is_none_is_said(server: Server, writing: Browser, page: Callable[[str], str]) -> None:
    assert (await Browser(server, "stranger").get(page("A" * 43))).status == 404


async def test_it_is_written_looked_at_and_sent_with_numbers_only(
    server: Server, writing: Browser, mails: MailServer
) -> None:
    await given(server, writing)
    fields = {"subject": "Wij verhuizen", "text": "Beste <b>collega</b>,\r\n\r\nTot in mei.", "language": "nl"}
    assert (await press(writing, "/practice/newsletter/write", version="0", **fields)).status == 303
    page = await writing.get("/practice/newsletter")
    assert "Beste &lt;b&gt;collega&lt;/b&gt;," in page.html and mails.taken == []
    assert "alice@example.org" not in page.html
    assert (await press(writing, "/practice/newsletter/send", version="1")).status == 303
    await round_of(server)
    assert [mail.recipient for mail in mails.taken] == ["alice@example.org"]
    page = await writing.get("/practice/newsletter")
    assert 'data-testid="reached">1<' in page.html and 'data-testid="subscribers">1<' in page.html
    assert (await press(writing, "/practice/newsletter/send", version="1")).status == 409, "once"
    assert await acts(server) == [
        ("circular-written", "newsletter"),
        ("circulars-read", "newsletter"),
        ("circular-sent", "newsletter"),
        ("circulars-read", "newsletter"),
        ("circulars-read", "newsletter"),
    ]


async def test_a_number_of_a_citizen_is_asked_about_and_a_draft_thrown_away(server: Server, writing: Browser) -> None:
    fields = {"subject": "Nieuws", "text": "Zij heeft 111222333.", "language": "nl", "version": "0"}
    page = await press(writing, "/practice/newsletter/write", **fields)
    assert page.status == 422 and "keep" in page.html
    keep = page.field("keep")["value"]
    assert (await press(writing, "/practice/newsletter/write", keep=keep, **fields)).status == 303
    assert (await press(writing, "/practice/newsletter/discard", version="1")).status == 303
    assert 'data-testid="preview"' not in (await writing.get("/practice/newsletter")).html


async def test_where_no_mail_is_sent_there_is_none(server: Server, owner: Browser) -> None:
    assert "verstuurt geen e-mail" in (await owner.get("/account/newsletter")).html
    assert (await press(owner, "/account/newsletter/ask")).status == 404
