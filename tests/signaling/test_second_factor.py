"""Signing in in two steps: a code beside the password, for browsers and apps, and the time before it is demanded."""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path

import pyotp
import pytest

from client.errors import Refusal
from client.rest import Rest
from practice.accounts.model import Practitioner
from practice.factors import codes
from signaling.challenges import SECONDS
from signaling.sessions import PLAIN
from signaling.settings import SignalingSettings
from signaling.typedefs import CHALLENGES, REDIS
from tests.client.waiting import PATIENCE
from tests.opening import of
from tests.signaling.conftest import PASSWORD, Answer, Opening, Server

SIGN_IN = {"browser": "/api/v1/sign-in", "app": "/api/v1/tokens"}
ALICE = {"mail": "alice@example.org", "password": PASSWORD}


async def with_app(server: Server, who: Practitioner) -> tuple[str, tuple[str, ...]]:
    """The secret of an app that was set up long ago, and the recovery codes."""
    secret = await server.store.factors.proposed(of(who.id), "a session")
    made = await server.store.factors.set_totp(of(who.id), "a session", shown(server, secret))
    server.time.ahead += timedelta(minutes=5)
    return secret, made


def shown(server: Server, secret: str) -> str:
    """What the app shows now."""
    return pyotp.TOTP(secret).at(server.time.now())


def wrong(server: Server, secret: str) -> str:
    """A code that it does not show, now or beside."""
    now = int(server.time.now().timestamp())
    near = {pyotp.TOTP(secret).at(now + beside * codes.STEP_SECONDS) for beside in range(-3, 4)}
    return next(one for one in (f"{number:06}" for number in range(8)) if one not in near)


async def first_step(server: Server, kind: str = "browser", who: str = "alice") -> Answer:
    return await server.call("POST", SIGN_IN[kind], {"mail": f"{who}@example.org", "password": PASSWORD}, who=who)


async def second_step(server: Server, challenge: str, code: str, kind: str = "browser") -> Answer:
    return await server.call("POST", f"{SIGN_IN[kind]}/factor", {"challenge": challenge, "code": code}, who="alice")


async def challenged(server: Server, kind: str = "browser") -> str:
    answer = await first_step(server, kind)
    assert (answer.status, answer.code) == (403, "factor_needed")
    return str(answer.body["error"]["challenge"])


def cookie(server: Server) -> str | None:
    return next((one.value for one in server.jars["alice"] if one.key == PLAIN), None)


async def acts(server: Server) -> list[tuple[str, str | None]]:
    return [(entry.act, entry.detail) async for entry in server.store.audit.entries()]


@pytest.mark.duty("S-24")
async def test_a_browser_signs_in_in_two_steps(server: Server) -> None:
    secret, _ = await with_app(server, server.alice)
    answer = await first_step(server)
    error = answer.body["error"]
    assert (error["code"], error["factors"]) == ("factor_needed", ["totp", "recovery"])
    assert server.alice.id not in error["challenge"] and cookie(server) is None
    assert (await server.call("GET", "/api/v1/me", who="alice")).code == "unauthenticated"
    answer = await second_step(server, error["challenge"], shown(server, secret))
    assert (answer.status, answer.body["practitioner"]) == (200, server.alice.id)
    me = (await server.call("GET", "/api/v1/me", who="alice")).body
    assert (me["display_name"], "second_factor_by" in me) == ("Alice", False)
    assert await server.store.sessions.strength(str(cookie(server))) == "factors"
    assert await acts(server) == [("signed-in", "factors")]


async def test_an_app_signs_in_in_two_steps(server: Server) -> None:
    secret, made = await with_app(server, server.alice)
    async with Rest(server.origin) as app:
        for code in (shown(server, secret), codes.shown(made[0])):
            with pytest.raises(Refusal, match="factor_needed") as refused:
                await app.sign_in_app(ALICE["mail"], PASSWORD)
            tokens = await app.sign_in_app_with_code(str(refused.value.challenge), code)
            status, _ = await app.fetch("GET", "/api/v1/me", bearer=tokens.access_token)
            assert status == 200
        with pytest.raises(Refusal, match="factor_needed") as refused:
            await app.sign_in(ALICE["mail"], PASSWORD)
        assert (await app.sign_in_with_code(str(refused.value.challenge), made[1])).display_name == "Alice"


async def test_a_recovery_code_is_entered_in_the_trail_with_what_is_left(server: Server) -> None:
    _, made = await with_app(server, server.alice)
    assert (await second_step(server, await challenged(server), made[0])).status == 200
    assert await acts(server) == [("recovery-code-used", "9"), ("signed-in", "factors")]


@pytest.mark.duty("S-24")
async def test_a_code_and_a_challenge_are_good_once(server: Server) -> None:
    secret, _ = await with_app(server, server.alice)
    one, two = await challenged(server), await challenged(server)
    code = shown(server, secret)
    assert (await second_step(server, one, code)).status == 200
    assert (await second_step(server, two, code)).code == "factor_refused"
    server.time.ahead += timedelta(seconds=60)
    assert (await second_step(server, one, shown(server, secret))).code == "challenge_invalid"
    assert (await second_step(server, two, shown(server, secret))).status == 200


