"""The page of an organisation's SMS provider: written, tried, taken out, and never shown again."""

from urllib.parse import urlencode

import pytest
from aiohttp import web

from practice.organisation.model import MemberRole
from practice.sms_providers.model import Way
from practice.sms_providers.sending import Texter
from signaling.typedefs import DOOR, TEXTER
from tests.organisations import scope_of
from tests.servers.sms import KEY, TOKEN, SmsServer
from tests.signaling.conftest import Server
from tests.signaling.test_rights import be
from tests.web.forms.conftest import Browser, Seen

WHERE = "/practice/sms"


@pytest.fixture
async def texting(server: Server, owner: Browser, provider: SmsServer, monkeypatch: pytest.MonkeyPatch) -> Browser:
    """Alice, on a server whose operator lists providers."""
    door, app = provider.door(), server.app
    monkeypatch.setitem(app._state, DOOR, door)
    made = Texter(provider.settings().sms, door, server.store.sms_providers.of_owner, server.time.now)
    monkeypatch.setitem(app._state, TEXTER, made)
    return owner


async def send(browser: Browser, provider: SmsServer, form: str = "write", **changes: str) -> Seen:
    fields = {"version": "0"}
    if form == "write":
        fields |= {"format": "webhook", "url": provider.url(), "secret": KEY, "sender": ""}
    return await browser.send(f"{WHERE}/{form}", urlencode({"form_token": await browser.token(), **fields, **changes}))


async def stored(server: Server) -> Way | None:
    found = await server.store.sms_providers.of(await scope_of(server.store, server.alice.id))
    return found.way if found else None


async def acts(server: Server) -> list[tuple[str, str | None]]:
    return [(one.act, one.detail) async for one in server.store.audit.entries() if one.act.startswith("sms-")]


async def test_it_is_written_tried_and_taken_out_and_shown_by_nothing(
    server: Server, texting: Browser, provider: SmsServer
) -> None:
    page = await texting.get(WHERE)
    assert page.status == 200 and "sms.maan.example" in page.html and "geen sms-aanbieder ingesteld" in page.html
    assert (await send(texting, provider)).status == 303
    assert await stored(server) == Way("webhook", provider.url(), KEY, "Praktijk"), "the operator's sender"
    page = await texting.get(WHERE)
    assert "Praktijk" in page.html and KEY not in page.html and provider.url() not in page.html
    tried = await send(texting, provider, "try", version="1", phone="06 12345678")
    assert tried.status == 200 and "nam het bericht aan" in tried.html
    (asked,) = provider.asked
    assert asked.json["data"]["to"] == "+31612345678" and "proefbericht" in asked.json["data"]["text"]
    removed = await send(texting, provider, "remove", version="1")
    assert (removed.status, await stored(server)) == (303, None)
    assert await acts(server) == [
        ("sms-provider-changed", "set"),
        ("sms-tested", "accepted"),
        ("sms-provider-changed", "removed"),
    ]


async def test_a_refusal_is_told_in_words(server: Server, texting: Browser, provider: SmsServer) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=401)

    provider.answer = answer
    await send(texting, provider)
    tried = await send(texting, provider, "try", version="1", phone="06 12345678")
    assert "weigert dit geheim" in tried.html and "antwoord 401" in tried.html


async def test_a_paid_number_gets_none_and_tries_are_few(server: Server, texting: Browser, provider: SmsServer) -> None:
    await send(texting, provider)
    page = await send(texting, provider, "try", version="1", phone="0900 1234")
    assert page.status == 422 and "betaalnummer" in page.html
    for _ in range(5):
        assert (await send(texting, provider, "try", version="1", phone="06 12345678")).status == 200
    assert (await send(texting, provider, "try", version="1", phone="06 12345678")).status == 429
    assert len(provider.asked) == 5


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"url": "https://sms.elsewhere.example/"}, "url"),
        ({"url": "http://sms.maan.example/"}, "url"),
        ({"url": "https://user:pass@sms.maan.example/"}, "url"),
        ({"url": "https://sms.maan.example:8443/"}, "url"),
        ({"secret": "whsec_short"}, "secret"),
        ({"secret": TOKEN}, "secret"),
        ({"format": "cm", "secret": "a b c d e f g h"}, "secret"),
        ({"sender": "Praktijk Zonnebloem"[:16]}, "sender"),
        ({"sender": "+0612"}, "sender"),
        ({"format": "telex"}, "format"),
    ],
)
async def test_bad_input_is_said_beside_its_field(
    server: Server, texting: Browser, provider: SmsServer, changes: dict[str, str], field: str
) -> None:
    page = await send(texting, provider, **changes)
    assert (page.status, page.field(field)["aria-invalid"]) == (422, "true")
    assert KEY not in page.html and await stored(server) is None


async def test_who_comes_second_is_told(server: Server, texting: Browser, provider: SmsServer) -> None:
    await send(texting, provider)
    page = await send(texting, provider, sender="Andere")
    assert (page.status, page.hidden("version")) == (409, "1")
    found = await stored(server)
    assert found is not None and found.sender == "Praktijk"


async def test_where_the_operator_lists_none_there_is_none(server: Server, owner: Browser) -> None:
    page = await owner.get(WHERE)
    assert page.status == 200 and "staat geen sms-aanbieders toe" in page.html


async def test_the_privacy_page_names_who_gets_a_number(server: Server, texting: Browser) -> None:
    page = await texting.get("/privacy")
    assert "sms.maan.example" in page.html


@pytest.mark.parametrize("role", ["practitioner", "assistant", "support", "department_administrator", "auditor"])
async def test_to_others_it_is_nowhere(server: Server, texting: Browser, provider: SmsServer, role: MemberRole) -> None:
    await be(server, role)
    assert (await texting.get(WHERE)).status == 404
    assert (await send(texting, provider)).status == 404
