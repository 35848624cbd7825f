"""Another mail address: asked for with password and factor, confirmed at both addresses, told to both."""

import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock
from urllib.parse import urlencode

import pytest
from sqlalchemy import select

from client.wire import Wire
from practice.accounts.mail_changes import LIFE
from practice.accounts.records import mail_changes
from practice.notices.letter import Letterhead
from signaling.devices import PLAIN
from signaling.typedefs import DEVICES, FORGOTTEN
from tests.opening import of
from tests.organisations import OPERATOR, PRACTICE
from tests.servers.mail import MailServer, running
from tests.signaling.conftest import PASSWORD, Opening, Server, opening, postman_of  # noqa: F401 -- a fixture
from tests.signaling.test_second_factor import command
from tests.web.forms.conftest import Browser, Seen
from tests.web.forms.taking import account_of
from vault.records.scope import SERVER, Scope

NEW = "alice.nieuw@example.org"


@pytest.fixture
async def alice(mailing: Server) -> Browser:
    await mailing.sign_in("alice")
    return Browser(mailing, "alice")


@pytest.fixture
def reader(mailing: Server) -> Browser:
    """Somebody's program for mail, in which nobody is signed in."""
    return Browser(mailing, "who reads the mail")


async def ask(browser: Browser, mail: str = NEW, password: str = PASSWORD, **more: str) -> Seen:
    token = (await browser.get("/account/mail")).hidden("form_token")
    fields = {"form_token": token, "mail": mail, "password": password, **more}
    return await browser.send("/account/mail/ask", urlencode(fields))


async def mails(server: Server) -> list[tuple[str, str, str]]:
    """Word, recipient and link of those that are written, oldest first."""
    head = Letterhead("a@example.org", server.origin, lambda: UTC, server.store.resets.token)
    found: list[tuple[str, str, str]] = []
    for one in await server.store.notices.waiting():
        text = head.letter(one, datetime.now(UTC))[1].replace(b"=\r\n", b"").replace(b"=3D", b"=").decode()
        link = re.search(r"http://localhost:\d+(/(?:mail|forgotten)/[\w-]{43})\s", text)
        if one.news.word != "new-device":
            found.append((one.news.word, one.news.to, link[1] if link else ""))
    return found


async def links(server: Server) -> tuple[str, str]:
    """Those of the old and the new address, the newest."""
    found = {word: link for word, _, link in await mails(server)}
    return found["mail-asked"], found["mail-confirm"]


async def confirm(browser: Browser, link: str) -> Seen:
    return await browser.send(f"{link}/confirm", "")


async def mail_of(server: Server) -> str:
    return (await server.store.practitioners.get(of(server.alice.id))).mail


async def rows(server: Server) -> list[Any]:
    async with server.store.database.read() as connection:
        return list((await connection.execute(select(mail_changes))).all())


async def signs_in(server: Server, mail: str, password: str = PASSWORD) -> int:
    return (await server.call("POST", "/api/v1/sign-in", {"mail": mail, "password": password}, who="tries")).status


async def acts(server: Server) -> list[tuple[str, str | None]]:
    found = [(entry.act, entry.detail) async for entry in server.store.audit.entries()]
    return [one for one in found if one[0].startswith("mail")]


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.duty("S-10")
async def test_it_is_done_when_both_have_confirmed_and_both_are_told(
    mailing: Server, alice: Browser, reader: Browser, first: int
) -> None:
    sent = await ask(alice)
    assert (sent.status, sent.location) == (303, "/account/mail?done=mail-asked")
    assert sorted(one[:2] for one in await mails(mailing)) == [
        ("mail-asked", "alice@example.org"),
        ("mail-confirm", NEW),
    ]
    page = await alice.get(sent.location)
    assert NEW in page.html and page.elements.text.count("nog niet bevestigd") == 2
    pair = await links(mailing)
    seen = await confirm(reader, pair[first])
    assert seen.status == 200 and "Nog één keer bevestigen" in seen.elements.text
    assert await mail_of(mailing) == "alice@example.org"
    assert (await signs_in(mailing, NEW), await signs_in(mailing, "alice@example.org")) == (403, 200)
    assert "bevestigd op het" in (await reader.get(pair[first])).elements.text.lower()
    seen = await confirm(reader, pair[1 - first])
    assert seen.status == 200 and "Uw e-mailadres is gewijzigd" in seen.elements.text
    assert await mail_of(mailing) == NEW
    assert (await signs_in(mailing, NEW.upper()), await signs_in(mailing, "alice@example.org")) == (200, 403)
    told = [one[:2] for one in await mails(mailing) if one[0] == "mail-changed"]
    assert sorted(told) == [("mail-changed", NEW), ("mail-changed", "alice@example.org")]
    assert await rows(mailing) == []
    sides = [["old", "new"][first], ["new", "old"][first]]
    assert await acts(mailing) == [
        ("mail-change-asked", None), *(("mail-confirmed", side) for side in sides), ("mail-changed", None),
    ]  # fmt: skip


