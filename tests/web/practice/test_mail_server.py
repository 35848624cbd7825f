"""The page of an organisation's mail server: written, tried, taken out, and never shown again."""

from urllib.parse import urlencode

import pytest

from practice.mail_servers.model import Access
from practice.organisation.model import MemberRole
from practice.outgoing import Door
from practice.settings import PracticeSettings
from signaling.typedefs import DOOR, POSTMAN
from tests.organisations import scope_of
from tests.servers.mail import PASSWORD, USER, MailServer
from tests.signaling.conftest import Server, postman_of
from tests.signaling.test_rights import be
from tests.web.forms.conftest import Browser, Seen

WHERE = "/practice/mail-server"
OWN = "praktijk@maan.example"


@pytest.fixture
async def mailing(server: Server, owner: Browser, mails: MailServer, monkeypatch: pytest.MonkeyPatch) -> Browser:
    """Alice, on a server whose operator has a mail server and lists another."""
    settings = PracticeSettings(mail=mails.settings().mail, mail_hosts=["mail.maan.example"])
    monkeypatch.setitem(server.app._state, DOOR, Door.of(settings))
    monkeypatch.setitem(server.app._state, POSTMAN, postman_of(server, settings))
    return owner


async def send(browser: Browser, mails: MailServer, form: str = "write", **changes: str) -> Seen:
    fields = {"version": "0"}
    if form == "write":
        fields |= {"host": "localhost", "port": str(mails.port), "security": "starttls", "user": USER}
        fields |= {"password": PASSWORD, "sender": OWN}
    return await browser.send(f"{WHERE}/{form}", urlencode({"form_token": await browser.token(), **fields, **changes}))


async def stored(server: Server) -> Access | None:
    found = await server.store.mail_servers.of(await scope_of(server.store, server.alice.id))
    return found.access if found else None


async def acts(server: Server) -> list[tuple[str, str | None]]:
    return [(one.act, one.detail) async for one in server.store.audit.entries() if one.act.startswith("mail-")]


async def test_it_is_written_tried_and_taken_out_and_shown_by_nothing(
    server: Server, mailing: Browser, mails: MailServer
) -> None:
    page = await mailing.get(WHERE)
    assert page.status == 200 and "mail.maan.example" in page.html and "de beheerder is in gebruik" in page.html
    assert (await send(mailing, mails)).status == 303
    assert await stored(server) == Access("localhost", mails.port, "starttls", USER, PASSWORD, OWN)
    page = await mailing.get(WHERE)
    assert OWN in page.html
    for secret in (USER, PASSWORD, str(mails.port)):
        assert secret not in page.html.replace(server.origin, "")
    tried = await send(mailing, mails, "try", version="1")
    assert tried.status == 200 and "nam de mail aan" in tried.html
    assert [(one.sender, one.recipient) for one in mails.taken] == [(OWN, "alice@example.org")]
    removed = await send(mailing, mails, "remove", version="1")
    assert (removed.status, await stored(server)) == (303, None)
    assert await acts(server) == [
        ("mail-server-changed", "set"),
        ("mail-tested", "accepted"),
        ("mail-server-changed", "removed"),
    ]


async def test_a_refused_sign_in_is_told_in_words(server: Server, mailing: Browser, mails: MailServer) -> None:
    await send(mailing, mails, password="wrong")
    tried = await send(mailing, mails, "try", version="1")
    assert "weigert deze gebruikersnaam" in tried.html and "antwoord 535" in tried.html
    assert mails.taken == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"host": "mail.elsewhere.example"}, "host"),
        ({"host": "a b"}, "host"),
        ({"host": "mail.maan.example", "port": "8080"}, "port"),
        ({"sender": "nobody"}, "sender"),
        ({"security": "none"}, "security"),
    ],
)
async def test_bad_input_is_said_beside_its_field(
    server: Server, mailing: Browser, mails: MailServer, changes: dict[str, str], field: str
) -> None:
    page = await send(mailing, mails, **changes)
    assert (page.status, page.field(field)["aria-invalid"]) == (422, "true")
    assert PASSWORD not in page.html
    assert await stored(server) is None


async def test_who_comes_second_is_told(server: Server, mailing: Browser, mails: MailServer) -> None:
    await send(mailing, mails)
    page = await send(mailing, mails, sender="other@maan.example")
    assert (page.status, page.hidden("version")) == (409, "1")
    assert OWN in page.html and "other@maan.example" in page.html, "both"
    found = await stored(server)
    assert found is not None and found.sender == OWN


async def test_without_the_operators_there_is_none(server: Server, owner: Browser) -> None:
    page = await owner.get(WHERE)
    assert page.status == 200 and "verstuurt geen mail" in page.html


@pytest.mark.parametrize("role", ["practitioner", "assistant", "support", "department_administrator", "auditor"])
async def test_to_others_it_is_nowhere(server: Server, mailing: Browser, mails: MailServer, role: MemberRole) -> None:
    await be(server, role)
    assert (await mailing.get(WHERE)).status == 404
    assert (await send(mailing, mails)).status == 404
