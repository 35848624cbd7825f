"""Requests by pages without scripts: from the form, the account and the link, to the officer, to an answer."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from practice.identity_papers.store import IdentityPapers
from practice.notices.letter import Letterhead
from practice.notices.model import Notice
from practice.requests.model import Request
from practice.requests.records import REQUESTS
from signaling.limiter import REQUEST_LINKS, REQUESTED_ADDRESS, REQUESTING_NETWORK, REQUESTING_PERSON
from signaling.typedefs import REQUESTING
from tests.signaling.conftest import Server
from tests.web.forms.conftest import Browser, Seen
from tests.web.practice.test_people import be_bob, send
from vault.audit import Act
from vault.errors import DomainError

TEXT = "Wat weet u van mij?"
AUTHORITY = "https://autoriteitpersoonsgegevens.nl/"


def text(page: Seen) -> str:
    return " ".join(page.elements.text.split())


async def ask(browser: Browser, **fields: str) -> Seen:
    once = (await browser.get("/request")).hidden("once")
    known = {"once": once, "what": "access", "purpose": "", "text": TEXT, "mail": ""}
    return await browser.send("/request", urlencode(known | fields))


async def waiting(server: Server, word: str) -> list[Notice]:
    """Of mails that are written, those of a kind, once the officer was told of what came."""
    if word == "request-new":
        await server.app[REQUESTING].look()
    return [one for one in await server.store.notices.waiting() if one.news.word == word]


async def mailed(server: Server, word: str = "request-filed") -> list[str]:
    """The links of mails that are written, oldest first."""
    head = Letterhead("a@example.org", server.origin, lambda: UTC, server.store.resets.token)
    letters = [head.letter(one, datetime.now(UTC))[1] for one in await waiting(server, word)]
    plain = b"".join(letters).replace(b"=\r\n", b"").replace(b"=3D", b"=").decode()
    return re.findall(r"http://localhost:\d+(/request/[\w-]{43})\s", plain)


async def all_of(server: Server) -> list[Request]:
    rows = await server.store.database.ask(REQUESTS.living())
    return (await server.store.reader.open(REQUESTS, rows)).living


def link_of(page: Seen) -> str:
    """The one that a page shows once."""
    (found,) = set(re.findall(r"http://localhost:\d+(/request/[\w-]{43})", page.html))
    return str(found)


async def acts(server: Server) -> list[str]:
    return [entry.act async for entry in server.store.audit.entries() if entry.act.startswith("request")]


# --- by the form ------------------------------------------------------------------------------------------------------


@pytest.mark.duty("S-50")
async def test_a_form_without_an_address_shows_its_link_once(
    mailing: Server, officer: Browser, stranger: Browser
) -> None:
    seen = await ask(stranger)
    assert seen.status == 200
    link = link_of(seen)
    (one,) = await all_of(mailing)
    page = await stranger.get(link)
    assert page.status == 200 and TEXT not in page.html, "what was written is not said back"
    assert "Een mens leest dit en antwoordt uiterlijk op" in text(page)
    assert AUTHORITY in page.html
    assert "confirm-request" not in page.html
    assert one.proven == ""
    assert "request-filed" in await acts(mailing)


async def test_a_form_with_an_address_mails_its_link_and_shows_none(
    mailing: Server, officer: Browser, stranger: Browser
) -> None:
    seen = await ask(stranger, mail="jan@elsewhere.example")
    assert not re.findall(r"/request/[\w-]{43}", seen.html), "whoever typed another's address would follow it"
    (link,) = await mailed(mailing)
    assert [one.news.to for one in await waiting(mailing, "request-filed")] == ["jan@elsewhere.example"]
    assert [one.news.to for one in await waiting(mailing, "request-new")] == ["bob@example.org"]
    page = await stranger.get(link)
    assert "Is dit e-mailadres van u?" in text(page)
    assert (await all_of(mailing))[0].proven == "", "a look proves nothing: programs that read mail open links"
    assert (await stranger.send(f"{link}/confirm", "")).status == 303
    assert (await all_of(mailing))[0].proven == "confirmed"


async def test_pressing_twice_asks_once(mailing: Server, officer: Browser, stranger: Browser) -> None:
    once = (await stranger.get("/request")).hidden("once")
    seen = [await ask(stranger, once=once) for _ in range(3)]
    assert len(await all_of(mailing)) == 1
    assert len({link_of(one) for one in seen}) == 1
    for _ in range(2):
        await ask(stranger, mail="jan@elsewhere.example")
    assert len(await all_of(mailing)) == 2
    assert len(await waiting(mailing, "request-new")) == 2, "the officer is told once of each"
    assert len(set(await mailed(mailing))) == 1, "the same link once more"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"what": "applause"}, "what"),
        ({"mail": "nobody"}, "mail"),
        ({"text": "x" * 4001}, "text"),
        ({"text": "Mijn nummer is 111222333"}, "text"),
    ],
)
async def test_what_is_wrong_comes_back_with_what_was_typed(
    mailing: Server, officer: Browser, stranger: Browser, fields: dict[str, str], said: str
) -> None:
    seen = await ask(stranger, **fields)
    assert seen.status == 422
    assert await all_of(mailing) == []
    if said == "mail":
        assert seen.field("mail")["value"] == "nobody"


async def test_a_citizen_number_is_warned_of_and_may_be_meant(
    mailing: Server, officer: Browser, stranger: Browser
) -> None:
    seen = await ask(stranger, text="Mijn nummer is 111222333", keep="citizen-nl")
    assert seen.status == 200
    assert len(await all_of(mailing)) == 1


async def test_a_network_files_no_more_than_its_number(mailing: Server, officer: Browser, stranger: Browser) -> None:
    statuses = [(await ask(stranger, text=str(number))).status for number in range(REQUESTING_NETWORK.tries + 1)]
    assert statuses == [200] * REQUESTING_NETWORK.tries + [429]
    assert len(await all_of(mailing)) == REQUESTING_NETWORK.tries


async def test_who_names_anothers_address_learns_nothing_and_keeps_nobody_out(
    mailing: Server, officer: Browser, stranger: Browser
) -> None:
    mailing.time.ahead = -timedelta(days=9)
    await ask(stranger, mail="jan@elsewhere.example")
    mailing.time.ahead = timedelta()
    known = text(await ask(stranger, mail="jan@elsewhere.example"))
    assert len(await all_of(mailing)) == 1, "it is what was asked before"
    assert known == text(await ask(stranger, mail="els@elsewhere.example"))
    for number in range(REQUESTED_ADDRESS.tries + 1):
        assert (await ask(stranger, text=str(number), mail="jan@elsewhere.example")).status == 200
    assert len(await all_of(mailing)) == 2 + REQUESTED_ADDRESS.tries + 1
    to = [one.news.to for one in await waiting(mailing, "request-filed")]
    assert 0 < to.count("jan@elsewhere.example") <= REQUESTED_ADDRESS.tries + 1, "one of nine days ago"


async def test_links_that_are_none_are_pages_that_do_not_exist(
    mailing: Server, officer: Browser, stranger: Browser
) -> None:
    for _ in range(REQUEST_LINKS.tries):
        assert (await stranger.get(f"/request/{'x' * 43}")).status == 404
    assert (await stranger.get(f"/request/{'x' * 43}")).status == 429
    link = link_of(await ask(stranger))
    assert (await stranger.get(link)).status == 200, "a right one opens"


# --- signed in --------------------------------------------------------------------------------------------------------


async def own(browser: Browser, **fields: str) -> Seen:
    return await send(browser, "/account/requests/ask", **({"what": "access", "purpose": "", "text": TEXT} | fields))


@pytest.mark.duty("S-48", "S-50")
async def test_who_is_signed_in_proves_nothing_and_reads_the_answer_there(
    mailing: Server, owner: Browser, officer: Browser
) -> None:
    assert (await own(owner)).status == 303
    (one,) = await all_of(mailing)
    assert (one.proven, one.mail, one.account) == ("account", "alice@example.org", mailing.alice.id)
    page = await owner.get("/account/requests")
    assert "antwoordt uiterlijk op" in text(page)
    path = f"/practice/requests/{one.id}"
    assert (await send(officer, f"{path}/answer", outcome="partly", answer="Dit weten wij:\nuw naam.")).status == 303
    page = await owner.get("/account/requests")
    assert "Gedeeltelijk toegewezen" in text(page) and "Dit weten wij: uw naam." in text(page)
    assert AUTHORITY in page.html
    (told,) = await waiting(mailing, "request-answered")
    assert (told.news.to, told.news.values["authority"]) == ("alice@example.org", AUTHORITY)
    assert TEXT not in (await officer.get("/account/requests")).html, "another's are not theirs"


async def test_a_question_is_answered_from_ones_own_page(mailing: Server, owner: Browser, officer: Browser) -> None:
    await own(owner)
    (one,) = await all_of(mailing)
    await send(officer, f"/practice/requests/{one.id}/question", question="Over welk jaar?")
    (link,) = set(re.findall(r'href="(/request/[\w-]{43})"', (await owner.get("/account/requests")).html))
    assert (await owner.send(f"{link}/reply", urlencode({"text": "Dit jaar"}))).status == 303
    assert "Dit jaar" in text(await officer.get(f"/practice/requests/{one.id}"))
    assert "/request/" not in (await owner.get("/account/requests")).html, "once is enough"


async def test_an_objection_says_what_stands_still(mailing: Server, owner: Browser, officer: Browser) -> None:
    await own(owner, what="objection", purpose="statistics")
    assert await mailing.store.requests.paused("statistics", [mailing.alice.id]) == {mailing.alice.id}
    assert "Dit gebruik van uw gegevens staat stil" in text(await owner.get("/account/requests"))
    (one,) = await all_of(mailing)
    path = f"/practice/requests/{one.id}"
    assert (await send(officer, f"{path}/answer", outcome="granted", answer="Gedaan.")).status == 303
    for page in (await officer.get(path), await owner.get("/account/requests")):
        assert "blijft bewaard zolang het account er is" in text(page) and "dertig dagen" not in text(page)
    await own(owner, what="objection", purpose="", text="Ik wil niet in het overzicht")
    assert [one.purpose for one in await all_of(mailing) if one.text != TEXT] == ["other"]


@pytest.mark.parametrize(("purpose", "mail", "stands"), [
    ("contact", "jan@example.net", True), ("other", "jan@example.net", False), ("contact", "", False),
    ("statistics", "jan@example.net", False),
])  # fmt: skip
async def test_whoever_objects_by_a_form_reads_at_once_whether_it_stands_still(
    mailing: Server, officer: Browser, stranger: Browser, purpose: str, mail: str, stands: bool
) -> None:
    seen = await ask(stranger, what="objection", purpose=purpose, mail=mail)
    assert ("Dit gebruik van uw gegevens staat stil" in text(seen)) is stands


# --- the officer ------------------------------------------------------------------------------------------------------


@pytest.mark.duty("S-03", "S-49")
async def test_the_queue_says_which_and_until_when(mailing: Server, officer: Browser, stranger: Browser) -> None:
    await ask(stranger, what="complaint")
    page = await officer.get("/practice/requests")
    assert "Nog 28 dagen" in text(page) and "Klacht over privacy" in text(page)
    assert TEXT not in page.html, "the list holds no words of anybody"
    assert '<a href="/practice/requests"' in (await officer.get("/account")).html
    mailing.time.ahead = -timedelta(days=29)
    await ask(stranger, what="erasure")
    mailing.time.ahead = timedelta()
    assert "Te laat" in text(await officer.get("/practice/requests"))


async def test_what_is_no_request_is_discarded_by_a_button_and_stands_in_the_trail(
    mailing: Server, owner: Browser, officer: Browser, stranger: Browser
) -> None:
    await ask(stranger, text="Koop nu!")
    (one,) = await all_of(mailing)
    path = f"/practice/requests/{one.id}"
    assert 'data-testid="discard-request"' in (await officer.get(path)).html
    assert (await send(officer, f"{path}/discard")).location == "/practice/requests?done=request-discarded"
    entries = [entry async for entry in mailing.store.audit.entries() if entry.act == "request-answered"]
    assert [entry.detail for entry in entries] == ["none"]
    await mailing.app[REQUESTING].look()
    assert await all_of(mailing) == []
    await own(owner)
    (known,) = await all_of(mailing)
    path = f"/practice/requests/{known.id}"
    assert 'data-testid="discard-request"' not in (await officer.get(path)).html
    assert (await send(officer, f"{path}/discard")).status == 409
    assert len(await all_of(mailing)) == 1


async def test_who_is_signed_in_files_no_more_than_their_number(mailing: Server, owner: Browser) -> None:
    statuses = [(await own(owner, text=str(number))).status for number in range(REQUESTING_PERSON.tries + 1)]
    assert statuses == [303] * REQUESTING_PERSON.tries + [429]
    assert len(await all_of(mailing)) == REQUESTING_PERSON.tries


async def test_an_answer_stands_in_the_trail_where_a_paper_is_not_destroyed_yet(
    mailing: Server, officer: Browser, stranger: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_: IdentityPapers) -> int:
        raise DomainError("try_again")

    monkeypatch.setattr(IdentityPapers, "bury", away)
    await ask(stranger)
    (one,) = await all_of(mailing)
    path = f"/practice/requests/{one.id}/answer"
    assert (await send(officer, path, outcome="granted", answer="Gedaan.")).status == 303
    assert "request-answered" in await acts(mailing)


@pytest.mark.parametrize("role", ["owner", "administrator", "practitioner", "auditor", "support", "assistant"])
async def test_to_others_the_queue_is_nowhere(mailing: Server, officer: Browser, stranger: Browser, role: Any) -> None:
    await ask(stranger)
    (one,) = await all_of(mailing)
    if role == "owner":
        browser = Browser(mailing, "alice")
    else:
        await be_bob(mailing, role)
        browser = officer
    for path in ("/practice/requests", f"/practice/requests/{one.id}"):
        page = await browser.get(path)
        assert page.status == 404 and TEXT not in page.html
    assert "/practice/requests" not in (await browser.get("/account")).html


@pytest.mark.duty("S-03")
async def test_the_officer_opens_no_page_of_appointments(mailing: Server, officer: Browser) -> None:
    for path in ("/practice/people", "/practice/audit", "/practice/record", "/served"):
        assert (await officer.get(path)).status == 404
    for path in ("/api/v1/appointments?first=2027-03-01&last=2027-03-02", "/api/v1/receipts"):
        assert (await mailing.call("GET", path, who="bob")).code == "not_found"


async def test_a_question_is_asked_and_answered_behind_the_link(
    mailing: Server, officer: Browser, stranger: Browser
) -> None:
    await ask(stranger, text="", mail="jan@elsewhere.example")
    (link,) = await mailed(mailing)
    (one,) = await all_of(mailing)
    path = f"/practice/requests/{one.id}"
    assert (await send(officer, f"{path}/question", question="Welke gegevens?")).status == 303
    assert await mailed(mailing, "request-asked-back") == [link]
    page = await stranger.get(link)
    assert "Welke gegevens?" in text(page) and "Er staat een vraag voor u klaar" in text(page)
    assert (await stranger.send(f"{link}/reply", urlencode({"text": "Mijn adres"}))).status == 303
    assert "Mijn adres" in text(await officer.get(path))
    assert (await stranger.send(f"{link}/reply", urlencode({"text": "Nog iets"}))).status == 409


@pytest.mark.duty("S-47", "S-50")
async def test_an_answer_is_not_shown_to_who_proved_nothing(
    mailing: Server, officer: Browser, stranger: Browser
) -> None:
    """The sender's address proves nothing: whoever has the link reads that it was decided, and how to ask again."""
    await ask(stranger, mail="jan@elsewhere.example")
    (link,) = await mailed(mailing)
    (one,) = await all_of(mailing)
    path = f"/practice/requests/{one.id}"
    assert "Niets bewijst dat dit adres van de vrager is" in text(await officer.get(path))
    await send(officer, f"{path}/answer", outcome="granted", answer="Het geheim is blauw")
    page = await stranger.get(link)
    assert "blauw" not in page.html and "Omdat niet vaststaat van wie het kwam" in text(page)
    assert AUTHORITY in page.html
    assert await waiting(mailing, "request-answered") == []


