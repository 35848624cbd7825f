"""Changing a password: the old one again, another one twice, and everybody else is out."""

from urllib.parse import urlencode

import pytest

from tests.opening import of
from tests.signaling.conftest import PASSWORD, Server
from tests.web.forms.conftest import Browser, Seen

NEW = "een rustige ochtend"


async def change(browser: Browser, **changes: str) -> Seen:
    fields = {"old": PASSWORD, "new": NEW, "again": changes.get("new", NEW)} | changes
    token = (await browser.get("/account/password")).hidden("form_token")
    return await browser.send("/account/password", urlencode({"form_token": token, **fields}))


async def signs_in(server: Server, password: str) -> int:
    body = {"mail": "alice@example.org", "password": password}
    return (await server.call("POST", "/api/v1/sign-in", body, who="another")).status


async def test_it_is_changed_and_whoever_else_was_signed_in_is_out(server: Server, alice: Browser) -> None:
    assert await signs_in(server, PASSWORD) == 200
    app = (await server.call("POST", "/api/v1/tokens", {"mail": "alice@example.org", "password": PASSWORD})).body
    sent = await change(alice)
    assert (sent.status, sent.location) == (303, "/account?done=password")
    assert "Uw wachtwoord is gewijzigd" in (await alice.get(sent.location)).elements.text
    assert (await server.call("GET", "/api/v1/me", who="another")).code == "unauthenticated"
    refresh = {"refresh_token": app["refresh_token"]}
    assert (await server.call("POST", "/api/v1/tokens/refresh", refresh)).code == "token_invalid"
    assert (await signs_in(server, PASSWORD), await signs_in(server, NEW)) == (403, 200)
    acts = [entry.act async for entry in server.store.audit.entries()]
    assert acts.count("password-changed") == 1
    assert await server.store.practitioners.get(of(server.alice.id)) == server.alice


@pytest.mark.parametrize(
    ("changes", "status", "field", "said"),
    [
        ({"old": "not it"}, 403, "old", "Dit is niet uw wachtwoord."),
        ({"old": ""}, 422, "old", "Vul dit in."),
        ({"new": "short12"}, 422, "new", "Dit is te kort."),
        ({"new": "x" * 1025}, 422, "new", "Dit is te lang. Maak het korter."),
        ({"again": "een andere ochtend"}, 422, "again", "De twee zijn niet gelijk."),
        ({"new": "Password1!"}, 422, "new", "Dit wachtwoord gebruiken veel mensen"),
        ({"new": "alice2027"}, 422, "new", "Dit wachtwoord gebruiken veel mensen"),
    ],
)
async def test_what_is_wrong_is_said_and_changes_nothing(
    server: Server, alice: Browser, changes: dict[str, str], status: int, field: str, said: str
) -> None:
    assert await signs_in(server, PASSWORD) == 200
    page = await change(alice, **changes)
    assert page.status == status
    assert said in page.described(field)
    for typed in (*changes.values(), PASSWORD, NEW):
        assert not typed or typed not in page.html
    assert (await server.call("GET", "/api/v1/me", who="another")).status == 200
    assert await signs_in(server, PASSWORD) == 200


async def test_guessing_the_old_one_is_counted(server: Server, alice: Browser) -> None:
    statuses = [(await change(alice, old=f"guess {number}")).status for number in range(12)]
    assert (statuses[0], statuses[-1]) == (403, 429)
    assert (await change(alice)).status == 429
    assert await signs_in(server, PASSWORD) == 200, "who signs in elsewhere is not kept out"
