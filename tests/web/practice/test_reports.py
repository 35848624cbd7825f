"""What anybody reports without signing in: that something leaked (S-52), and that data of a child is held (S-18)."""

import asyncio
import re
from datetime import timedelta
from urllib.parse import urlencode

import pytest

from practice.legal.model import Demand, Operator
from practice.requests.model import Filing
from practice.requests.records import REQUESTS
from signaling.typedefs import ZONE
from tests.opening import of
from tests.organisations import found, scope_of
from tests.signaling.conftest import PASSWORD, Server
from tests.signaling.test_second_factor import shown, with_app
from tests.web.forms.conftest import Browser, Seen
from tests.web.practice.test_people import be_bob, send
from vault.records.scope import SERVER, Scope
from web.locale import CATALOGUES

t = CATALOGUES["nl"].text


class Officer(Browser):
    """With an app that shows a code, each good once."""

    secret = ""

    async def erase(self, request: str, **named: str) -> Seen:
        """With what proves who it is."""
        self.server.time.ahead += timedelta(seconds=60)
        proof = {"password": PASSWORD, "code": shown(self.server, self.secret)}
        return await send(self, f"/practice/requests/{request}/erase", **(proof | named))


@pytest.fixture
async def officer(server: Server, owner: Browser) -> Officer:
    """Bob, who is the data protection officer, and plans too."""
    await be_bob(server, "officer", "practitioner")
    assert (await server.sign_in("bob")).status == 200
    bob = Officer(server, "bob")
    bob.secret, _ = await with_app(server, server.bob)
    return bob


async def report(server: Server, path: str, text: str) -> Seen:
    somebody = Browser(server, "nobody")
    once = (await somebody.get(path)).hidden("once")
    return await somebody.send(path, urlencode({"once": once, "text": text}))


@pytest.mark.duty("S-52")
async def test_anybody_reports_that_something_leaked_and_has_a_case_to_look_at(
    server: Server, officer: Officer
) -> None:
    page = await Browser(server, "nobody").get("/report")
    assert page.status == 200 and "72 uur" in page.html
    filed = await report(server, "/report", "I read somebody else's name")
    assert filed.status == 200
    (link,) = [href for href in filed.elements.all("href") if "/request/" in href]
    assert (await Browser(server, "nobody").get(link.removeprefix(server.origin))).status == 200
    queue = await officer.get("/practice/requests")
    assert "misschien is er iets gelekt" in queue.html.lower() or "gelekt" in queue.html
    privacy = await Browser(server, "nobody").get("/privacy")
    assert "/report" in privacy.elements.all("href")
    text = (await Browser(server, "nobody").get("/.well-known/security.txt")).html
    assert f"Contact: {server.origin}/report\n" in text


async def minor(server: Server, text: str = "Tomorrow at Alice's") -> str:
    filed = await server.store.requests.file(SERVER, Filing("minor", "form", "nl", text))
    return filed.request.id


@pytest.mark.duty("S-18")
@pytest.mark.parametrize("way", ["link", "time"])
async def test_a_named_appointment_is_destroyed_key_first_its_practitioner_is_told_and_the_reporter_learns_nothing(
    server: Server, officer: Officer, way: str
) -> None:
    store = server.store
    store.notices.on = True
    made, other = await server.appoint(server.bob, 90), await server.appoint(server.bob, 300)
    local = made.starts_at.astimezone(server.app[ZONE]())
    named = {
        "link": {"link": f"{server.origin}/c#{made.id}{made.secret}"},
        "time": {"account": server.bob.id, "starts": f"{local:%Y-%m-%dT%H:%M}"},
    }[way]
    request = await minor(server)
    before = (await Browser(server, "nobody").get("/report-minor")).html
    first = await officer.erase(request, **named)
    assert (first.status, first.location) == (303, f"/practice/requests/{request}?done=minor-erased")
    assert await store.keys.missing([made.id, other.id]) == [made.id]
    told = [(one.news.word, one.news.to) for one in await store.notices.waiting()]
    assert sorted(told) == [("minor-erased", "bob@example.org"), ("minor-erased-there", "alice@example.org")]
    assert "Voor nog een afspraak" in (await officer.get(f"/practice/requests/{request}")).html
    for again in (named, {"link": f"x#{other.id}{other.secret}"}):
        assert (await officer.erase(request, **again)).status == 404, "once for a report"
    assert len(await store.notices.waiting()) == 2
    assert await store.keys.missing([other.id]) == []
    assert (await Browser(server, "nobody").get("/report-minor")).html.count("vernietigd") == before.count("vernietigd")