async def test_of_many_who_send_one_code_at_once_one_is_let_in(server: Server) -> None:
    secret, _ = await with_app(server, server.alice)
    sent = [(await challenged(server), shown(server, secret)) for _ in range(3)]
    answers = await asyncio.gather(*(second_step(server, *one) for one in sent))
    assert sorted(answer.status for answer in answers) == [200, 403, 403]


@pytest.mark.parametrize("how", ["late", "changed", "other step", "nonsense", "emptied", "closed"])
async def test_a_challenge_that_is_not_good_is_refused_and_uses_no_code(server: Server, how: str) -> None:
    secret, _ = await with_app(server, server.alice)
    challenge = await challenged(server, "app" if how == "other step" else "browser")
    if how == "late":
        server.time.ahead += timedelta(seconds=SECONDS)
    elif how == "changed":
        challenge = challenge[:30] + ("A" if challenge[30] != "A" else "B") + challenge[31:]
    elif how == "nonsense":
        challenge = "é" * 40
    elif how == "emptied":
        await server.app[REDIS].flushall()
    elif how == "closed":
        await server.store.retention.close(of(server.alice.id))
    answer = await second_step(server, challenge, shown(server, secret))
    assert (answer.status, answer.code) == (410, "challenge_invalid")
    if how != "closed":
        assert (await second_step(server, await challenged(server), shown(server, secret))).status == 200


async def test_a_wrong_code_may_be_tried_again_and_not_without_end(server: Server) -> None:
    secret, made = await with_app(server, server.alice)
    challenge = await challenged(server)
    bad = wrong(server, secret)
    answers = [await second_step(server, challenge, bad) for _ in range(6)]
    assert [answer.code for answer in answers] == ["factor_refused"] * 5 + ["rate_limited"]
    assert 0 < answers[-1].body["error"]["retry_after"] <= 180
    assert (await second_step(server, challenge, made[0])).code == "rate_limited", "nor another kind"
    await server.app[REDIS].flushall()
    assert (await second_step(server, await challenged(server), shown(server, secret))).status == 200


@pytest.mark.duty("S-26")
async def test_the_limit_ends_by_itself_within_a_quarter_of_an_hour(server: Server) -> None:
    secret, _ = await with_app(server, server.alice)
    challenge = await challenged(server)
    for _ in range(6):
        await second_step(server, challenge, wrong(server, secret))
    redis = server.app[REDIS]
    keys = [key async for key in redis.scan_iter("sk:limit:factor*")]
    assert len(keys) == 2
    for key in keys:
        assert 0 < await redis.ttl(key) <= 900


async def test_what_strangers_with_the_password_try_does_not_stand_before_a_known_browser(server: Server) -> None:
    secret, _ = await with_app(server, server.alice)
    assert (await second_step(server, await challenged(server), shown(server, secret))).status == 200
    known = server.jars.pop("alice")
    challenge = await challenged(server)
    for _ in range(6):
        await second_step(server, challenge, wrong(server, secret))
    server.jars["alice"] = known
    server.time.ahead += timedelta(seconds=60)
    assert (await second_step(server, await challenged(server), shown(server, secret))).status == 200


async def test_who_has_the_wrong_password_is_not_told_of_a_second_factor(server: Server) -> None:
    await with_app(server, server.alice)
    for mail in ("alice@example.org", "bob@example.org", "nobody@example.org"):
        for path in SIGN_IN.values():
            answer = await server.call("POST", path, {"mail": mail, "password": "wrong password"})
            assert (answer.code, "challenge" in answer.body["error"]) == ("sign_in_refused", False)


# --- before it is demanded -------------------------------------------------------------------------------------------


@pytest.mark.duty("S-24")
async def test_for_two_weeks_an_account_without_one_is_let_in_and_told_until_when(server: Server) -> None:
    began = server.time.now()
    by = (await first_step(server)).body["second_factor_by"]
    held = await server.store.factors.of(of(server.alice.id))
    assert held.since is not None and abs(held.since - began) < timedelta(seconds=30)
    assert by == (held.since + timedelta(days=14)).isoformat()
    server.time.ahead += timedelta(days=14, seconds=-30)
    assert (await first_step(server)).status == 200
    assert (await server.call("GET", "/api/v1/me", who="alice")).body["second_factor_by"] == by
    server.time.ahead += timedelta(seconds=31)
    assert (await first_step(server)).code == "factor_set_up_needed"


