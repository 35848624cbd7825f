"""A forgotten password: asked for without learning anything, mended by a mailed link, once."""

import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import select

from practice.accounts.records import resets
from practice.notices.letter import Letterhead
from signaling.aside import MOST
from signaling.limiter import FORGOTTEN_ADDRESS, FORGOTTEN_NETWORK
from signaling.typedefs import FORGOTTEN, LIMITER
from tests.servers.mail import MailServer
from tests.signaling.conftest import PASSWORD, Server, postman_of
from tests.web.forms.conftest import Browser, Seen
from vault.audit import Act

NEW = "vier losse woorden samen"


@pytest.fixture
def stranger(mailing: Server) -> Browser:
    return Browser(mailing, "a stranger")


async def ask(browser: Browser, mail: str = "alice@example.org") -> Seen:
    return await browser.send("/forgotten", urlencode({"mail": mail}))


async def links(server: Server) -> list[str]:
    """Of the mails that are written, oldest first."""
    await server.app[FORGOTTEN].look()
    head = Letterhead("a@example.org", server.origin, lambda: UTC, server.store.resets.token)
    waiting = await server.store.notices.waiting()
    letters = [head.letter(one, datetime.now(UTC))[1] for one in waiting if one.news.word == "reset"]
    text = b"".join(letters).replace(b"=\r\n", b"").replace(b"=3D", b"=").decode()
    return re.findall(r"http://localhost:\d+(/forgotten/[\w-]{43})\s", text)


async def rows(server: Server) -> list[Any]:
    async with server.store.database.read() as connection:
        return list((await connection.execute(select(resets))).all())


async def choose(browser: Browser, link: str, new: str = NEW, again: str | None = None) -> Seen:
    return await browser.send(f"{link}/password", urlencode({"new": new, "again": new if again is None else again}))


async def works(server: Server, password: str, who: str = "alice") -> bool:
    body = {"mail": f"{who}@example.org", "password": password}
    return (await server.call("POST", "/api/v1/sign-in", body, who="tries")).status == 200


async def words(server: Server) -> list[str]:
    return [one.news.word for one in await server.store.notices.waiting()]


async def test_a_link_is_good_once_and_signs_everybody_out(mailing: Server, stranger: Browser) -> None:
    await mailing.sign_in("alice")
    app_tokens = (
        await mailing.call("POST", "/api/v1/tokens", {"mail": "alice@example.org", "password": PASSWORD})
    ).body
    await ask(stranger)
    await ask(stranger)
    first, second = await links(mailing)
    seen = await choose(stranger, first)
    assert seen.status == 200
    assert await works(mailing, NEW) and not await works(mailing, PASSWORD)
    assert (await mailing.call("GET", "/api/v1/me", who="alice")).status == 401
    refreshed = await mailing.call("POST", "/api/v1/tokens/refresh", {"refresh_token": app_tokens["refresh_token"]})
    assert refreshed.code == "token_invalid"
    for link in (first, second):
        assert (await stranger.get(link)).status == 404
        assert (await choose(stranger, link, "weer een ander lang wachtwoord")).status == 404
    assert await works(mailing, NEW)
    assert "password-changed" in await words(mailing)
    assert await rows(mailing) == []


async def test_whoever_asks_learns_nothing(mailing: Server, stranger: Browser) -> None:
    known, unknown = await ask(stranger), await ask(stranger, "nobody@example.org")
    assert (known.status, known.location, known.html) == (unknown.status, unknown.location, unknown.html)
    after = [await stranger.get(one.location) for one in (known, unknown)]
    assert after[0].html == after[1].html
    assert await rows(mailing) == [], "nobody has looked yet"
    assert len(await links(mailing)) == 1
    (row,) = await rows(mailing)
    assert row.practitioner == mailing.alice.id


async def test_a_look_uses_nothing_up_and_changes_nothing(mailing: Server, stranger: Browser) -> None:
    await mailing.sign_in("alice")
    await ask(stranger)
    (link,) = await links(mailing)
    for _ in range(3):
        seen = await stranger.get(link)
        assert seen.status == 200
        assert seen.headers["Referrer-Policy"] == "strict-origin" and seen.headers["Cache-Control"] == "no-store"
    assert await works(mailing, PASSWORD)
    assert (await mailing.call("GET", "/api/v1/me", who="alice")).status == 200
    assert (await choose(stranger, link)).status == 200