@pytest.mark.duty("S-49")
async def test_without_a_text_nothing_is_closed(mailing: Server, officer: Browser, stranger: Browser) -> None:
    await ask(stranger)
    (one,) = await all_of(mailing)
    path = f"/practice/requests/{one.id}"
    for fields in ({"outcome": "granted", "answer": ""}, {"outcome": "granted", "answer": "   "}, {"answer": "Ja"}):
        assert (await send(officer, f"{path}/answer", **fields)).status == 422
    assert (await all_of(mailing))[0].decided is None


async def test_it_stands_in_the_trail_by_a_name_that_dies_with_it(
    mailing: Server, officer: Browser, stranger: Browser
) -> None:
    await ask(stranger, mail="jan@elsewhere.example")
    (link,) = await mailed(mailing)
    (one,) = await all_of(mailing)
    path = f"/practice/requests/{one.id}"
    await stranger.send(f"{link}/confirm", "")
    await officer.get("/practice/requests")
    await officer.get(path)
    await send(officer, f"{path}/extend", reason="Veel bladen")
    await send(officer, f"{path}/question", question="Welke?")
    await stranger.send(f"{link}/reply", urlencode({"text": "Alle"}))
    await send(officer, f"{path}/answer", outcome="granted", answer="Gedaan")
    found = await acts(mailing)
    for act in Act:
        if act.startswith("request") and act is not Act.REQUEST_REMINDED:
            assert act in found, act
