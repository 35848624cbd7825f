"""Four weeks to answer a request in: who is reminded, what extends them, and what is due without mail."""

from datetime import timedelta

import pytest

from practice.notices.letter import TEXTS
from signaling.requesting import Requesting
from signaling.typedefs import POSTMAN
from tests.signaling.conftest import Server
from tests.web.forms.conftest import Browser
from tests.web.practice.test_people import send
from tests.web.requests.test_requests import acts, all_of, ask, link_of, own, text, waiting


@pytest.mark.duty("S-49")
async def test_the_officer_is_reminded_by_mail_and_the_operators_too(
    mailing: Server, officer: Browser, stranger: Browser, requesting: Requesting
) -> None:
    requesting.officer = "dpo@operator.example"
    await ask(stranger)
    assert await requesting.look() == 1, "that it came"
    told = []
    for day in range(1, 31):
        mailing.time.ahead = timedelta(days=day)
        if await requesting.look():
            told.append(day)
    assert told == [7, 14, 21, 26, 29]
    assert await requesting.look() == 0
    assert {one.news.to for one in await waiting(mailing, "request-reminder")} == {
        "bob@example.org",
        "dpo@operator.example",
    }
    assert len(await waiting(mailing, "request-late")) == 2
    assert (await acts(mailing)).count("request-reminded") == 5
    (one,) = await all_of(mailing)
    assert one.decided is None, "nobody answered"


async def test_without_an_officer_the_owners_are_told(mailing: Server, owner: Browser, stranger: Browser) -> None:
    await ask(stranger)
    (told,) = await waiting(mailing, "request-new")
    assert told.news.to == "alice@example.org"
    for word in ("request-new", "request-late"):
        assert "een eigenaar geeft die rol" in TEXTS[word]["nl"]["text"], "an owner alone reads none"


@pytest.mark.duty("S-49")
async def test_an_extension_counts_once_its_mail_was_taken(
    mailing: Server, owner: Browser, officer: Browser, requesting: Requesting
) -> None:
    await own(owner)
    (one,) = await all_of(mailing)
    assert (await send(officer, f"/practice/requests/{one.id}/extend", reason="Veel bladen")).status == 303
    assert (await all_of(mailing))[0].due == one.due
    (told,) = await waiting(mailing, "request-extended")
    await requesting.sent(told)
    assert (await all_of(mailing))[0].due > one.due + timedelta(days=58)
    assert "Veel bladen" in text(await owner.get("/account/requests"))
    assert (await send(officer, f"/practice/requests/{one.id}/extend", reason="Nog meer")).status == 409


async def test_on_day_28_nothing_is_extended(mailing: Server, owner: Browser, officer: Browser) -> None:
    for days in (27, 28):
        mailing.time.ahead = -timedelta(days=days)
        await own(owner, text=str(days))
    mailing.time.ahead = timedelta()
    paths = {one.text: f"/practice/requests/{one.id}" for one in await all_of(mailing)}
    assert "Twee maanden verlengen" in text(await officer.get(paths["27"]))
    path = paths["28"]
    assert "Twee maanden verlengen" not in text(await officer.get(path))
    assert (await send(officer, f"{path}/extend", reason="Te veel")).status == 409


async def test_without_a_mail_server_no_address_is_asked_for(server: Server, owner: Browser) -> None:
    server.app._state[POSTMAN] = None
    browser = Browser(server, "a stranger")
    assert 'name="mail"' not in (await browser.get("/request")).html
    seen = await ask(browser, mail="jan@elsewhere.example")
    assert link_of(seen) and 'data-testid="unproven"' in seen.html
    assert 'data-testid="unproven"' in (await browser.get("/request")).html, "said beforehand"
    assert [one.mail for one in await all_of(server)] == [""]
