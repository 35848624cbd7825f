"""A practice's own colours: refused where they cannot be read, and on every page where they can."""

import re
from dataclasses import replace
from urllib.parse import urlencode

import pytest

from practice.organisation.model import Colours, MemberRole
from tests.organisations import OPERATOR, PRACTICE
from tests.signaling.conftest import Server
from tests.signaling.test_rights import be
from tests.web.forms.conftest import Browser, Seen
from vault.records.scope import Scope
from web.colours import contrast, nearest, sheet, tokens
from web.naming import PRACTICE as SHOWN

WHERE = "/practice/branding"
PLUM = "#6b2346"


async def send(browser: Browser, form: str = "colours", **typed: str) -> Seen:
    body = {"form_token": await browser.token(), "version": "1"} | typed
    return await browser.send(f"{WHERE}/{form}", urlencode(body))


async def stored(server: Server) -> Colours | None:
    return (await server.store.organisation.get(OPERATOR)).profile.colours


def sheet_of(page: Seen) -> str | None:
    found = re.findall(r'href="(/branding/[0-9a-f]{32}\.css)"', page.html)
    return found[0] if found else None


async def test_a_colour_that_can_be_read_is_on_every_page(server: Server, owner: Browser) -> None:
    assert sheet_of(await owner.get("/signin")) is None
    sent = await send(owner, light=PLUM.upper(), dark="#000000")
    assert (sent.status, sent.location) == (303, f"{WHERE}?done=saved")
    assert await stored(server) == Colours(PLUM, nearest(PLUM, "dark"))
    entries = [entry async for entry in server.store.audit.entries()]
    assert (entries[-1].act, entries[-1].detail) == ("organisation-changed", None)
    (address,) = {sheet_of(await owner.get(path)) for path in ("/", "/signin", "/c", "/account", WHERE)}
    assert address is not None
    sheet = await Browser(server, "nobody").get(address)
    assert (sheet.status, sheet.headers["Content-Type"]) == (200, "text/css")
    assert "immutable" in sheet.headers["Cache-Control"] and sheet.headers["X-Content-Type-Options"] == "nosniff"
    assert f"--action: {PLUM};" in sheet.html and f"--action: {nearest(PLUM, 'dark')};" in sheet.html
    page = await owner.get(WHERE)
    assert page.field("light")["value"] == PLUM and "checked" not in page.field("apart")


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"light": "#ffd700", "dark": "#ffd700"}, "light"),
        ({"light": "#767676", "dark": "#000000"}, "light"),
        ({"light": PLUM, "apart": "on", "dark": PLUM}, "dark"),
    ],
)
async def test_one_that_cannot_is_refused_with_its_value_and_the_nearest_that_can(
    server: Server, owner: Browser, typed: dict[str, str], field: str
) -> None:
    page = await send(owner, **typed)
    assert page.status == 422
    said = page.described(field)
    reached, near = re.findall(r"haalt ([\d.]+)\s:\s1.* (#[0-9a-f]{6})\.", said)[0]
    theme, colour = ("light" if field == "light" else "dark"), typed[field]
    least = min(contrast(colour, tokens(theme)[ground]) for ground in ("paper", "surface", "sunken"))
    assert float(reached) <= least < 4.5 and least - float(reached) < 0.1
    assert min(contrast(near, tokens(theme)[ground]) for ground in ("paper", "surface", "sunken")) >= 4.5
    assert await stored(server) is None
    assert "organisation-changed" not in [entry.act async for entry in server.store.audit.entries()]
    offered = [one["value"] for tag, one in page.elements.elements if one.get("name") == field and tag == "input"]
    assert offered[-1] == near, "one press keeps the nearest"
    assert (await send(owner, **(typed | {field: near}))).status == 303


@pytest.mark.parametrize("colour", ["", "#fff", "red", "#12345g", "#0f5c63;}", "url(//evil.example)", "#0f5c63\n"])
async def test_what_is_no_colour_changes_nothing(server: Server, owner: Browser, colour: str) -> None:
    page = await send(owner, light=colour, dark="#000000")
    assert page.status == 422 and page.field("light")["aria-invalid"] == "true"
    assert await stored(server) is None


async def test_ours_come_back_and_what_else_is_said_stays(server: Server, owner: Browser) -> None:
    assert (await send(owner, light=PLUM, dark="#000000")).status == 303
    profile = (await server.store.organisation.get(OPERATOR)).profile
    assert (profile.name, profile.zone) == (PRACTICE.name, PRACTICE.zone)
    said = {"organisation": "Praktijk Maan", "address": "", "phone": "", "language": "nl", "zone": PRACTICE.zone}
    token = await owner.token()
    sent = await owner.send("/practice/organisation/change", urlencode({"form_token": token, "version": "2", **said}))
    assert sent.status == 303 and await stored(server) == Colours(PLUM, nearest(PLUM, "dark"))
    assert (await send(owner, "standard", version="2")).status == 409
    assert (await send(owner, "standard", version="3")).status == 303
    assert await stored(server) is None and sheet_of(await owner.get("/signin")) is None


async def test_another_server_has_the_file_as_soon_as_it_is_asked_for(server: Server, owner: Browser) -> None:
    """As a node that has not looked yet, when a page of one that has names it."""
    standing = await server.store.organisation.standing(server.alice.id)
    assert standing is not None
    scope = Scope.practitioner(server.alice.id, standing.organisation, standing.roles)
    before = await server.store.organisation.get(scope)
    shown = server.app[SHOWN]
    colours = Colours(PLUM, nearest(PLUM, "dark"))
    await server.store.organisation.change(scope, replace(before.profile, colours=colours), before.version)
    assert shown.style is None
    assert (await owner.get(sheet(colours).address)).status == 200
    assert shown.style == sheet(colours).address


@pytest.mark.parametrize("name", ["x.css", "0" * 32 + ".css", "..%2f..%2fetc%2fpasswd", "%00"])
async def test_what_is_no_file_of_the_practice_is_nowhere(owner: Browser, name: str) -> None:
    assert (await owner.get(f"/branding/{name}")).status == 404


@pytest.mark.parametrize("role", ["practitioner", "assistant", "auditor"])
async def test_to_others_the_page_is_nowhere(server: Server, owner: Browser, role: MemberRole) -> None:
    await be(server, role)
    assert (await owner.get(WHERE)).status == 404
    assert (await send(owner, light=PLUM, dark="#000000")).status == 404
    assert await stored(server) is None


async def test_a_practice_without_a_name_is_told_to_take_one_first(server: Server) -> None:
    await server.store.organisation.establish(OPERATOR, replace(PRACTICE, name=""))
    await server.store.organisation.name_owner(Scope.operator(server.alice.id))
    await server.sign_in("alice")
    page = await Browser(server, "alice").get(WHERE)
    assert "Geef uw praktijk eerst een naam" in page.html
    assert 'name="light"' not in page.html


async def test_the_nearest_colour_is_offered_where_one_was_refused_and_only_there(owner: Browser) -> None:
    weak = await send(owner, light="#ffff00", dark="#000000")
    assert weak.status == 422 and 'data-testid="nearest"' in weak.html
    stale = await send(owner, light=PLUM, dark="#000000", version="7")
    assert stale.status == 409 and 'data-testid="nearest"' not in stale.html
