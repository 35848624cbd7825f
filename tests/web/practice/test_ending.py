"""An owner closes the practice: told first, then all is destroyed, with a receipt; goes on after a cut."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlencode

import pytest

from practice.storage import Store
from signaling import dissolving
from signaling.dissolving import Dissolving
from signaling.gate import SIGNALING
from signaling.scopes import of_standing
from signaling.typedefs import DISSOLVING
from tests.client.waiting import PATIENCE
from tests.organisations import OPERATOR, PRACTICE
from tests.signaling.conftest import PASSWORD, Server
from tests.web.forms.conftest import Browser, Seen
from vault.records.scope import Scope
from web.practice import ending

PATH, NAME = "/practice/ending/end", PRACTICE.name


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server does not look by itself."""
    monkeypatch.setattr(dissolving, "LOOK_SECONDS", 10_000)


async def begin(server: Server) -> Dissolving:
    """It was begun, and who goes on with it."""
    standing = await server.store.organisation.standing(server.alice.id)
    await server.store.endings.begin(of_standing(standing))
    return Dissolving(server.store, server.time.now)


async def press(browser: Browser, name: str = NAME, password: str = PASSWORD) -> Seen:
    fields = {"form_token": await browser.token(), "name": name, "password": password}
    return await browser.send(PATH, urlencode(fields))


async def left(server: Server) -> list[str]:
    """Whose accounts are still there."""
    found = [await server.store.practitioners.id_by_mail(OPERATOR, f"{one}@example.org") for one in ("alice", "bob")]
    return [one for one in found if one is not None]


async def entered(store: Store) -> list[str]:
    return [entry.act async for entry in store.audit.entries()]


@pytest.mark.duty("S-28")
async def test_everything_is_destroyed_and_a_receipt_shown(server: Server, owner: Browser) -> None:
    planned = await server.appoint(server.bob)
    page = await owner.get("/practice/ending")
    assert NAME in page.html
    assert "Er zijn 2 accounts." in page.html
    assert "/practice/ending" in (await owner.get("/practice/people")).html
    answer = await press(owner)
    assert answer.status == 200
    assert await left(server) == []
    entries = await entered(server.store)
    assert entries.count("account-closed") == 3, "two accounts and the organisation"
    assert "organisation-ended" in entries
    assert "opgeheven" in answer.elements.text
    (receipt,) = [one for tag, one in answer.elements.elements if one.get("data-testid") == "receipt"]
    assert receipt is not None
    assert await server.store.keys.missing([planned.id]) == [planned.id]
    assert (await owner.get("/account")).status == 303, "nobody is signed in any more"
    assert (await server.sign_in("bob")).status == 403


@pytest.mark.parametrize(
    ("name", "password", "said"),
    [
        ("Another practice", PASSWORD, "Dit is niet de naam van de praktijk."),
        (NAME, "not the password", "Dit is niet uw wachtwoord."),
        ("", PASSWORD, "Vul dit in."),
    ],
)
async def test_without_being_meant_nothing_happens(
    server: Server, owner: Browser, name: str, password: str, said: str
) -> None:
    answer = await press(owner, name, password)
    assert answer.status in (403, 422)
    assert said in answer.html
    assert len(await left(server)) == 2
    assert await server.store.endings.under_way() == []


async def test_one_without_a_name_is_called_as_its_pages_are(server: Server) -> None:
    await server.store.organisation.establish(OPERATOR, replace(PRACTICE, name=""))
    await server.store.organisation.name_owner(Scope.operator(server.alice.id))
    await server.sign_in("alice")
    alice = Browser(server, "alice")
    assert "Alle accounts van \u2068Spreekkamer\u2069 " in (await alice.get("/practice/ending")).elements.text
    assert (await press(alice, "Another")).status == 422
    assert (await press(alice, "Spreekkamer")).status == 200
    assert await left(server) == []


