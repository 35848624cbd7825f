"""A photograph of one's own: who sees it, from when, and until when."""

import re
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from practice.pictures.intake import Intake
from practice.settings import UploadSettings
from signaling.typedefs import INTAKE
from tests.opening import of
from tests.pictures import PLACE, photographed, picture
from tests.servers.clamd import FOUND, Clamd
from tests.signaling.conftest import Server
from tests.web.forms.conftest import Browser, Seen

WHERE = "/account/photograph"


@pytest.fixture(autouse=True)
def scanning(server: Server, clamd: Clamd) -> Iterator[None]:
    """As with a scanner in the settings."""
    before = server.app[INTAKE]
    server.app._state[INTAKE] = Intake(UploadSettings(scanner=clamd.socket))
    yield
    server.app._state[INTAKE] = before


async def send(browser: Browser, form: str, **typed: str) -> Seen:
    return await browser.send(f"{WHERE}/{form}", urlencode({"form_token": await browser.token(), **typed}))


async def address(browser: Browser) -> str:
    (found,) = re.findall(r'src="(/photographs/[\w-]{22}-\d+\.jpg)"', (await browser.get(WHERE)).html)
    return str(found)


async def waiting(server: Server, link: str) -> str | None:
    answer = await server.call("POST", "/api/v1/join/photograph", {"link": link, "language": "nl"})
    assert answer.status == 200, answer.code
    found: str | None = answer.body["address"]
    return found


async def link_to(server: Server) -> str:
    made = await server.appoint(server.alice)
    return f"{made.id}{made.secret}"


async def test_it_is_ones_own_until_one_shows_it(server: Server, alice: Browser) -> None:
    sent = await alice.upload(f"{WHERE}/change", photographed(), version="0")
    assert (sent.status, sent.location) == (303, f"{WHERE}?done=saved")
    kept = await server.store.pictures.photograph(of(server.alice.id))
    assert PLACE not in kept.data and not kept.shown
    own = await alice.get(await address(alice))
    assert (own.status, own.headers["Content-Type"], own.body) == (200, "image/jpeg", kept.data)
    assert own.headers["Cache-Control"].startswith("private")
    await server.sign_in("bob")
    bob, nobody, link = Browser(server, "bob"), Browser(server, "nobody"), await link_to(server)
    assert (await bob.get(await address(alice))).status == 404
    assert (await nobody.get(await address(alice))).status in (401, 404)
    assert await waiting(server, link) is None
    assert (await send(alice, "shown", shown="on", version="1")).status == 303
    seen = await waiting(server, link)
    assert seen == await address(alice)
    assert (await nobody.get(seen)).body == kept.data
    acts = [entry.act async for entry in server.store.audit.entries()]
    assert acts.count("picture-changed") == 2 and acts.count("picture-shown") == 2


async def test_it_is_seen_no_more_once_it_is_hidden_replaced_or_removed(server: Server, alice: Browser) -> None:
    nobody, link = Browser(server, "nobody"), await link_to(server)
    await alice.upload(f"{WHERE}/change", picture(), version="0")
    await send(alice, "shown", shown="on", version="1")
    first = await waiting(server, link)
    assert first is not None
    await alice.upload(f"{WHERE}/change", picture(width=80, height=80), version="2")
    second = await waiting(server, link)
    assert second not in (None, first) and (await nobody.get(first)).status == 401
    await send(alice, "shown", version="3")
    assert await waiting(server, link) is None and (await nobody.get(str(second))).status == 401
    assert (await send(alice, "remove")).status == 303
    assert not (await server.store.pictures.photograph(of(server.alice.id))).there
    assert (await send(alice, "remove")).status == 404
    assert (await send(alice, "shown", shown="on", version="4")).status == 404


async def test_what_is_refused_changes_nothing_and_is_entered(server: Server, alice: Browser) -> None:
    page = await alice.upload(f"{WHERE}/change", picture() + FOUND, version="0")
    assert page.status == 422 and "virusscanner" in page.described("picture")
    last = [(entry.act, entry.detail) async for entry in server.store.audit.entries()][-1]
    assert last == ("file-refused", "photograph")
    await alice.upload(f"{WHERE}/change", picture(), version="0")
    assert (await alice.upload(f"{WHERE}/change", picture(), version="0")).status == 409


async def test_a_logo_is_no_photograph(server: Server, alice: Browser) -> None:
    for name in ("x.jpg", "A" * 22 + "-1.jpg", "..%2fx.jpg", "A" * 22 + "-1.svg"):
        assert (await alice.get(f"/photographs/{name}")).status == 404
