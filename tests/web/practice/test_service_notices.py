"""The pages of service notices: written with what the mail says, sent to everybody, read at the account."""

from urllib.parse import urlencode

import pytest

from practice.organisation.model import MemberRole
from signaling.typedefs import SERVICE_NOTICES
from tests.signaling.conftest import Server
from tests.signaling.test_rights import be
from tests.web.forms.conftest import Browser, Seen

WHERE = "/practice/service-notices"


async def press(browser: Browser, form: str, **fields: str) -> Seen:
    return await browser.send(f"{WHERE}/{form}", urlencode({"form_token": await browser.token(), **fields}))


@pytest.mark.duty("S-23")
async def test_it_is_written_sent_and_stands_in_the_inbox(server: Server, owner: Browser) -> None:
    fields = {"version": "0", "subject": "Storing", "text": "Vannacht.", "language": "nl", "topic": "maintenance"}
    assert (await press(owner, "write", **fields)).status == 303
    assert "Vannacht." in (await owner.get(WHERE)).html
    assert "Vannacht." not in (await owner.get("/account/notices")).html, "a draft is nobody else's"
    assert (await press(owner, "send", version="1")).status == 303
    await server.app[SERVICE_NOTICES].round()
    bob = Browser(server, "bob")
    await server.sign_in("bob")
    page = await bob.get("/account/notices")
    assert "Vannacht." in page.html and "Onderhoud" in page.html
    assert 'data-testid="reached">2<' in (await owner.get(WHERE)).html


async def test_what_it_is_about_has_to_be_said(server: Server, owner: Browser) -> None:
    page = await press(owner, "write", version="0", subject="x", text="y", language="nl", topic="weather")
    assert (page.status, page.field("topic")["aria-invalid"]) == (422, "true")


@pytest.mark.parametrize("role", ["practitioner", "assistant", "auditor", "department_administrator"])
async def test_to_others_it_is_nowhere(server: Server, owner: Browser, role: MemberRole) -> None:
    await be(server, role)
    assert (await owner.get(WHERE)).status == 404