async def test_who_asked_stays_signed_in_and_all_else_ends(
    mailing: Server,
    alice: Browser,
    reader: Browser,
    opening: Opening,  # noqa: F811
) -> None:
    body = {"mail": "alice@example.org", "password": PASSWORD}
    await mailing.call("POST", "/api/v1/sign-in", body, who="elsewhere")
    tokens = (await mailing.call("POST", "/api/v1/tokens", body)).body
    kept: Wire = await opening((await mailing.call("POST", "/api/v1/desk/ticket", who="alice")).body["access_token"])
    await ask(alice)
    for link in await links(mailing):
        assert (await mailing.call("GET", "/api/v1/me", who="elsewhere")).status == 200
        await confirm(reader, link)
    assert (await mailing.call("GET", "/api/v1/me", who="alice")).body["mail"] == NEW
    assert (await mailing.call("GET", "/api/v1/me", who="elsewhere")).code == "unauthenticated"
    refresh = {"refresh_token": tokens["refresh_token"]}
    assert (await mailing.call("POST", "/api/v1/tokens/refresh", refresh)).code == "token_invalid"
    assert kept.connected


async def test_a_look_does_nothing_and_a_link_is_used_once(mailing: Server, alice: Browser, reader: Browser) -> None:
    await ask(alice)
    pair = await links(mailing)
    for link in pair:
        for _ in range(3):
            seen = await reader.get(link)
            assert (seen.status, seen.headers["Cache-Control"]) == (200, "no-store")
            assert NEW in seen.html
        assert (await reader.get(f"{link}/confirm")).location == link
        assert (await reader.get(f"{link}/stop")).location == link
    assert [(row.old_at, row.new_at) for row in await rows(mailing)] == [(None, None)]
    for link in (pair[0], pair[0], pair[1]):
        assert (await confirm(reader, link)).status == 200
    for link in pair:
        assert (await reader.get(link)).status == 404
        assert (await confirm(reader, link)).status == 404
        assert (await reader.send(f"{link}/stop", "")).status == 404
    assert await mail_of(mailing) == NEW


@pytest.mark.parametrize("which", [0, 1])
async def test_either_address_stops_it(mailing: Server, alice: Browser, reader: Browser, which: int) -> None:
    await ask(alice)
    pair = await links(mailing)
    await confirm(reader, pair[1 - which])
    seen = await reader.send(f"{pair[which]}/stop", "")
    assert seen.status == 200 and "tegengehouden" in seen.elements.text
    for link in pair:
        assert (await confirm(reader, link)).status == 404
    assert await mail_of(mailing) == "alice@example.org"
    assert (await acts(mailing))[-1] == ("mail-change-stopped", None)


async def test_who_asked_takes_it_back(mailing: Server, alice: Browser, reader: Browser) -> None:
    await ask(alice)
    token = (await alice.get("/account/mail")).hidden("form_token")
    sent = await alice.send("/account/mail/withdraw", urlencode({"form_token": token}))
    assert sent.location == "/account/mail?done=mail-withdrawn"
    assert [(await confirm(reader, link)).status for link in await links(mailing)] == [404, 404]


async def test_a_later_one_makes_the_one_before_void(mailing: Server, alice: Browser, reader: Browser) -> None:
    await ask(alice)
    before = await links(mailing)
    await ask(alice, "third@example.org")
    assert [(await confirm(reader, link)).status for link in before] == [404, 404]
    for link in await links(mailing):
        assert (await confirm(reader, link)).status == 200
    assert await mail_of(mailing) == "third@example.org"


