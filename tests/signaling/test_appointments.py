"""The practitioner's appointments over REST. Alice plans, Bob must never see or touch it."""

import re
from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from practice.agenda.records import appointments, content_place
from signaling.routes import ENDPOINTS
from signaling.typedefs import HEALTH, TICKETS
from tests.signaling.conftest import Server
from vault.keys.envelope import pack, seal
from vault.records.scope import Scope

PLAN = {"patient": "Charlie", "starts_at": "2027-03-01T09:00:00+01:00", "minutes": 30, "language": "nl"}


async def planned(server: Server) -> dict[str, str]:
    await server.sign_in("alice")
    answer = await server.call("POST", "/api/v1/appointments", PLAN, who="alice")
    assert answer.status == 201, answer.body
    body: dict[str, str] = answer.body
    return body


async def test_a_new_appointment_comes_with_a_link_to_copy(server: Server) -> None:
    body = await planned(server)
    assert body["patient"] == "Charlie"
    assert body["starts_at"] == "2027-03-01T09:00:00+01:00"
    origin, _, rest = body["link"].partition("/c#")
    assert origin == server.origin
    assert rest.startswith(body["appointment"])
    assert len(rest) == 44
    found = await server.call("GET", "/api/v1/appointments?first=2027-03-01&last=2027-03-01", who="alice")
    assert [one["appointment"] for one in found.body["appointments"]] == [body["appointment"]]


async def test_without_days_it_is_about_today(server: Server) -> None:
    await server.sign_in("alice")
    today = await server.appoint(server.alice)
    await planned(server)
    found = await server.call("GET", "/api/v1/appointments", who="alice")
    assert [one["appointment"] for one in found.body["appointments"]] == [today.id]


async def test_ending_starts_retention(server: Server) -> None:
    body = await planned(server)
    answer = await server.call("POST", f"/api/v1/appointments/{body['appointment']}/end", {}, who="alice")
    assert answer.body["state"] == "ended"
    due = datetime.fromisoformat(answer.body["destroyed_at"])
    assert 29 <= (due - datetime.now(UTC)).days <= 30


async def test_an_end_is_taken_back_while_the_link_would_still_open(server: Server) -> None:
    await server.sign_in("alice")
    for start, status in ((0, 200), (-61, 410)):
        appointment = await server.appoint(server.alice, start)
        await server.store.appointments.end(Scope.consult(appointment.id, appointment.owner), appointment.id)
        before = await server.call("GET", f"/api/v1/appointments/{appointment.id}", who="alice")
        assert before.body["reopens"] is (status == 200)
        answer = await server.call("POST", f"/api/v1/appointments/{appointment.id}/reopen", {}, who="alice")
        assert answer.status == status
        link = {"link": appointment.id + appointment.secret}
        assert (await server.call("POST", "/api/v1/join", link)).status == (200 if status == 200 else 404)


async def test_destroying_leaves_a_receipt_and_nothing_else(server: Server) -> None:
    body = await planned(server)
    address = f"/api/v1/appointments/{body['appointment']}"
    receipt = (await server.call("DELETE", address, who="alice")).body
    assert (await server.call("DELETE", address, who="alice")).body == receipt
    assert (await server.call("GET", address, who="alice")).code == "gone"
    assert (await server.call("GET", "/api/v1/receipts", who="alice")).body == {"receipts": [receipt]}
    assert "Charlie" not in str(receipt)


async def test_the_retention_setting_is_previewed_and_changed(server: Server) -> None:
    await server.sign_in("alice")
    ended = await server.appoint(server.alice, -120)
    await server.store.appointments.end(Scope.consult(ended.id, ended.owner), ended.id)
    before = await server.call("GET", "/api/v1/retention", who="alice")
    assert before.body == {"retention": "30d", "due_within_minute": 0}
    preview = await server.call("GET", "/api/v1/retention?retention=end", who="alice")
    assert preview.body == {"retention": "end", "due_within_minute": 1}
    assert (await server.call("GET", "/api/v1/me", who="alice")).body["retention"] == "30d"
    changed = await server.call("PUT", "/api/v1/retention", {"retention": "end"}, who="alice")
    assert changed.body == {"retention": "end", "due_within_minute": 1}
    assert (await server.call("GET", "/api/v1/me", who="alice")).body["retention"] == "end"


async def test_the_desk_gets_a_ticket_of_its_practitioner(server: Server) -> None:
    await server.sign_in("alice")
    answer = await server.call("POST", "/api/v1/desk/ticket", {}, who="alice")
    claims = server.app[TICKETS].verify(answer.body["access_token"])
    assert (claims.role, claims.practitioner, claims.appointment) == ("practitioner", server.alice.id, None)
    assert answer.body["expires_in"] == 300


@pytest.mark.parametrize("method", ["GET", "DELETE", "POST"])
async def test_what_is_not_yours_does_not_exist(server: Server, method: str) -> None:
    body = await planned(server)
    await server.sign_in("bob")
    address = f"/api/v1/appointments/{body['appointment']}" + ("/end" if method == "POST" else "")
    foreign = await server.call(method, address, {} if method == "POST" else None, who="bob")
    unknown = await server.call(
        method, address.replace(body["appointment"], "A" * 22), {} if method == "POST" else None, who="bob"
    )
    assert (foreign.status, foreign.code) == (404, "not_found")
    assert foreign.body == unknown.body
    assert (await server.call("GET", f"/api/v1/appointments/{body['appointment']}", who="alice")).body[
        "state"
    ] == "planned"


