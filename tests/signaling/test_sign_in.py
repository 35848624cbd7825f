"""Signing in: a session cookie for the right person, one answer for everybody else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

import pytest
from argon2 import PasswordHasher
from sqlalchemy import update

from client.wire import Wire
from practice.accounts.records import practitioners
from signaling.settings import SignalingSettings
from signaling.typedefs import REDIS
from tests.client.waiting import until
from tests.signaling.conftest import DEMO_TOKEN, PASSWORD, Server


async def test_the_right_password_signs_in(server: Server) -> None:
    answer = await server.sign_in("alice")
    assert answer.status == 200
    assert answer.body.pop("second_factor_by")
    assert answer.body == {
        "practitioner": server.alice.id,
        "mail": "alice@example.org",
        "display_name": "Alice",
        "language": "nl",
        "retention": "30d",
    }
    assert (await server.call("GET", "/api/v1/me", who="alice")).body["display_name"] == "Alice"


async def test_the_cookie_is_kept_from_scripts_and_other_sites(server: Server) -> None:
    cookie = (await server.sign_in("alice")).headers["Set-Cookie"]
    assert cookie.startswith("sid=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/" in cookie
    assert "Secure" not in cookie, "plain http, which only loopback uses"
    assert f"Max-Age={12 * 3600}" in cookie


@pytest.mark.parametrize("server_settings", [SignalingSettings(origin="https://consult.example.org")])
async def test_over_https_the_cookie_is_bound_to_the_host(server: Server) -> None:
    body = {"mail": "alice@example.org", "password": PASSWORD}
    answer = await server.call("POST", "/api/v1/sign-in", body, headers={"Origin": "https://consult.example.org"})
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-sid=")
    assert "Secure" in cookie
    assert "Domain" not in cookie
    signed_out = await server.call("POST", "/api/v1/sign-out", {}, headers={"Origin": "https://consult.example.org"})
    removal = signed_out.headers["Set-Cookie"]
    assert removal.startswith('__Host-sid=""') and "Max-Age=0" in removal
    assert all(part in removal for part in ("Secure", "HttpOnly", "Path=/")), "else a browser keeps it"


@pytest.mark.parametrize(
    ("mail", "password"),
    [("alice@example.org", "wrong"), ("nobody@example.org", PASSWORD), ("bob@example.org", PASSWORD + " ")],
)
async def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(
    server: Server, mail: str, password: str
) -> None:
    answer = await server.call("POST", "/api/v1/sign-in", {"mail": mail, "password": password})
    assert (answer.status, answer.code) == (403, "sign_in_refused")
    assert "Set-Cookie" not in answer.headers


async def test_a_new_sign_in_is_a_new_session_and_ends_the_one_before(server: Server) -> None:
    await server.sign_in("alice")
    (first,) = [cookie.value for cookie in server.jars["alice"] if cookie.key == "sid"]
    await server.sign_in("alice")
    (second,) = [cookie.value for cookie in server.jars["alice"] if cookie.key == "sid"]
    assert first != second
    assert (await server.call("GET", "/api/v1/me", headers={"Cookie": f"sid={first}"})).code == "unauthenticated"


async def test_signing_out_ends_the_session_on_the_server(server: Server) -> None:
    await server.sign_in("alice")
    (token,) = [cookie.value for cookie in server.jars["alice"] if cookie.key == "sid"]
    assert (await server.call("POST", "/api/v1/sign-out", {}, who="alice")).status == 204
    assert (await server.call("GET", "/api/v1/me", headers={"Cookie": f"sid={token}"})).status == 401


async def test_signing_out_closes_the_desk_that_is_open(server: Server) -> None:
    await server.sign_in("alice")
    ticket = (await server.call("POST", "/api/v1/desk/ticket", {}, who="alice")).body["access_token"]
    desk = Wire(server.origin, lambda _event, _body: None)
    await desk.open(ticket)
    assert (await server.call("POST", "/api/v1/sign-out", {}, who="alice")).status == 204
    await until(lambda: "the desk is still connected" if desk.connected else None)


@pytest.mark.parametrize("cookie", ["", "sid=", "sid=nonsense", "sid=" + "x" * 4000, "sid=a\\001b"])
async def test_without_a_session_there_is_nothing(server: Server, cookie: str) -> None:
    answer = await server.call("GET", "/api/v1/me", headers={"Cookie": cookie})
    assert (answer.status, answer.code) == (401, "unauthenticated")


async def test_an_account_can_be_tried_ten_times(server: Server) -> None:
    body = {"mail": "alice@example.org", "password": "wrong"}
    codes = [(await server.call("POST", "/api/v1/sign-in", body)).code for _ in range(11)]
    assert codes == ["sign_in_refused"] * 10 + ["rate_limited"]
    upper = {"mail": " ALICE@example.org", "password": PASSWORD}
    assert (await server.call("POST", "/api/v1/sign-in", upper)).code == "rate_limited"
    assert (await server.sign_in("bob")).status == 200


async def test_the_limit_ends_by_itself(server: Server) -> None:
    body = {"mail": "alice@example.org", "password": "wrong"}
    for _ in range(11):
        await server.call("POST", "/api/v1/sign-in", body)
    redis = server.app[REDIS]
    keys = [key async for key in redis.scan_iter("sk:limit:*")]
    assert keys
    for key in keys:
        assert 0 < await redis.ttl(key) <= 900
        assert b"alice" not in key
        assert b"127.0.0.1" not in key


async def test_who_gets_in_has_all_tries_again(server: Server) -> None:
    for _ in range(3):
        for _ in range(5):
            await server.call("POST", "/api/v1/sign-in", {"mail": "alice@example.org", "password": "wrong"})
        assert (await server.sign_in("alice")).status == 200


async def test_the_demo_link_signs_in_as_often_as_needed(server: Server) -> None:
    for who in ("first", "second"):
        answer = await server.call("POST", "/api/v1/sign-in/link", {"token": DEMO_TOKEN}, who=who)
        assert answer.body["display_name"] == "Alice"


async def test_another_token_signs_nobody_in(server: Server) -> None:
    answer = await server.call("POST", "/api/v1/sign-in/link", {"token": "x" * len(DEMO_TOKEN)})
    assert (answer.status, answer.code) == (404, "link_invalid")


async def test_known_and_unknown_addresses_take_the_same_work(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """One hash each, with the same parameters: that is what takes time."""
    await server.call("POST", "/api/v1/sign-in", {"mail": "nobody@example.org", "password": "wrong"})  # makes the decoy
    tried: list[str] = []
    verify = PasswordHasher.verify

    def counted(hasher: PasswordHasher, digest: str, password: str) -> Literal[True]:
        tried.append(digest.rpartition("$")[0].rpartition("$")[0])
        return verify(hasher, digest, password)

    monkeypatch.setattr(PasswordHasher, "verify", counted)
    for mail in ("bob@example.org", "nobody@example.org"):
        await server.call("POST", "/api/v1/sign-in", {"mail": mail, "password": "wrong"})
    known, unknown = tried
    assert known == unknown


@pytest.mark.parametrize(
    "cookie",
    ["\x80\xff", '"\\377\\000"', '"\\000.x"', "a" * 4000, ".", "\u00e9." + "A" * 43, "A" * 22 + "." + "B" * 43],
)
async def test_a_cookie_that_is_none_of_ours_is_nobody(server: Server, cookie: str) -> None:
    async with open_raw(server.port) as (reader, writer):
        for request in ("GET /api/v1/me", "POST /api/v1/sign-out"):
            head = f"{request} HTTP/1.1\r\nHost: localhost\r\nOrigin: {server.origin}\r\nContent-Length: 0\r\n"
            writer.write(f"{head}Cookie: sid={cookie}\r\n\r\n".encode("latin-1"))
            status = int((await reader.readuntil(b"\r\n\r\n")).split()[1])
            assert status == (401 if request.startswith("GET") else 204)
            if request.startswith("GET"):
                await reader.readuntil(b"}}")


@asynccontextmanager
async def open_raw(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()
        await writer.wait_closed()


async def test_a_damaged_account_is_said(server: Server) -> None:
    appointment = await server.appoint(server.alice)
    await server.sign_in("alice")
    async with server.store.database.write() as connection:
        values = {"profile": b"x" * 300}
        mine = practitioners.c.id == server.alice.id
        await connection.execute(update(practitioners).where(mine).values(values))
    plan = {"patient": "P", "starts_at": "2027-03-01T12:00Z", "minutes": 30, "anyway": True}
    for method, path, body in (
        ("POST", "/sign-in", {"mail": "alice@example.org", "password": PASSWORD}),
        ("POST", "/tokens", {"mail": "alice@example.org", "password": PASSWORD}),
        ("GET", "/me", None),
        ("PUT", "/retention", {"retention": "7d"}),
        ("POST", "/appointments", plan),
        ("POST", "/join", {"link": appointment.id + appointment.secret}),
    ):
        answer = await server.call(method, f"/api/v1{path}", body, who="alice")
        assert (answer.status, answer.code) == (409, "unreadable"), path
    assert len((await server.call("GET", "/api/v1/appointments", who="alice")).body["appointments"]) == 1
    assert (await server.call("GET", "/health/ready")).body["checks"]["appointments"]["ok"] is False
    assert (await server.sign_in("bob")).status == 200