async def test_another_password_makes_it_void(mailing: Server, alice: Browser, reader: Browser) -> None:
    await ask(alice)
    await mailing.store.practitioners.set_password(of(mailing.alice.id), "vier losse woorden samen")
    assert [(await confirm(reader, link)).status for link in await links(mailing)] == [404, 404]


async def test_an_operator_stands_in_for_an_old_mailbox_that_is_lost(
    mailing: Server, alice: Browser, reader: Browser, tmp_path: Path
) -> None:
    """The new address confirms, the old one is told and can stop it; who is signed in anywhere is not any more."""
    for words, said in (
        (("nobody@example.org", NEW), "no account"),
        (("alice@example.org", "none"), "No mail can be sent"),
        (("alice@example.org", "ALICE@example.org"), "it is the old one"),
    ):
        assert said in await command(tmp_path, "mail", *words)
    assert "no mail server" in await command(tmp_path, "mail", "alice@example.org", NEW, mail=False)
    assert await mails(mailing) == []
    for stopped in (True, False):
        assert (await command(tmp_path, "mail", "alice@example.org", NEW)).startswith("Asked")
        found = {word: (to, link) for word, to, link in await mails(mailing)}
        assert (found["mail-vouched"][0], found["mail-confirm"][0]) == ("alice@example.org", NEW)
        if stopped:
            assert (await reader.send(f"{found['mail-vouched'][1]}/stop", "")).status == 200
        status = (await confirm(reader, found["mail-confirm"][1])).status
        assert status == (404 if stopped else 200)
    assert await mail_of(mailing) == NEW
    assert (await mailing.call("GET", "/api/v1/me", who="alice")).code == "unauthenticated"


async def test_afterwards_links_that_the_old_address_got_change_no_password(
    mailing: Server, alice: Browser, reader: Browser
) -> None:
    await reader.send("/forgotten", urlencode({"mail": "alice@example.org"}))
    await mailing.app[FORGOTTEN].look()
    (reset,) = [link for word, _, link in await mails(mailing) if word == "reset"]
    await ask(alice)
    for link in await links(mailing):
        await confirm(reader, link)
    assert (await reader.get(reset)).status == 404


async def test_it_is_good_for_a_day(mailing: Server, alice: Browser, reader: Browser) -> None:
    await ask(alice)
    pair = await links(mailing)
    await confirm(reader, pair[0])
    mailing.time.ahead += LIFE - timedelta(seconds=30)
    assert (await reader.get(pair[1])).status == 200
    mailing.time.ahead += timedelta(seconds=31)
    assert [(await confirm(reader, link)).status for link in pair] == [404, 404]
    await mailing.store.mail_changes.purge()
    assert (await rows(mailing), await mail_of(mailing)) == ([], "alice@example.org")


@pytest.mark.parametrize("how", ["closed", "deactivated"])
async def test_it_is_void_with_the_account(mailing: Server, alice: Browser, reader: Browser, how: str) -> None:
    store = mailing.store
    await ask(alice)
    pair = await links(mailing)
    if how == "closed":
        await store.retention.close(of(mailing.alice.id))
        assert await rows(mailing) == []
    else:
        await store.organisation.establish(OPERATOR, PRACTICE)
        for one in (mailing.alice, mailing.bob):
            await store.organisation.name_owner(Scope.operator(one.id))
        standing = await store.organisation.standing(mailing.bob.id)
        assert standing is not None
        scope = Scope.practitioner(standing.account, standing.organisation, standing.roles)
        await store.organisation.set_state(scope, mailing.alice.id, "deactivated")
    for link in pair:
        assert (await reader.get(link)).status == 404
        assert (await confirm(reader, link)).status == 404


