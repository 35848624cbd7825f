"""What the organisation says of itself: corrected in place, and said by every page."""

import re
from urllib.parse import urlencode

import pytest
from sqlalchemy import delete, update

from practice.organisation.model import MemberRole, Profile
from practice.organisation.records import organisations
from signaling.protocol.errors import CATALOGUE
from tests.organisations import OPERATOR, PRACTICE
from tests.signaling.conftest import Server
from tests.signaling.test_rights import be
from tests.web.forms.conftest import Browser, Seen
from vault.records.scope import Scope
from web.naming import PRACTICE as SHOWN

SAID = {
    "organisation": "Praktijk Maan",
    "address": "Maanweg 2, Gent",
    "phone": "+32 9 123 45 67",
    "language": "fr",
    "zone": "Europe/Brussels",
    "version": "1",
}
MAAN = Profile("Praktijk Maan", "Maanweg 2, Gent", "+32 9 123 45 67", "fr", "Europe/Brussels")
WHERE = "/practice/organisation"


async def send(browser: Browser, **changes: str) -> Seen:
    return await browser.send(f"{WHERE}/change", urlencode({"form_token": await browser.token(), **SAID, **changes}))


async def stored(server: Server) -> Profile:
    return (await server.store.organisation.get(OPERATOR)).profile


async def test_it_is_corrected_entered_and_said_by_every_page(server: Server, owner: Browser) -> None:
    page = await owner.get(WHERE)
    assert (page.status, page.field("organisation")["value"], page.hidden("version")) == (200, PRACTICE.name, "1")
    before = await owner.get("/signin")
    assert "Praktijk Maan" not in before.html
    sent = await send(owner)
    assert (sent.status, sent.location) == (303, f"{WHERE}?done=saved")
    assert await stored(server) == MAAN
    entries = [entry async for entry in server.store.audit.entries()]
    assert (entries[-1].act, entries[-1].actor, entries[-1].subject) == ("organisation-changed", "practitioner", None)
    page = await owner.get(sent.location)
    assert (page.field("organisation")["value"], page.field("zone")["value"]) == ("Praktijk Maan", "Europe/Brussels")
    for path in ("/", "/signin", "/c", "/desk", "/account", "/practice/people"):
        seen = await owner.get(path)
        assert 'data-zone="Europe/Brussels"' in seen.html, path
        assert "<bdi>Praktijk Maan</bdi>" in seen.html, path
    assert 'href="tel:+3291234567"' in (await owner.get("/c")).html
    unasked = await owner.get("/signin?lang=xx")
    assert unasked.status == 200


async def test_another_server_says_it_at_its_next_look(server: Server, owner: Browser) -> None:
    scope = Scope.practitioner(server.alice.id, await organisation_of(server), frozenset({"owner"}))
    await server.store.organisation.change(scope, MAAN, 1)
    assert "Praktijk Maan" not in (await owner.get("/signin")).html
    shown = server.app[SHOWN]
    await shown.look(server.app)
    assert "Praktijk Maan" in (await owner.get("/signin")).html
    assert (shown.profile, str(shown.zone())) == (MAAN, "Europe/Brussels")


async def test_what_cannot_be_read_stays_as_it_was_and_what_is_no_more_is_said_no_more(
    server: Server, owner: Browser
) -> None:
    assert (await send(owner)).status == 303
    async with server.store.database.write() as connection:
        await connection.execute(update(organisations).values(content=b"x" * 64))
    await server.app[SHOWN].look(server.app)
    assert "Praktijk Maan" in (await owner.get("/signin")).html
    assert (await owner.get(WHERE)).status == CATALOGUE["unreadable"][1]
    async with server.store.database.write() as connection:
        await connection.execute(delete(organisations))
    await server.app[SHOWN].look(server.app)
    assert "Praktijk Maan" not in (await owner.get("/signin")).html


async def organisation_of(server: Server) -> str:
    standing = await server.store.organisation.standing(server.alice.id)
    assert standing is not None and standing.organisation is not None
    return standing.organisation


async def test_what_says_nothing_or_is_nowhere_leaves_the_settings(server: Server, owner: Browser) -> None:
    shown = server.app[SHOWN]
    await shown.say(Profile("Praktijk", "", "", "nl", "Mars/Olympus"))
    assert (shown.profile.name, str(shown.zone())) == ("Praktijk", "Europe/Amsterdam")
    await shown.say(Profile("", "", "", "fr", "Europe/Paris"))
    assert (shown.profile.language, str(shown.zone())) == ("nl", "Europe/Amsterdam")


@pytest.mark.duty("S-42")
async def test_who_comes_second_sees_both_and_decides(server: Server, owner: Browser) -> None:
    assert (await send(owner, organisation="Eerst")).status == 303
    page = await send(owner, organisation="Tweede", zone=PRACTICE.zone)
    assert (page.status, page.field("organisation")["value"]) == (409, "Tweede")
    assert "Nu opgeslagen: Eerst" in page.described("organisation")
    assert "Nu opgeslagen: Europe/Brussels" in page.described("zone")
    assert (await stored(server)).name == "Eerst"
    sent = await send(owner, organisation="Tweede", version=page.hidden("version"))
    assert sent.status == 303
    assert (await stored(server)).name == "Tweede"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"organisation": ""}, "organisation"),
        ({"organisation": "\u200b"}, "organisation"),
        ({"organisation": "A" * 201}, "organisation"),
        ({"address": "A\nB"}, "address"),
        ({"phone": "1" * 41}, "phone"),
        ({"language": "xx"}, "language"),
        ({"zone": "Europe/Nergens"}, "zone"),
        ({"zone": "../../etc/passwd"}, "zone"),
    ],
)
async def test_bad_input_changes_nothing_and_is_said_beside_its_field(
    server: Server, owner: Browser, changes: dict[str, str], field: str
) -> None:
    page = await send(owner, **changes)
    assert page.status == 422
    assert page.field(field)["aria-invalid"] == "true"
    assert re.search(r"Dit|Vul|Kies", page.described(field))
    assert await stored(server) == PRACTICE
    assert "organisation-changed" not in [entry.act async for entry in server.store.audit.entries()]


@pytest.mark.parametrize("role", ["practitioner", "assistant", "support", "department_administrator", "auditor"])
async def test_to_others_the_page_is_nowhere(server: Server, owner: Browser, role: MemberRole) -> None:
    await be(server, role)
    assert (await owner.get(WHERE)).status == 404
    assert (await send(owner)).status == 404
    assert await stored(server) == PRACTICE
    assert WHERE not in (await owner.get("/account")).html


async def test_the_menu_has_what_somebody_may_open(server: Server, owner: Browser) -> None:
    await be(server, "administrator")
    page = await owner.get(WHERE)
    current = [one["href"] for _, one in page.elements.with_attribute("aria-current") if "href" in one]
    assert WHERE in current and "/practice/people" not in current
    assert 'href="/practice/people"' in page.html
    await be(server, "auditor")
    page = await owner.get("/practice/people")
    assert f'href="{WHERE}"' not in page.html


async def test_names_show_as_they_are_written(server: Server, owner: Browser) -> None:
    await send(owner, organisation="عيادة <b>القمر</b>")
    page = await owner.get(WHERE)
    assert "<bdi>عيادة &lt;b&gt;القمر&lt;/b&gt;</bdi>" in page.html
