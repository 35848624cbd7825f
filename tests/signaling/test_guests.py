"""Guests over REST: added, seen, given another link, removed; what their link opens and what it does not."""

from datetime import timedelta
from typing import Any

import pytest

from signaling.routes import ENDPOINTS
from tests.signaling.conftest import Server
from tests.signaling.test_entries import acts

MARIA = {"name": " Maria Kowalska ", "role": "interpreter", "language": "en"}


@pytest.fixture
async def planned(server: Server) -> dict[str, Any]:
    await server.sign_in("alice")
    starts_at = (server.time.now() + timedelta(minutes=5)).isoformat()
    body = {"patient": "Jan", "starts_at": starts_at, "minutes": 30, "language": "nl"}
    answer = await server.call("POST", "/api/v1/appointments", body, who="alice")
    assert answer.status == 201, answer.body
    return dict(answer.body)


def path(one: dict[str, Any], *parts: str) -> str:
    return "/".join(("/api/v1/appointments", one["appointment"], "guests", *parts))


def fragment(guest: dict[str, Any]) -> str:
    return str(guest["link"]).partition("#")[2]


async def added(server: Server, one: dict[str, Any], **other: Any) -> dict[str, Any]:
    answer = await server.call("POST", path(one), MARIA | other, who="alice")
    assert answer.status == 201, answer.body
    return dict(answer.body["guests"][-1])


async def test_a_guest_has_a_link_that_says_who_they_are(server: Server, planned: dict[str, Any]) -> None:
    guest = await added(server, planned)
    assert guest | {"guest": "", "link": ""} == {
        "guest": "", "name": "Maria Kowalska", "role": "interpreter", "language": "en", "link": "",
    }  # fmt: skip
    assert fragment(guest)[:22] == planned["appointment"] and guest["link"] != planned["link"]
    joined = await server.call("POST", "/api/v1/join", {"link": fragment(guest)})
    assert joined.status == 200
    assert (joined.body["role"], joined.body["guest"]) == (
        "guest", {"name": "Maria Kowalska", "role": "interpreter"},
    )  # fmt: skip
    assert joined.body["language"] == "en"
    patients = await server.call("POST", "/api/v1/join", {"link": planned["link"].partition("#")[2]})
    assert patients.body["role"] == "patient" and "guest" not in patients.body
    assert "Jan" not in str(joined.body)


async def test_a_guests_link_cancels_nothing(server: Server, planned: dict[str, Any]) -> None:
    guest = await added(server, planned)
    body = {"link": fragment(guest), "language": "nl", "wish": "cancel", "typed": "afzeggen"}
    refused = await server.call("POST", "/api/v1/join/wish", body)
    assert (refused.status, refused.body["error"]["code"]) == (403, "forbidden")
    (said,) = [one.codes for one in ENDPOINTS if one.path.endswith("/join/wish")]
    assert "forbidden" in said
    found = await server.call("GET", f"/api/v1/appointments/{planned['appointment']}", who="alice")
    assert found.body["wish"] is None
    calendar = await server.call("POST", "/api/v1/join/calendar", {"link": fragment(guest), "language": "en"})
    unfolded = calendar.body["calendar"].replace("\r\n ", "")
    assert guest["link"] in unfolded and planned["link"] not in unfolded


async def test_another_link_and_none(server: Server, planned: dict[str, Any]) -> None:
    guest = await added(server, planned)
    answer = await server.call("POST", path(planned, guest["guest"], "link"), {}, who="alice")
    (renewed,) = answer.body["guests"]
    old, new = [await server.call("POST", "/api/v1/join", {"link": fragment(one)}) for one in (guest, renewed)]
    assert (old.status, new.status) == (404, 200)
    answer = await server.call("DELETE", path(planned, renewed["guest"]), who="alice")
    assert answer.status == 200 and "guests" not in answer.body
    assert (await server.call("POST", "/api/v1/join", {"link": fragment(renewed)})).status == 404
    again = await server.call("DELETE", path(planned, renewed["guest"]), who="alice")
    assert (again.status, again.body["error"]["code"]) == (404, "not_found")
    assert [act for act, *_ in await acts(server)].count("appointment-changed") == 3


async def test_an_app_that_came_by_the_link_before_refreshes_nothing(server: Server, planned: dict[str, Any]) -> None:
    guest = await added(server, planned)
    joined = await server.call("POST", "/api/v1/join", {"link": fragment(guest), "refresh": True})
    token = joined.body["refresh_token"]
    going_on = await server.call("POST", "/api/v1/tokens/refresh", {"refresh_token": token})
    assert going_on.status == 200
    await server.call("POST", path(planned, guest["guest"], "link"), {}, who="alice")
    token = going_on.body["refresh_token"]
    refused = await server.call("POST", "/api/v1/tokens/refresh", {"refresh_token": token})
    assert refused.body["error"]["code"] == "token_invalid"


async def test_wrong_guests_are_refused_with_their_field(server: Server, planned: dict[str, Any]) -> None:
    for wrong, field in (
        ({"name": "\u200b"}, "name"),
        ({"role": "patient"}, "role"),
        ({"language": "tlh"}, "language"),
    ):
        refused = await server.call("POST", path(planned), MARIA | wrong, who="alice")
        assert (refused.status, refused.body["error"]["field"]) == (400, field)
    for number in range(10):
        await added(server, planned, name=f"Gast {number}")
    refused = await server.call("POST", path(planned), MARIA, who="alice")
    assert (refused.status, refused.body["error"]["code"]) == (409, "guests_full")
    await server.sign_in("bob")
    assert (await server.call("POST", path(planned), MARIA, who="bob")).status == 404
