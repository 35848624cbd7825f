"""Apps: access tokens that live for minutes, refresh tokens that are good once, and what a second use of one ends."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from practice.agenda.changes import Correction
from signaling.gate import SIGNALING
from signaling.protocol.errors import ProtocolError
from signaling.typedefs import REDIS, TICKETS
from tests.opening import of
from tests.signaling.conftest import PASSWORD, Answer, Server
from turn.credentials import TurnCredentials
from turn.settings import TurnSettings
from vault.audit import practitioner
from vault.records.scope import Scope

NATIVE = {"Origin": ""}


async def call(server: Server, method: str, path: str, body: object = None, token: str | None = None) -> Answer:
    """As an app: no cookies, no Origin."""
    headers = NATIVE | ({"Authorization": f"Bearer {token}"} if token else {})
    return await server.call(method, f"/api/v1{path}", body, who=str(id(body)), headers=headers)


async def signed_in(server: Server) -> dict[str, Any]:
    answer = await call(server, "POST", "/tokens", {"mail": "alice@example.org", "password": PASSWORD})
    assert answer.status == 200 and "Set-Cookie" not in answer.headers
    body: dict[str, Any] = answer.body
    return body


async def refreshed(server: Server, tokens: dict[str, Any]) -> Answer:
    return await call(server, "POST", "/tokens/refresh", {"refresh_token": tokens["refresh_token"]})


async def opens(server: Server, tokens: dict[str, Any]) -> bool:
    """Whether the access token opens REST and Socket.IO; it is both or neither."""
    rest = (await call(server, "GET", "/me", token=tokens["access_token"])).status == 200
    try:
        await server.app[SIGNALING].admission.authenticate(tokens["access_token"])
    except ProtocolError:
        return rest
    assert rest
    return True


async def acts(server: Server) -> list[str]:
    return [entry.act async for entry in server.store.audit.entries()]


async def test_an_app_does_what_a_page_does_without_a_cookie(server: Server) -> None:
    tokens = await signed_in(server)
    assert tokens["practitioner"] == server.alice.id
    assert (tokens["expires_in"], tokens["refresh_expires_in"]) == (300, 43_200)
    plan = {"patient": "Jan", "starts_at": "2027-03-01T09:00:00+01:00", "minutes": 30, "language": "nl"}
    assert (await call(server, "POST", "/appointments", plan, tokens["access_token"])).status == 201
    assert await opens(server, tokens)
    assert await acts(server) == ["signed-in", "appointment-created"]


async def test_only_its_own_token_opens_rest(server: Server) -> None:
    tokens = await signed_in(server)
    await server.sign_in("alice")
    page = (await server.call("POST", "/api/v1/desk/ticket", who="alice")).body["access_token"]
    for wrong in (page, tokens["refresh_token"], "", "x"):
        assert (await call(server, "GET", "/me", token=wrong or " ")).status == 401
    basic = {"Authorization": "Basic YTpi"}
    assert (await server.call("GET", "/api/v1/me", who="alice", headers=basic)).code == "unauthenticated"
    assert (await call(server, "POST", "/tokens/refresh", {"refresh_token": page})).code == "token_invalid"
    with pytest.raises(ProtocolError):
        await server.app[SIGNALING].admission.authenticate(tokens["refresh_token"])


async def test_the_access_token_ends_and_the_refresh_token_gives_the_next(server: Server) -> None:
    tokens = await signed_in(server)
    server.time.ahead = timedelta(seconds=301)
    assert not await opens(server, tokens)
    after = await refreshed(server, tokens)
    assert await opens(server, after.body)
    assert after.body["refresh_expires_in"] == pytest.approx(43_200 - 301, abs=2)
    server.time.ahead = timedelta(seconds=43_202)
    assert (await refreshed(server, after.body)).code == "token_invalid"


async def test_a_second_use_ends_the_family_and_is_entered(server: Server) -> None:
    first = await signed_in(server)
    other = await signed_in(server)
    second = (await refreshed(server, first)).body
    third = (await refreshed(server, second)).body
    assert (await refreshed(server, first)).code == "token_reused"
    for tokens in (third, second):
        assert not await opens(server, tokens)
        assert (await refreshed(server, tokens)).code == "token_invalid"
    assert await opens(server, other)
    assert (await acts(server))[-1] == "token-reused"
    entry = [entry async for entry in server.store.audit.entries()][-1]
    assert entry.subject_name == await server.store.audit.name(practitioner(server.alice.id))


async def test_a_lost_answer_is_forgiven_for_ten_seconds(server: Server) -> None:
    first = await signed_in(server)
    await refreshed(server, first)
    again = await refreshed(server, first)
    assert again.status == 200 and await opens(server, again.body)
    server.time.ahead = timedelta(seconds=9)
    assert (await refreshed(server, first)).status == 200
    server.time.ahead = timedelta(seconds=11)
    assert (await refreshed(server, first)).code == "token_reused"


async def test_of_many_refreshes_at_once_all_get_the_same_generation(server: Server) -> None:
    first = await signed_in(server)
    answers = await asyncio.gather(*(refreshed(server, first) for _ in range(12)))
    assert {answer.status for answer in answers} == {200}
    claims = [server.app[TICKETS].verify(one.body["refresh_token"], kinds=("refresh",)) for one in answers]
    assert {one.generation for one in claims} == {2}


async def test_a_ticket_that_an_app_asked_for_ends_with_its_family(server: Server) -> None:
    tokens = await signed_in(server)
    appointment = await server.appoint(server.alice)
    paths = ("/desk/ticket", f"/appointments/{appointment.id}/join")
    tickets = [(await call(server, "POST", path, token=tokens["access_token"])).body for path in paths]
    admission = server.app[SIGNALING].admission
    for ticket in tickets:
        assert await admission.authenticate(ticket["access_token"])
    await call(server, "POST", "/tokens/revoke", {"refresh_token": tokens["refresh_token"]})
    for ticket in tickets:
        with pytest.raises(ProtocolError, match="token_invalid"):
            await admission.authenticate(ticket["access_token"])


@pytest.mark.parametrize("how", ["revoke", "sign-out", "sign-out-elsewhere", "close", "flush"])
async def test_a_family_ends(server: Server, how: str) -> None:
    tokens = await signed_in(server)
    if how == "revoke":
        assert (await call(server, "POST", "/tokens/revoke", {"refresh_token": tokens["refresh_token"]})).status == 204
    elif how == "sign-out":
        assert (await call(server, "POST", "/sign-out", {}, tokens["access_token"])).status == 204
    elif how == "sign-out-elsewhere":
        await server.sign_in("alice")
        await server.call("POST", "/api/v1/sign-out", who="alice")
    elif how == "close":
        await call(server, "POST", "/account/close", {"password": PASSWORD}, tokens["access_token"])
    else:
        await server.app[REDIS].flushall()
    assert not await opens(server, tokens)
    assert (await refreshed(server, tokens)).code == "token_invalid"


async def test_revoking_says_nothing_about_a_token(server: Server) -> None:
    for token in ("x", "a.b.c", "é" * 100):
        assert (await call(server, "POST", "/tokens/revoke", {"refresh_token": token})).status == 204


async def test_a_wrong_password_is_refused_and_counted_as_in_a_browser(server: Server) -> None:
    wrong = {"mail": "alice@example.org", "password": "wrong password"}
    codes = [(await call(server, "POST", "/tokens", wrong)).code for _ in range(11)]
    assert codes == ["sign_in_refused"] * 10 + ["rate_limited"]


async def test_a_limit_says_when_to_come_back(server: Server) -> None:
    tokens = await signed_in(server)
    token = {"refresh_token": tokens["refresh_token"]}
    answers = [await call(server, "POST", "/tokens/refresh", token) for _ in range(61)]
    assert {answer.status for answer in answers[:60]} == {200}
    assert answers[60].code == "rate_limited"
    seconds = answers[60].body["error"]["retry_after"]
    assert 880 <= seconds <= 900 and answers[60].headers["Retry-After"] == str(seconds)


async def test_nothing_secret_is_in_redis_and_all_of_it_ends(server: Server) -> None:
    tokens = await signed_in(server)
    redis = server.app[REDIS]
    keys = [key async for key in redis.scan_iter("sk:refresh*")]
    assert len(keys) == 2
    for key in keys:
        assert 0 < await redis.pttl(key) <= 43_200_000
    held = await redis.get(next(key for key in keys if key.startswith(b"sk:refresh:")))
    assert isinstance(held, bytes)
    assert b"." not in b"".join(keys) + held
    await refreshed(server, tokens)
    for key in keys:
        assert 0 < await redis.pttl(key) <= 43_200_000


# --- the patient's ---------------------------------------------------------------------------------------------------


async def test_a_patient_app_gets_a_family_only_when_it_asks(server: Server) -> None:
    appointment = await server.appoint(server.alice)
    link = {"link": appointment.id + appointment.secret}
    assert (await call(server, "POST", "/join", link)).body["refresh_token"] is None
    assert not [key async for key in server.app[REDIS].scan_iter("sk:refresh*")]
    ticket = (await call(server, "POST", "/join", link | {"refresh": True})).body
    assert ticket["refresh_expires_in"] == pytest.approx(3600, abs=3)
    after = (await refreshed(server, ticket)).body
    claims = await server.app[SIGNALING].admission.authenticate(after["access_token"])
    assert (claims.role, claims.appointment, after["practitioner"]) == ("patient", appointment.id, None)
    assert (await call(server, "GET", "/me", token=after["access_token"])).code == "token_invalid"
    server.time.ahead = timedelta(seconds=20)
    assert (await refreshed(server, ticket)).code == "token_reused"
    assert (await acts(server))[-1] == "token-reused"


@pytest.mark.parametrize("how", ["end", "destroy", "late"])
async def test_a_patient_refreshes_no_longer_than_the_link_opens(server: Server, how: str) -> None:
    appointment = await server.appoint(server.alice)
    ticket = (await call(server, "POST", "/join", {"link": appointment.id + appointment.secret, "refresh": True})).body
    if how == "end":
        await server.store.appointments.end(Scope.consult(appointment.id, appointment.owner), appointment.id)
    elif how == "destroy":
        await server.store.retention.destroy(of(server.alice.id), appointment.id)
    else:
        server.time.ahead = timedelta(minutes=61)
    assert (await refreshed(server, ticket)).code == {"end": "ended", "destroy": "not_found", "late": "token_invalid"}[
        how
    ]
    if how == "destroy":
        assert not [key async for key in server.app[REDIS].scan_iter("sk:refresh*")]


@pytest.mark.parametrize("how", ["renewed", "other address", "code"])
async def test_a_patient_refreshes_no_longer_than_the_link_is_theirs_and_by_its_code(server: Server, how: str) -> None:
    server.store.outbox.ways = frozenset({"mail"})
    appointment = await server.appoint(server.alice)
    alices, wanted = of(server.alice.id), appointment.id
    if how != "renewed":
        first = Correction(seen=appointment.version, mail="jan@example.org")
        appointment = await server.store.appointments.change(alices, wanted, first)
    ticket = (await call(server, "POST", "/join", {"link": wanted + appointment.secret, "refresh": True})).body
    ticket |= (await refreshed(server, ticket)).body
    admission = server.app[SIGNALING].admission
    await server.sign_in("alice")
    path = f"/api/v1/appointments/{wanted}"
    changes: dict[str, dict[str, Any]] = {"other address": {"mail": "piet@example.org"}, "code": {"code": True}}
    if how == "renewed":
        answer = await server.call("POST", f"{path}/invitation", {"new_link": True}, who="alice")
    else:
        answer = await server.call("PATCH", path, {"seen": appointment.version} | changes[how], who="alice")
    assert answer.status == 200, answer.body
    assert (await refreshed(server, ticket)).code == "token_invalid"
    if how == "code":
        assert await admission.authenticate(ticket["access_token"]), "who was let in before stays"
        await server.call("PATCH", path, {"seen": appointment.version + 1, "code": False}, who="alice")
        assert (await refreshed(server, ticket)).status == 200
    else:
        with pytest.raises(ProtocolError, match="token_invalid"):
            await admission.authenticate(ticket["access_token"])
        after = await call(server, "POST", "/join", {"link": answer.body["link"].partition("#")[2], "refresh": True})
        assert await admission.authenticate((await refreshed(server, after.body)).body["access_token"])
        await server.store.retention.destroy(alices, wanted)
        assert not [key async for key in server.app[REDIS].scan_iter("*") if wanted.encode() in key]


# --- one call to join ------------------------------------------------------------------------------------------------


async def test_one_call_says_all_that_a_client_needs(server: Server) -> None:
    appointment = await server.appoint(server.alice)
    patient = (await call(server, "POST", "/join", {"link": appointment.id + appointment.secret})).body
    await server.sign_in("alice")
    doctor = (await server.call("POST", f"/api/v1/appointments/{appointment.id}/join", who="alice")).body
    assert (patient["role"], doctor["role"]) == ("patient", "practitioner")
    for ticket in (patient, doctor):
        assert ticket["appointment"] == appointment.id
        assert ticket["protocol"] == {"supported": {"oldest": 1, "newest": 1}, "capabilities": ["once", "replay"]}
        assert ticket["limits"]["message_bytes"] == 196_608
        assert await server.app[SIGNALING].admission.authenticate(ticket["access_token"])
    assert "practitioner_name" not in doctor and patient["practitioner_name"] == "Alice"


async def test_turn_credentials_are_for_who_is_in(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    turn = TurnCredentials(TurnSettings(address="192.0.2.1", secrets=["s" * 32]), server.time.now)
    monkeypatch.setattr(server.app[SIGNALING].consults.showing, "_turn", turn)
    appointment = await server.appoint(server.alice)
    patient = (await call(server, "POST", "/join", {"link": appointment.id + appointment.secret})).body
    await server.sign_in("alice")
    doctor = (await server.call("POST", f"/api/v1/appointments/{appointment.id}/join", who="alice")).body
    assert patient["ice_servers"] == [] and "turn" not in str(patient)
    assert doctor["ice_servers"][0]["credential"]


async def test_a_practitioner_joins_nobody_elses_consult_and_none_that_ended(server: Server) -> None:
    appointment = await server.appoint(server.alice)
    path = f"/api/v1/appointments/{appointment.id}/join"
    await server.sign_in("bob")
    assert (await server.call("POST", path, who="bob")).code == "not_found"
    await server.sign_in("alice")
    await server.store.appointments.end(Scope.consult(appointment.id, appointment.owner), appointment.id)
    assert (await server.call("POST", path, who="alice")).code == "ended"


async def test_the_catalogue_of_errors_is_for_everybody(server: Server) -> None:
    errors = {one["code"]: one for one in (await server.call("GET", "/api/v1/errors")).body["errors"]}
    assert errors["rate_limited"]["http"] == 429 and errors["offline"]["http"] is None
    assert all(set(one["sentence"]) == {"nl", "en", "de", "fr"} for one in errors.values())