async def test_nothing_is_done_for_who_is_not_signed_in(server: Server) -> None:
    for endpoint in ENDPOINTS:
        if not endpoint.public:
            body: dict[str, object] | None = None if endpoint.method in ("GET", "DELETE") else {}
            path = re.sub(r"\{\w+\}", "A" * 22, endpoint.path)
            answer = await server.call(endpoint.method, path, body)
            assert (answer.status, answer.code) == (401, "unauthenticated"), endpoint.path


WRONG: list[dict[str, object]] = [
    {"patient": "Jan\r\nBcc: x"},
    {"patient": "\u200b\u2060\ufeff"},
    {"patient": "\u202e"},
    {"starts_at": "9999-12-31T23:59:59-14:00"},
    {"starts_at": "0001-01-01T00:00:00+14:00"},
    {"starts_at": "2206-11-28T10:00:00Z"},
    {"starts_at": "1999-11-28T10:00:00Z"},
    {"anyway": "yes"},
    {"patient": ""},
    {"patient": "x" * 201},
    {"minutes": 4},
    {"minutes": "30"},
    {"minutes": 30.5},
    {"starts_at": "2027-03-01"},
    {"starts_at": "2027-03-01T09:00:00"},
    {"starts_at": "2027-02-31T09:00:00Z"},
    {"language": "xx"},
    {"extra": 1},
    {"patient": None},
]


async def test_a_wrong_field_is_one_error_and_changes_nothing(server: Server) -> None:
    await server.sign_in("alice")
    for change in WRONG:
        answer = await server.call("POST", "/api/v1/appointments", PLAN | {"anyway": True} | change, who="alice")
        assert (answer.status, answer.code) == (400, "invalid"), change
        assert answer.body["error"]["field"] == next(iter(change))
    found = await server.call("GET", "/api/v1/appointments?first=2027-01-01&last=2027-12-31", who="alice")
    assert found.body == {"appointments": [], "unreadable": []}


@pytest.mark.parametrize(
    "query",
    ["first=yesterday", "last=2027-01-01&first=2027-01-02", "last=2027-01-01&first=2020-01-01", "day=2027-01-01"],
)
async def test_wrong_days_are_refused_by_name(server: Server, query: str) -> None:
    await server.sign_in("alice")
    refused = await server.call("GET", f"/api/v1/appointments?{query}", who="alice")
    assert refused.code == "invalid"
    assert refused.body["error"].get("field") == (None if query.startswith("day") else query.partition("=")[0])


async def test_a_damaged_one_is_said_beside_the_others_and_takes_no_server_away(server: Server) -> None:
    body = await planned(server)
    bad = await server.appoint(server.alice)
    async with server.store.database.write() as connection:
        await connection.exec_driver_sql("UPDATE appointments SET content = x'00' WHERE id = ?", (bad.id,))
    found = await server.call("GET", "/api/v1/appointments?first=2027-03-01&last=2027-03-01", who="alice")
    assert [one["appointment"] for one in found.body["appointments"]] == [body["appointment"]]
    assert found.body["unreadable"] == [{"appointment": bad.id, "newer": False}]
    for method, path in (
        ("GET", ""),
        ("POST", "/join"),
        ("POST", "/end"),
        ("POST", "/reopen"),
        ("POST", "/cancel"),
        ("POST", "/keep"),
    ):
        answer = await server.call(
            method, f"/api/v1/appointments/{bad.id}{path}", {} if method == "POST" else None, who="alice"
        )
        assert (answer.status, answer.code) == (409, "unreadable"), path
    assert (await server.call("POST", "/api/v1/join", {"link": bad.id + bad.secret})).code == "link_invalid"
    checks = (await server.app[HEALTH].ready()).checks
    assert (checks["appointments"].ok, checks["appointments"].needed) == (False, False)
    assert checks["retention"].ok
    assert "spreekkamer_retention_unreadable 1.0" in (await server.call("GET", "/metrics")).body
    assert (await server.call("DELETE", f"/api/v1/appointments/{bad.id}", who="alice")).status == 200
    found = await server.call("GET", "/api/v1/appointments", who="alice")
    assert found.body["unreadable"] == []


async def test_one_of_a_newer_version_is_said_to_be_whole(server: Server) -> None:
    await server.sign_in("alice")
    one = await server.appoint(server.alice)
    key, _ = await server.store.keys.get(one.owner, one.id)
    newer = seal(key, pack({"version": 99}), content_place(one.id, one.owner))
    async with server.store.database.write() as connection:
        await connection.execute(update(appointments).where(appointments.c.id == one.id).values(content=newer))
    found = await server.call("GET", "/api/v1/appointments", who="alice")
    assert found.body == {"appointments": [], "unreadable": [{"appointment": one.id, "newer": True}]}
    answer = await server.call("POST", f"/api/v1/appointments/{one.id}/join", {}, who="alice")
    assert (answer.status, answer.code) == (409, "unreadable")
    assert (await server.app[HEALTH].ready()).checks["appointments"].ok
    metrics = (await server.call("GET", "/metrics")).body
    assert "spreekkamer_retention_newer 1.0" in metrics
    assert "spreekkamer_retention_unreadable 0.0" in metrics
    assert (await server.call("DELETE", f"/api/v1/appointments/{one.id}", who="alice")).status == 200
    assert "spreekkamer_retention_newer 0.0" in (await server.call("GET", "/metrics")).body


async def test_a_day_that_is_given_twice_and_a_start_that_is_years_away_are_refused(server: Server) -> None:
    await server.sign_in("alice")
    twice = await server.call("GET", "/api/v1/appointments?first=2027-03-01&first=2027-03-02", who="alice")
    assert (twice.status, twice.body["error"]["field"]) == (400, "first")
    away = await server.call("POST", "/api/v1/appointments", {**PLAN, "starts_at": "2037-03-01T09:00:00Z"}, who="alice")
    assert (away.status, away.body["error"]["field"]) == (400, "starts_at")