@pytest.mark.duty("S-18")
async def test_who_reports_reads_the_same_whether_there_was_something_or_not(server: Server, officer: Officer) -> None:
    """What is filed, and what stands behind its link, before and after something was destroyed."""
    made = await server.appoint(server.bob, 90)
    pages = []
    for text, link, status in (("Of Bob's", f"x#{made.id}{made.secret}", 303), ("Of nobody's", f"x#{'A' * 44}", 422)):
        filed = await server.store.requests.file(SERVER, Filing("minor", "form", "nl", text))
        assert (await officer.erase(filed.request.id, link=link)).status == status
        page = (await Browser(server, "nobody").get(f"/request/{filed.token}")).html.replace(filed.token, "")
        pages.append(re.sub(r"[0-9]{1,2}\.[0-9]{2}", "", page))
    assert pages[0] == pages[1]
    assert await server.store.keys.missing([made.id]) == [made.id]


async def test_nothing_is_destroyed_without_a_name_a_proof_or_by_another_request(
    server: Server, officer: Officer
) -> None:
    made = await server.appoint(server.bob, 90)
    link = f"{server.origin}/c#{made.id}{made.secret}"
    request = await minor(server)
    assert (await officer.erase(request)).status == 422
    assert (await officer.erase(request, link=link, password="wrong")).status in (401, 403, 422)
    assert (await officer.erase(request, link=link, code="000000")).status in (401, 403, 422)
    wrong = await officer.erase(request, link=f"x#{made.id}{'x' * 22}")
    assert wrong.status == 422 and t("form.problem.none-there") in wrong.described("link")
    other = (await server.store.requests.file(SERVER, Filing("access", "form", "nl", "What?"))).request.id
    assert (await officer.erase(other, link=link)).status == 404
    assert await server.store.keys.missing([made.id]) == []
    day = (made.starts_at + timedelta(minutes=1)).astimezone(server.app[ZONE]())
    beside = {"account": server.bob.id, "starts": f"{day:%Y-%m-%dT%H:%M}"}
    assert (await officer.erase(request, **beside)).status == 422
    assert (await server.store.appointments.get(of(server.bob.id), made.id)).id == made.id


async def test_after_the_answer_nothing_is_destroyed_and_by_two_at_once_one(server: Server, officer: Officer) -> None:
    store = server.store
    made, other = await server.appoint(server.bob, 90), await server.appoint(server.bob, 300)
    scope, request = await scope_of(store, server.bob.id), await minor(server)
    asked = await store.decisions.get(scope, request)
    planned = [
        store.retention.destroy(
            of(server.bob.id), one.id, along=store.decisions.once(asked, store.notices.of(one.owner))
        )
        for one in (made, other)
    ]
    ends = await asyncio.gather(*planned, return_exceptions=True)
    assert sorted(type(one).__name__ for one in ends) == ["DomainError", "Receipt"]
    (left,) = {made.id, other.id} - set(await store.keys.missing([made.id, other.id]))
    another = await minor(server, "Once more")
    await store.decisions.decide(scope, another, "granted", "Done.")
    kept = next(one for one in (made, other) if one.id == left)
    assert (await officer.erase(another, link=f"x#{kept.id}{kept.secret}")).status == 404
    assert left not in await store.keys.missing([left])


async def test_a_report_that_names_a_link_is_of_the_practice_that_it_leads_to(server: Server, officer: Officer) -> None:
    store = server.store
    carol = await store.practitioners.add("carol@example.org", PASSWORD, "Carol", "nl")
    theirs = (await found(store, carol.id, ["owner", "practitioner"])).owner
    made = await server.appoint(carol, 90)
    pages = []
    for text in (f"See {server.origin}/c#{made.id}{made.secret}.", f"See {server.origin}/c#{'A' * 44}."):
        page = await report(server, "/report-minor", text)
        pages.append(re.sub(r"/request/[\w-]{43}", "", page.html))
    assert pages[0] == pages[1]
    rows = await store.database.ask(REQUESTS.living())
    assert sorted(row.owner == theirs for row in rows) == [False, True]


async def test_the_queue_says_that_it_is_to_be_looked_at_within_a_day(server: Server, officer: Officer) -> None:
    await minor(server)
    assert "Binnen 24 uur te bekijken" in (await officer.get("/practice/requests")).html


@pytest.mark.duty("S-36")
async def test_what_a_law_demands_is_kept_to_its_end_and_the_officer_is_told_so(
    server: Server, officer: Officer
) -> None:
    made = await server.appoint(server.bob, 60)
    two = [Operator(name, "", name, "", 0, server.time.now()) for name in ("Anna", "Ben")]
    about, until = Scope.operator(server.bob.id), server.time.now() + timedelta(days=30)
    await server.store.disclosures.preserve(about, [made.id], until, Demand("an authority", "a law"), two)
    answer = await officer.erase(await minor(server), link=f"x#{made.id}{made.secret}")
    assert answer.status == 409 and t("legal.kept") in answer.described("link")
    assert await server.store.keys.missing([made.id]) == []
    assert await server.store.appointments.by_link(Scope.guest(made.id), made.secret) is None