async def test_it_is_good_for_an_hour(mailing: Server, stranger: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    await ask(stranger)
    (link,) = await links(mailing)
    (row,) = await rows(mailing)
    later = row.created + 3600
    monkeypatch.setattr(mailing.store.resets, "_seconds", lambda: later - 1)
    assert (await stranger.get(link)).status == 200
    monkeypatch.setattr(mailing.store.resets, "_seconds", lambda: later)
    assert (await stranger.get(link)).status == 404
    assert (await choose(stranger, link)).status == 404
    assert await works(mailing, PASSWORD)
    await mailing.store.resets.purge()
    assert await rows(mailing) == []


async def test_it_is_void_after_any_change_of_the_password(mailing: Server, stranger: Browser) -> None:
    from tests.opening import of

    await ask(stranger)
    (link,) = await links(mailing)
    await mailing.store.practitioners.set_password(of(mailing.alice.id), NEW)
    assert (await choose(stranger, link, "nog een ander lang wachtwoord")).status == 404
    assert await works(mailing, NEW)


@pytest.mark.parametrize(("new", "again"), [("short", None), ("password1234", None), (NEW, "something else"), ("", "")])
async def test_a_password_that_is_none_leaves_the_link_good(
    mailing: Server, stranger: Browser, new: str, again: str | None
) -> None:
    await ask(stranger)
    (link,) = await links(mailing)
    assert (await choose(stranger, link, new, again)).status == 422
    assert await works(mailing, PASSWORD)
    assert (await choose(stranger, link)).status == 200


@pytest.mark.parametrize("token", ["x", "A" * 43, "%00", "é", "A" * 5000])
async def test_a_link_that_is_none(mailing: Server, stranger: Browser, token: str) -> None:
    assert (await stranger.get(f"/forgotten/{token}")).status == 404
    assert (await choose(stranger, f"/forgotten/{token}")).status == 404


async def test_it_dies_with_the_account(mailing: Server, stranger: Browser) -> None:
    from tests.opening import of

    await ask(stranger)
    (link,) = await links(mailing)
    await mailing.store.retention.close(of(mailing.alice.id))
    assert await rows(mailing) == []
    assert (await choose(stranger, link)).status == 404


async def test_what_is_stored_opens_nothing(mailing: Server, stranger: Browser) -> None:
    await ask(stranger)
    (link,) = await links(mailing)
    (row,) = await rows(mailing)
    (notice,) = await mailing.store.notices.waiting()
    token = link.rpartition("/")[2]
    assert token.encode() != row.token and token not in str(notice.news.values)
    assert await mailing.store.resets.whose(notice.news.values["reset"]) is None


async def test_an_address_gets_so_many_and_a_network_asks_so_many(mailing: Server, stranger: Browser) -> None:
    for _ in range(FORGOTTEN_ADDRESS.tries + 2):
        assert (await ask(stranger)).status == 303
    assert len(await links(mailing)) == FORGOTTEN_ADDRESS.tries
    for number in range(FORGOTTEN_NETWORK.tries - FORGOTTEN_ADDRESS.tries - 2):
        assert (await ask(stranger, f"nobody{number}@example.org")).status == 303
    refused = await ask(stranger, "bob@example.org")
    assert refused.status == 429 and refused.headers["Retry-After"]
    mailing.app[FORGOTTEN]._asked = ["x"] * MOST
    await mailing.app[LIMITER]._redis.flushall()
    assert (await ask(stranger)).status == 503


async def test_both_are_entered(mailing: Server, stranger: Browser) -> None:
    await ask(stranger)
    await ask(stranger, "nobody@example.org")
    (link,) = await links(mailing)
    await choose(stranger, link)
    acts = [entry.act async for entry in mailing.store.audit.entries(None, None, None)]
    assert acts.count(Act.RESET_ASKED) == acts.count(Act.PASSWORD_RESET) == 1


async def test_without_a_mail_server_the_page_says_so(server: Server) -> None:
    browser = Browser(server, "a stranger")
    seen = await browser.get("/forgotten")
    assert seen.status == 200 and "<form" not in seen.html.partition("<main")[2].partition("</main")[0]
    assert (await ask(browser)).status == 303
    assert server.app[FORGOTTEN]._asked == []


async def test_the_mail_brings_the_link(mailing: Server, stranger: Browser, mails: MailServer) -> None:
    """By a real mail server, as somebody reads it."""
    postman = postman_of(mailing, mails.settings())
    await ask(stranger)
    await mailing.app[FORGOTTEN].look()
    await postman.round()
    (mail,) = mails.taken
    (link,) = re.findall(rf"{mailing.origin}(/forgotten/\S+)", mail.text)
    assert (await choose(stranger, link)).status == 200
    await postman.round()
    assert [str(one.message["Subject"]) for one in mails.taken][1:] == ["Uw wachtwoord is gewijzigd"]