async def test_who_is_told_only_later_reads_so(server: Server, owner: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is sent here: there is no postman."""
    monkeypatch.setattr(ending, "WAIT_SECONDS", 0.1)
    server.store.notices.on = True
    assert "wordt opgeheven" in (await press(owner)).elements.text
    assert len(await left(server)) == 2


@pytest.mark.usefixtures("still")
async def test_everybody_is_told_before_and_waited_for_ten_minutes_at_most(server: Server, owner: Browser) -> None:
    server.store.notices.on = True
    going_on = await begin(server)
    assert await going_on.look()
    told = await server.store.notices.waiting()
    assert sorted(one.news.to.lower() for one in told) == ["alice@example.org", "bob@example.org"]
    assert {one.news.word for one in told} == {"organisation-ends"}
    server.time.ahead += timedelta(minutes=9)
    assert await going_on.look()
    assert len(await left(server)) == 2
    assert len(await server.store.notices.waiting()) == 2, "told once"
    server.time.ahead += timedelta(minutes=2)
    assert await going_on.look()
    assert await left(server) == []
    assert not await going_on.look()


@pytest.mark.usefixtures("still")
async def test_when_all_are_told_nothing_is_waited_for(server: Server, owner: Browser) -> None:
    server.store.notices.on = True
    going_on = await begin(server)
    await going_on.look()
    for one in await server.store.notices.waiting():
        await going_on.look()
        assert len(await left(server)) == 2
        await server.store.notices.done(one)
    await going_on.look()
    assert await left(server) == []


@pytest.mark.usefixtures("still")
async def test_another_server_goes_on_where_one_was_cut_off(
    server: Server, owner: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_off = await begin(server)
    await cut_off.look()
    retention = server.store.retention
    with monkeypatch.context() as patch, pytest.raises(asyncio.CancelledError):
        patch.setattr(retention, "close", cut_after(retention.close))
        await cut_off.look()
    assert len(await left(server)) == 1
    another = Dissolving(server.store, server.time.now)
    for _ in range(2):
        assert await another.look()
    assert not await another.look()
    assert await left(server) == []


@pytest.mark.usefixtures("still")
async def test_the_organisation_ends_after_the_last_consult_that_runs(server: Server, owner: Browser) -> None:
    running = await server.appoint(server.bob)
    await server.run(running)
    going_on = await begin(server)
    for _ in range(3):
        assert await going_on.look()
    (ending,) = await server.store.endings.under_way()
    assert ending.accounts == (), "both are being closed"
    assert await server.store.endings.receipt(ending.organisation) is None
    assert (await server.sign_in("bob")).status == 403
    await server.app[SIGNALING].consults.seats.close(running.id, "cancelled")
    async with asyncio.timeout(PATIENCE):
        while await going_on.look():
            await server.store.retention.sweep()
    assert await left(server) == []
    assert await server.store.endings.receipt(ending.organisation) is not None
    assert await server.store.endings.under_way() == []


def cut_after(close: Callable[[Scope], Awaitable[object]]) -> Callable[[Scope], Awaitable[object]]:
    """One account is closed, and then nothing more."""
    done: list[object] = []

    async def once(scope: Scope) -> object:
        if done:
            raise asyncio.CancelledError
        done.append(await close(scope))
        return done[0]

    return once


async def test_a_practitioner_may_not_even_see_it(server: Server, owner: Browser) -> None:
    await server.sign_in("bob")
    bob = Browser(server, "bob")
    assert (await bob.get("/practice/ending")).status == 404
    assert (await press(bob)).status == 404
    assert "/practice/ending" not in (await bob.get("/account")).html


async def test_the_last_owner_of_others_is_told_to_name_another(server: Server, owner: Browser) -> None:
    answer = await server.call("POST", "/api/v1/account/close", {"password": PASSWORD}, who="alice")
    assert (answer.status, answer.code) == (409, "last_owner")
    assert len(await left(server)) == 2


async def test_the_organisation_ends_with_its_only_account(server: Server, owner: Browser) -> None:
    await server.sign_in("bob")
    assert (await server.call("POST", "/api/v1/account/close", {"password": PASSWORD}, who="bob")).status == 200
    standing = await server.store.organisation.standing(server.alice.id)
    assert standing is not None
    assert standing.organisation is not None
    answer = await server.call("POST", "/api/v1/account/close", {"password": PASSWORD}, who="alice")
    assert answer.status == 200
    assert await server.app[DISSOLVING].ended(standing.organisation, PATIENCE) is not None
    assert await server.store.keys.missing([standing.organisation]) == [standing.organisation]