async def test_whoever_asks_learns_of_no_address_whose_it_is(mailing: Server, alice: Browser, reader: Browser) -> None:
    seen = []
    for mail in ("bob@example.org", "free@example.org"):
        answer = await ask(alice, mail)
        page = await alice.get(answer.location)
        written = [word for word, _, _ in await mails(mailing)]
        seen.append((answer.status, answer.location, re.sub(r"(bob|free)@", "x@", page.html), sorted(written[-2:])))
    assert seen[0] == seen[1]
    await ask(alice, "BOB@example.org")
    old, new = await links(mailing)
    assert "Nog één keer" in (await confirm(reader, old)).elements.text
    refused = await confirm(reader, new)
    assert refused.status == 409 and "hoort al bij een ander account" in refused.elements.text
    assert await mail_of(mailing) == "alice@example.org"
    assert [row.new_at for row in await rows(mailing)] == [None]
    assert (await mailing.store.practitioners.by_mail(SERVER, "bob@example.org")) == mailing.bob


async def test_of_two_who_want_one_address_one_gets_it(mailing: Server, alice: Browser, reader: Browser) -> None:
    await mailing.sign_in("bob")
    await ask(alice)
    mine = await links(mailing)
    await ask(Browser(mailing, "bob"))
    theirs = await links(mailing)
    for link in (mine[1], theirs[1], theirs[0]):
        assert (await confirm(reader, link)).status == 200
    late = await confirm(reader, mine[0])
    assert late.status == 409 and "hoort al bij een ander account" in late.elements.text
    assert await mail_of(mailing) == "alice@example.org"
    assert (await signs_in(mailing, NEW), await signs_in(mailing, "alice@example.org")) == (200, 200)


async def test_what_is_stored_opens_nothing(mailing: Server, alice: Browser) -> None:
    await ask(alice)
    (row,) = await rows(mailing)
    assert b"nieuw" not in row.content
    waiting = [one for one in await mailing.store.notices.waiting() if "mail" in one.news.values]
    notices = sorted(waiting, key=lambda one: one.news.word)
    for link, index, notice in zip(await links(mailing), (row.old_token, row.new_token), notices, strict=True):
        token = link.rpartition("/")[2]
        assert token.encode() != index and token not in str(notice.news.values)
        assert await mailing.store.mail_changes.of_link(notice.news.values["mail"]) is None
        assert await mailing.store.resets.whose(token) is None


async def test_a_browser_that_was_known_stays_so(mailing: Server, alice: Browser) -> None:
    await ask(alice)
    for link in await links(mailing):
        assert (await confirm(alice, link)).status == 200
    cookie = next(one.value for one in mailing.jars["alice"] if one.key == PLAIN)
    request = MagicMock(cookies={PLAIN: cookie})
    now = mailing.time.now()
    assert mailing.app[DEVICES].known(request, NEW, now) is not None
    assert mailing.app[DEVICES].known(request, "bob@example.org", now) is None


async def test_without_a_mail_server_the_page_says_so(server: Server) -> None:
    await server.sign_in("alice")
    browser = Browser(server, "alice")
    seen = await browser.get("/account/mail")
    assert seen.status == 200 and "geen e-mail" in seen.elements.text and 'name="mail"' not in seen.html
    fields = {"form_token": await browser.token(), "mail": NEW, "password": PASSWORD}
    assert (await browser.send("/account/mail/ask", urlencode(fields))).status == 404
    assert await rows(server) == []


async def test_it_is_in_what_one_takes_along(mailing: Server, alice: Browser) -> None:
    await ask(alice)
    assert json.loads(await account_of(alice))["mail_change"] == NEW


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[MailServer]:
    async with running(tmp_path) as found:
        yield found


async def test_the_mails_bring_the_links(mailing: Server, alice: Browser, reader: Browser, post: MailServer) -> None:
    """By a real mail server, as people read them."""
    postman = postman_of(mailing, post.settings())
    await postman.round()
    post.taken.clear()  # of a new device
    await ask(alice)
    await postman.round()
    assert sorted(one.recipient for one in post.taken) == [NEW, "alice@example.org"]
    for mail in list(post.taken):
        (link,) = re.findall(rf"{mailing.origin}(/mail/\S+)", mail.text)
        assert (await confirm(reader, link)).status == 200
    await postman.round()
    assert sorted(one.recipient for one in post.taken[2:]) == [NEW, "alice@example.org"]
    assert {str(one.message["Subject"]) for one in post.taken[2:]} == {"Het e-mailadres is gewijzigd"}
    assert await mail_of(mailing) == NEW
