"""The page on which an owner lists the mail domains whose addresses may register."""

import pytest

from tests.organisations import scope_of
from tests.signaling.conftest import Server
from tests.web.forms.conftest import Browser, Seen
from tests.web.practice.test_invitations import text
from tests.web.practice.test_people import send

PAGE = "/practice/mail-domains"


async def add(browser: Browser, domain: str = "@Bücher.example", **changes: str) -> Seen:
    return await send(browser, f"{PAGE}/add", **{"domain": domain, "role": "assistant"} | changes)


async def test_a_domain_is_listed_and_taken_off(server: Server, owner: Browser) -> None:
    assert "Op deze server kan nu niemand zich zo aanmelden" in text(await owner.get(PAGE))
    server.store.registrations.ways = frozenset({"domains"})
    page = await owner.get(PAGE)
    assert "Op deze server" not in text(page) and "checked" in page.field("approval"), (
        "what is offered is the careful one"
    )
    done = await add(owner)
    assert (done.status, done.location) == (303, f"{PAGE}?done=domain-added")
    page = await owner.get(PAGE)
    assert "@xn--bcher-kva.example" in text(page) and "kan meteen inloggen" in text(page)
    assert (await add(owner, "bücher.example")).status == 409
    done = await send(owner, f"{PAGE}/remove", listed=page.hidden("listed"))
    assert (done.status, done.location) == (303, f"{PAGE}?done=domain-removed")
    assert "Er staat nog geen domein" in text(await owner.get(PAGE))
    assert (await send(owner, f"{PAGE}/remove", listed=page.hidden("listed"))).status == 404
    acts = [(one.act, one.detail) async for one in server.store.audit.entries() if "domain" in one.act]
    assert [one for one in acts if one[0] != "mail-domains-read"] == [
        ("mail-domain-added", "assistant"),
        ("mail-domain-removed", "assistant"),
    ]


async def test_one_of_a_public_provider_is_asked_for_twice_and_lets_nobody_in_at_once(
    server: Server, owner: Browser
) -> None:
    page = await add(owner, "Gmail.com")
    assert page.status == 422 and page.described("sure")
    assert (await add(owner, "Gmail.com", sure="on")).status == 303
    (one,) = await server.store.mail_domains.of(await scope_of(server.store, server.alice.id))
    assert one.name == "gmail.com" and one.approval
    assert "ieder wordt toegelaten" in text(await owner.get(PAGE))


@pytest.mark.parametrize(
    "fields", [{"domain": "localhost"}, {"domain": "pr\u0430ctice.example"}, {"domain": ""}, {"role": "owner"}]
)
async def test_bad_input_lists_nothing(server: Server, owner: Browser, fields: dict[str, str]) -> None:
    page = await add(owner, **{"domain": "practice.example"} | fields)
    assert page.status == 422 and page.field(next(iter(fields)))["aria-invalid"] == "true"
    assert await server.store.mail_domains.of(await scope_of(server.store, server.alice.id)) == []
