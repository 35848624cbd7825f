"""What an organisation decides for everybody: a page of forms, and what practitioners see of it."""

from urllib.parse import urlencode

import pytest

from practice.organisation.model import MemberRole
from practice.policies.model import Policy
from tests.organisations import scope_of
from tests.signaling.conftest import Server
from tests.signaling.test_rights import be
from tests.web.forms.conftest import Browser, Seen

WHERE = "/practice/policies"
DECIDED = {"cap": "any", "version": "0"}


async def send(browser: Browser, *allowed: str, **changes: str) -> Seen:
    fields = {"form_token": await browser.token(), **DECIDED, **changes}
    return await browser.send(f"{WHERE}/decide", urlencode([*fields.items(), *(("allowed", one) for one in allowed)]))


async def decided(server: Server) -> Policy:
    return await server.store.policies.of(await scope_of(server.store, server.alice.id))


@pytest.mark.duty("S-32")
async def test_it_is_decided_entered_and_shown_to_practitioners_with_who_did(server: Server, owner: Browser) -> None:
    page = await owner.get(WHERE)
    assert (page.status, page.hidden("version"), "cap-set" in page.html) == (200, "0", False)
    sent = await send(owner, "screen", cap="7d", sure="on")
    assert (sent.status, sent.location) == (303, f"{WHERE}?done=saved")
    found = await decided(server)
    assert (found.cap, found.barred, found.by) == ("7d", frozenset({"chat"}), server.alice.id)
    entries = [entry async for entry in server.store.audit.entries()]
    assert (entries[-1].act, entries[-1].actor, entries[-1].detail) == ("policy-changed", "practitioner", "7d")
    page = await owner.get(WHERE)
    assert "Alice" in page.html and "heeft de grens ingesteld" in page.html
    assert 'value="7d" selected' in page.html
    await server.sign_in("bob")
    answer = await server.call("GET", "/api/v1/retention", who="bob")
    assert (answer.body["cap"], answer.body["cap_by"]) == ("7d", "Alice")
    refused = await server.call("PUT", "/api/v1/retention", {"retention": "30d"}, who="bob")
    assert (refused.status, refused.code) == (403, "not_allowed")
    chosen = await server.call("PUT", "/api/v1/retention", {"retention": "24h"}, who="bob")
    assert (chosen.status, chosen.body["cap"]) == (200, "7d")


async def test_a_shorter_cap_is_asked_for_twice_and_a_longer_one_is_not(server: Server, owner: Browser) -> None:
    page = await send(owner, "chat", "screen", cap="30d")
    assert (page.status, page.field("sure")["aria-invalid"]) == (422, "true")
    assert 'value="30d" selected' in page.html
    assert (await decided(server)).version == 0
    assert (await send(owner, "chat", "screen", cap="30d", sure="on")).status == 303
    assert (await send(owner, "chat", "screen", cap="90d", version="1")).status == 303
    assert (await send(owner, "chat", "screen", cap="any", version="2")).status == 303
    assert ((await decided(server)).cap, (await decided(server)).barred) == (None, frozenset())


@pytest.mark.duty("S-42")
async def test_who_comes_second_sees_both_values_and_decides(server: Server, owner: Browser) -> None:
    assert (await send(owner, "chat", cap="30d", sure="on")).status == 303
    page = await send(owner, "screen", cap="7d", sure="on")
    assert (page.status, page.hidden("version")) == (409, "1")
    assert "Nu opgeslagen: 30 dagen na afloop" in page.described("cap")
    assert "Nu opgeslagen: Chat" in page.html
    assert 'value="7d" selected' in page.html
    assert (await decided(server)).cap == "30d"
    assert (await send(owner, "screen", cap="7d", sure="on", version="1")).status == 303


@pytest.mark.parametrize("changes", [{"cap": "manual"}, {"cap": ""}, {"version": "x"}, {"allowed": "files"}])
async def test_bad_input_changes_nothing(server: Server, owner: Browser, changes: dict[str, str]) -> None:
    assert (await send(owner, **changes)).status == 422
    assert (await decided(server)).version == 0


@pytest.mark.parametrize("role", ["practitioner", "assistant", "support", "department_administrator", "auditor"])
async def test_to_others_the_page_is_nowhere(server: Server, owner: Browser, role: MemberRole) -> None:
    await be(server, role)
    assert (await owner.get(WHERE)).status == 404
    assert (await send(owner, cap="7d", sure="on")).status == 404
    assert WHERE not in (await owner.get("/account")).html
