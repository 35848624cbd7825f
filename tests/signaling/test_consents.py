"""Consent over REST: nobody waits without it, by link or app, and who takes it back ends what they agreed to."""

from datetime import timedelta
from typing import Any

import pytest

from tests.opening import of
from tests.signaling.conftest import Answer, Server
from tests.signaling.test_entries import acts

NL = {"language": "nl"}


@pytest.fixture
async def desk(server: Server) -> Server:
    await server.sign_in("alice")
    return server


async def planned(server: Server, **other: Any) -> dict[str, Any]:
    starts_at = (server.time.now() + timedelta(minutes=5)).isoformat()
    body = {"patient": "Jan", "starts_at": starts_at, "minutes": 30, "language": "nl", "anyway": True} | other
    answer = await server.call("POST", "/api/v1/appointments", body, who="alice")
    assert answer.status == 201, answer.body
    return dict(answer.body)


async def with_guardian(server: Server, one: dict[str, Any]) -> dict[str, Any]:
    body = {"name": "Moeder", "role": "guardian", "language": "nl"}
    answer = await server.call("POST", f"/api/v1/appointments/{one['appointment']}/guests", body, who="alice")
    return dict(answer.body["guests"][-1])


def link(one: dict[str, Any]) -> dict[str, Any]:
    return {"link": one["link"].partition("#")[2]}


async def join(server: Server, one: dict[str, Any], **more: Any) -> Answer:
    return await server.call("POST", "/api/v1/join", link(one) | more)


async def code_of_join(server: Server, one: dict[str, Any]) -> str | None:
    answer = await join(server, one)
    return None if answer.status == 200 else str(answer.body["error"]["code"])


async def read(server: Server, one: dict[str, Any]) -> dict[str, Any]:
    answer = await server.call("POST", "/api/v1/join/consents", link(one) | NL)
    assert answer.status == 200, answer.body
    return dict(answer.body)


async def give(server: Server, one: dict[str, Any]) -> Answer:
    versions = [text["version"] for text in (await read(server, one))["texts"]]
    return await server.call("POST", "/api/v1/join/consents/give", link(one) | NL | {"versions": versions})


async def seen(server: Server, one: dict[str, Any]) -> dict[str, Any]:
    return dict((await server.call("GET", f"/api/v1/appointments/{one['appointment']}", who="alice")).body)


@pytest.mark.duty("S-16", "S-44")
async def test_a_child_waits_for_itself_and_a_guardian_on_two_devices(desk: Server) -> None:
    one = await planned(desk, band="12-15")
    mother = await with_guardian(desk, one)
    assert await code_of_join(desk, one) == await code_of_join(desk, mother) == "consent_needed"
    assert (await seen(desk, one))["missing"] == "consent_needed"
    given = await give(desk, one)
    assert given.body["missing"] == "guardian_needed" and given.body["texts"] == []
    assert [text["purpose"] for text in given.body["given"]] == ["video"]
    assert (
        await code_of_join(desk, one) == "guardian_needed" and (await seen(desk, one))["missing"] == "guardian_needed"
    )
    assert "missing" not in (await give(desk, mother)).body
    joined, guardians = await join(desk, one), await join(desk, mother)
    assert (joined.status, joined.body["asks"]) == (200, True) and guardians.body["asks"] is True
    shown = await seen(desk, one)
    assert "missing" not in shown and shown["band"] == "12-15"
    assert [act for act, *_ in await acts(desk)].count("consent-given") == 2


async def test_what_asks_nothing_says_nothing_of_it(desk: Server) -> None:
    one = await planned(desk)
    joined = await join(desk, one)
    assert "asks" not in joined.body and await read(desk, one) == {"texts": [], "given": []}
    refused = await desk.call("POST", "/api/v1/join/consents/withdraw", link(one))
    assert (refused.status, refused.body["error"]["code"]) == (409, "bad_state")


@pytest.mark.duty("S-44")
async def test_an_app_refreshes_nothing_without_consent(desk: Server) -> None:
    one = await planned(desk, band="16")
    await desk.store.consents.ask(of(desk.alice.id), ["video"], 0)
    asks = await planned(desk)
    assert await code_of_join(desk, asks) == "consent_needed"
    token = (await join(desk, one, refresh=True)).body["refresh_token"]
    said = await desk.call("PUT", f"/api/v1/appointments/{one['appointment']}/age", {"band": "under-12"}, who="alice")
    assert said.status == 200, said.body
    refused = await desk.call("POST", "/api/v1/tokens/refresh", {"refresh_token": token})
    assert (refused.status, refused.body["error"]["code"]) == (403, "guardian_needed")


@pytest.mark.duty("S-16")
async def test_an_emergency_is_lifted_with_a_reason_that_the_trail_has(desk: Server) -> None:
    one = await planned(desk, band="under-12")
    where = f"/api/v1/appointments/{one['appointment']}/lift"
    for body, field in (({"reason": "bored"}, "reason"), ({"reason": "otherwise"}, "note")):
        refused = await desk.call("POST", where, body, who="alice")
        assert (refused.status, refused.body["error"]["field"]) == (400, field)
    await desk.sign_in("bob")
    assert (await desk.call("POST", where, {"reason": "emergency"}, who="bob")).status == 404
    assert await code_of_join(desk, one) == "guardian_needed"
    lifted = await desk.call("POST", where, {"reason": "emergency", "note": "Valt flauw."}, who="alice")
    assert (lifted.status, lifted.body["lifted"]) == (200, "emergency")
    assert await code_of_join(desk, one) is None
    (entered,) = [entry async for entry in desk.store.audit.entries() if entry.act == "guardian-lifted"]
    assert entered.detail == "emergency"
    adult = await planned(desk, band="16")
    where = f"/api/v1/appointments/{adult['appointment']}/lift"
    assert (await desk.call("POST", where, {"reason": "emergency"}, who="alice")).body["error"]["code"] == "bad_state"


@pytest.mark.duty("S-44")
async def test_withdrawing_destroys_by_the_link_that_agreed(desk: Server) -> None:
    one = await planned(desk, band="under-12")
    mother = await with_guardian(desk, one)
    await give(desk, mother)
    childs = await desk.call("POST", "/api/v1/join/consents/withdraw", link(one))
    assert childs.body["error"]["code"] == "bad_state", "the child agreed to nothing"
    assert (await desk.call("POST", "/api/v1/join/consents/withdraw", link(mother))).status == 204
    assert await code_of_join(desk, one) == await code_of_join(desk, mother) == "link_invalid"
    again = await desk.call("POST", "/api/v1/join/consents/withdraw", link(mother))
    assert again.body["error"]["code"] == "link_invalid"
    await desk.store.retention.sweep()
    gone = await desk.call("GET", f"/api/v1/appointments/{one['appointment']}", who="alice")
    assert gone.status == 410
    assert "consent-withdrawn" in [act for act, *_ in await acts(desk)]


async def test_texts_of_others_and_former_ones_are_no_consent(desk: Server) -> None:
    one = await planned(desk, band="12-15")
    mother = await with_guardian(desk, one)
    theirs = [text["version"] for text in (await read(desk, mother))["texts"]]
    wrong = await desk.call("POST", "/api/v1/join/consents/give", link(one) | NL | {"versions": theirs})
    assert (wrong.status, wrong.body["error"]["code"]) == (400, "invalid")
    unknown = await desk.call("POST", "/api/v1/join/consents/give", link(one) | NL | {"versions": ["A" * 22]})
    assert (unknown.status, unknown.body["error"]["code"]) == (409, "conflict")
    assert await code_of_join(desk, one) == "consent_needed"
