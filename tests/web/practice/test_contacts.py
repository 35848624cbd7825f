"""The page on which a call is logged, and what who was called reads of it."""

from urllib.parse import urlencode

import pytest

from tests.signaling.conftest import Server
from tests.web.forms.conftest import Browser, Seen


async def log(server: Server, browser: Browser, **fields: str) -> Seen:
    said = {
        "form_token": await browser.token(),
        "way": "call",
        "reason": "technical",
        "note": "Vraag: geluid.",
        **fields,
    }
    return await browser.send(f"/practice/people/{server.bob.id}/contacts/log", urlencode(said))


@pytest.mark.duty("S-25")
async def test_it_is_logged_with_why_and_read_by_who_was_called(server: Server, owner: Browser) -> None:
    page = await owner.get(f"/practice/people/{server.bob.id}/contacts")
    assert page.status == 200 and "Er staat niets." in page.html and "Vraag: …" in page.html
    assert (await log(server, owner)).status == 303
    page = await owner.get(f"/practice/people/{server.bob.id}/contacts")
    assert "Gebeld" in page.html and "Hulp met de techniek" in page.html and "Vraag: geluid." in page.html
    bob = Browser(server, "bob")
    await server.sign_in("bob")
    data = await bob.get("/account/data")
    assert "Vraag: geluid." in data.html and "Hulp met de techniek" in data.html
    assert (await bob.get(f"/practice/people/{server.bob.id}/contacts")).status == 404
    acts = [(one.act, one.detail) async for one in server.store.audit.entries() if one.act.startswith("contact-")]
    assert acts == [("contact-logged", "technical")]


@pytest.mark.duty("S-13")
async def test_an_illness_or_a_number_in_a_phone_note_is_asked_about(server: Server, owner: Browser) -> None:
    page = await log(server, owner, note="Zij heeft 111222333.")
    assert page.status == 422
    keep = page.field("keep")["value"]
    assert (await log(server, owner, note="Zij heeft 111222333.", keep=keep)).status == 303