@pytest.mark.parametrize("server_settings", [SignalingSettings(second_factor_grace_days=0)])
async def test_then_signing_in_leads_to_setting_one_up_and_to_nothing_else(server: Server) -> None:
    answer = await first_step(server)
    challenge = answer.body["error"]["challenge"]
    assert (answer.code, cookie(server)) == ("factor_set_up_needed", None)
    assert (await second_step(server, challenge, "123456")).code == "challenge_invalid"
    assert (await server.call("POST", "/api/v1/sign-in/set-up", {"challenge": challenge}, who="alice")).status == 204
    for method, path in (("GET", "/me"), ("GET", "/appointments"), ("POST", "/desk/ticket")):
        assert (await server.call(method, f"/api/v1{path}", who="alice")).code == "unauthenticated"
    assert await server.store.sessions.setting_up(str(cookie(server))) == server.alice.id
    again = await server.call("POST", "/api/v1/sign-in/set-up", {"challenge": challenge})
    assert again.code == "challenge_invalid"
    assert await acts(server) == [("signed-in", "set-up")]


@pytest.mark.parametrize("server_settings", [SignalingSettings(second_factor_grace_days=0)])
async def test_an_app_is_sent_to_a_browser(server: Server) -> None:
    error = (await first_step(server, "app")).body["error"]
    assert (error["code"], "challenge" in error) == ("factor_set_up_needed", False)


@pytest.mark.parametrize("server_settings", [SignalingSettings(second_factor="offered")])
async def test_where_none_is_demanded_nothing_is_kept_and_one_that_is_there_is_asked_for(server: Server) -> None:
    server.time.ahead += timedelta(days=100)
    answer = await first_step(server)
    assert (answer.status, "second_factor_by" in answer.body) == (200, False)
    assert (await server.store.factors.of(of(server.alice.id))).version == 0
    await with_app(server, server.alice)
    assert (await first_step(server)).code == "factor_needed"


async def recover(data: Path, *words: str, typed: str = "") -> str:
    """What the operator's command says, beside the running server."""
    return await command(data, "recover", *words, typed=typed)


async def command(data: Path, *words: str, typed: str = "", mail: bool = True) -> str:
    """The same of any about accounts; ``mail`` is whether there is a mail server."""
    settings = {"HOST": "mail.example.org", "SENDER": "praktijk@example.org"} if mail else {}
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).parent / "spreekkamer"),
        *("practitioner", *words),
        env={
            "SPREEKKAMER_ROOMS__DATA": str(data / "data"),
            **{f"SPREEKKAMER_PRACTICE__MAIL__{name}": value for name, value in settings.items()},
        },
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate(typed.encode())
    return said.decode()


async def test_an_operator_takes_it_away_from_who_lost_it(server: Server, tmp_path: Path, opening: Opening) -> None:
    """The server beside which that was typed closes what only it reaches, and sends the mail."""
    secret, _ = await with_app(server, server.alice)
    assert (await second_step(server, await challenged(server), shown(server, secret))).status == 200
    server.time.ahead += timedelta(minutes=1)
    tokens = (await second_step(server, await challenged(server, "app"), shown(server, secret), "app")).body
    desk = (await server.call("POST", "/api/v1/desk/ticket", who="alice")).body["access_token"]
    wires = [await opening(desk), await opening(tokens["access_token"])]
    assert "Nothing was taken away." in await recover(tmp_path, ALICE["mail"], typed="bob@example.org\n")
    assert (await recover(tmp_path, ALICE["mail"], "--yes")).startswith("Taken away")
    assert (await server.call("GET", "/api/v1/me", who="alice")).code == "unauthenticated"
    async with asyncio.timeout(PATIENCE):
        for wire in wires:
            await wire._gone.wait()
    refreshed = await server.call("POST", "/api/v1/tokens/refresh", {"refresh_token": tokens["refresh_token"]})
    assert refreshed.code == "token_invalid"
    told = [one.news for one in await server.store.notices.waiting()]
    assert [(one.word, one.to) for one in told] == [("factor-recovered", "alice@example.org")]
    async with asyncio.timeout(PATIENCE):
        while await server.store.sessions.ended_by_commands():  # noqa: ASYNC110 -- it is the server's own to forget it
            await asyncio.sleep(0.02)
    assert (await first_step(server)).code == "factor_set_up_needed"
    assert ("factor-removed", "recover") in await acts(server)
    assert "no account" in await recover(tmp_path, "nobody@example.org", "--yes")
    assert "no second factor" in await recover(tmp_path, "bob@example.org", "--yes")


async def test_a_challenge_says_nothing(server: Server) -> None:
    one, two = await challenged_for(server, server.alice), await challenged_for(server, server.bob)
    assert len(one) == len(two)
    keys = [key async for key in server.app[REDIS].scan_iter("sk:challenge:*")]
    assert len(keys) == 2
    for key in keys:
        assert 0 < await server.app[REDIS].ttl(key) <= SECONDS
        assert key.partition(b"challenge:")[2].decode() not in one + two


async def challenged_for(server: Server, who: Practitioner) -> str:
    return await server.app[CHALLENGES].begin("browser", who.id)
