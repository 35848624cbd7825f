"""Nobody guesses a password, and nobody who does not know it shuts out who does (S-26)."""

import asyncio
import re
import sys
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from signaling.limiter import SIGN_IN_ACCOUNT, SIGN_IN_DEVICE
from signaling.settings import SignalingSettings
from signaling.typedefs import PASSWORDS, REDIS
from tests.signaling.conftest import PASSWORD, SECRET, Answer, Server

ALICE = "alice@example.org"
PROXY = SignalingSettings(trusted_proxies=[ip_network("127.0.0.0/8")])
HOME = "198.51.100.7"
BEHIND_A_PROXY = pytest.mark.parametrize("server_settings", [PROXY])
HOUR = 3600


async def tries(
    server: Server, network: str, password: str = "wrong", *, who: str = "nobody", mail: str = ALICE
) -> Answer:
    """One try from a network, in the browser of ``who``; ``app`` has none."""
    body, path = {"mail": mail, "password": password}, "tokens" if who == "app" else "sign-in"
    return await server.call("POST", f"/api/v1/{path}", body, who=who, headers={"X-Forwarded-For": network})


async def destroy_all(server: Server, password: str = PASSWORD) -> Answer:
    return await server.call("POST", "/api/v1/account/destroy-all", {"password": password}, who="owner")


def code(answer: Answer) -> str:
    return "right" if answer.status == 200 else answer.code


async def strangers(server: Server, number: int = 12, each: int = 1) -> None:
    for _ in range(each):
        for one in range(number):
            await tries(server, f"203.0.{one // 250}.{one % 250}")


async def becomes_known(server: Server, who: str) -> None:
    assert (await tries(server, HOME, PASSWORD, who=who)).status == 200
    assert (await server.call("POST", "/api/v1/sign-out", {}, who=who)).status == 204


@BEHIND_A_PROXY
@pytest.mark.parametrize("each", [1, 20])
async def test_a_known_browser_is_let_in_at_once_whatever_strangers_tried(server: Server, each: int) -> None:
    await becomes_known(server, "owner")
    await strangers(server, 12 if each > 1 else 40, each)
    assert code(await tries(server, "203.0.0.1", PASSWORD)) == "rate_limited", "who has no more tries, right or wrong"
    assert code(await tries(server, HOME, PASSWORD, who="owner")) == "right"
    assert code(await tries(server, "192.0.2.200", PASSWORD, who="owner")) == "right", "wherever it is"


@BEHIND_A_PROXY
async def test_a_new_browser_is_let_in_at_once_after_twelve_and_within_a_minute_after_forty(server: Server) -> None:
    await strangers(server)
    assert code(await tries(server, HOME, PASSWORD, who="new")) == "right"
    await strangers(server, 40)
    refused = await tries(server, HOME, PASSWORD, who="app")
    assert code(refused) == "rate_limited"
    wait = refused.body["error"]["retry_after"]
    assert 0 < wait <= 60
    server.time.ahead += timedelta(seconds=wait)
    assert code(await tries(server, HOME, PASSWORD, who="app")) == "right"


@BEHIND_A_PROXY
async def test_a_dozen_of_networks_that_go_on_leave_room_for_others(server: Server) -> None:
    await strangers(server, 12, each=4)
    for _ in range(10):
        server.time.ahead += timedelta(minutes=1)
        await strangers(server, 12)
    assert code(await tries(server, HOME, PASSWORD)) == "right"


@BEHIND_A_PROXY
async def test_a_thousand_networks_have_no_more_than_a_hundred_guesses_in_an_hour(server: Server) -> None:
    looked = 0

    async def look() -> None:
        nonlocal looked
        looked += 1

    passwords = server.app[PASSWORDS]
    for minute in range(60):
        server.time.ahead += timedelta(minutes=1)
        for one in range(17):
            network = ip_network(f"10.{minute}.{one}.1/32")
            for _ in range(2):
                with pytest.raises(Exception, match=r"sign_in_refused|rate_limited"):
                    await passwords.sign_in(ALICE, network, None, look)
    assert 60 < looked <= 100


@BEHIND_A_PROXY
async def test_other_ways_to_write_an_address_are_no_other_account(server: Server) -> None:
    for mail in ("Alice@Example.org", " alice@example.org", "\uff41lice@example.org", ALICE) * 3:
        await tries(server, HOME, mail=mail)
    assert code(await tries(server, HOME)) == "rate_limited"


@BEHIND_A_PROXY
async def test_one_client_of_ipv6_is_one_network(server: Server) -> None:
    codes = [code(await tries(server, f"2001:db8:0:1::{one:x}")) for one in range(11)]
    assert codes == ["sign_in_refused"] * 10 + ["rate_limited"]
    assert code(await tries(server, "2001:db8:0:2::1")) == "sign_in_refused"


@BEHIND_A_PROXY
async def test_strangers_never_stand_in_the_way_of_destroying_all(server: Server) -> None:
    assert (await tries(server, HOME, PASSWORD, who="owner")).status == 200
    await strangers(server, 60)
    await tries(server, HOME)
    assert (await destroy_all(server)).status == 200
    wrong = [(await destroy_all(server, "x")).code for _ in range(11)]
    assert wrong == ["sign_in_refused"] * 10 + ["rate_limited"]
    assert (await tries(server, HOME, PASSWORD, who="owner")).status == 200
    assert (await destroy_all(server)).status == 200, "another session"


@BEHIND_A_PROXY
async def test_a_known_browser_has_no_more_tries_than_it_needs_and_knows_one_account(server: Server) -> None:
    await becomes_known(server, "owner")
    codes = [code(await tries(server, HOME, who="owner")) for _ in range(SIGN_IN_DEVICE.burst + 1)]
    assert codes == ["sign_in_refused"] * SIGN_IN_DEVICE.burst + ["rate_limited"]
    await strangers(server, 40)
    bob = await tries(server, HOME, PASSWORD, who="owner", mail="bob@example.org")
    assert bob.status == 200
    keys = [key async for key in server.app[REDIS].scan_iter("sk:limit:sign-in-device:*")]
    assert len(keys) == 1


@BEHIND_A_PROXY
@pytest.mark.parametrize("cookie", ["", "x", "....", "A" * 40, "é", "A" * 5000])
async def test_a_cookie_that_nobody_gave_is_none(server: Server, cookie: str) -> None:
    await strangers(server, 40)
    headers = {"X-Forwarded-For": HOME, "Cookie": f"device={cookie}"}
    body = {"mail": ALICE, "password": PASSWORD}
    assert code(await server.call("POST", "/api/v1/sign-in", body, headers=headers)) == "rate_limited"


@BEHIND_A_PROXY
async def test_the_cookie_is_kept_from_scripts_and_others_and_is_worth_nothing_alone(server: Server) -> None:
    answer = await tries(server, HOME, PASSWORD, who="owner")
    said = next(line for line in answer.headers.getall("Set-Cookie") if line.startswith("device="))
    assert all(part in said for part in ("HttpOnly", "SameSite=Strict", "Path=/", f"Max-Age={90 * 86_400}"))
    value = re.split("[=;]", said)[1]
    headers = {"Cookie": f"device={value}"}
    assert (await server.call("GET", "/api/v1/me", headers=headers)).code == "unauthenticated"
    server.time.ahead += timedelta(days=90)
    await strangers(server, 40)
    body = {"mail": ALICE, "password": PASSWORD}
    late = await server.call("POST", "/api/v1/sign-in", body, headers=headers | {"X-Forwarded-For": HOME})
    assert code(late) == "rate_limited", "after 90 days it is none"


@pytest.mark.parametrize("server_settings", [SignalingSettings(origin="https://consult.example.org")])
async def test_over_https_it_is_bound_to_the_host(server: Server) -> None:
    body = {"mail": ALICE, "password": PASSWORD}
    answer = await server.call("POST", "/api/v1/sign-in", body, headers={"Origin": "https://consult.example.org"})
    (said,) = (line for line in answer.headers.getall("Set-Cookie") if "device" in line)
    assert said.startswith("__Host-device=") and "Secure" in said and "Domain" not in said


@BEHIND_A_PROXY
async def test_four_accounts_share_a_browser(server: Server) -> None:
    await becomes_known(server, "shared")
    assert (await tries(server, HOME, PASSWORD, who="shared", mail="bob@example.org")).status == 200
    await strangers(server, 40)
    assert code(await tries(server, HOME, PASSWORD, who="shared")) == "right"


@pytest.mark.duty("S-26")
@BEHIND_A_PROXY
async def test_what_is_counted_names_nobody_and_ends_within_a_quarter(server: Server) -> None:
    await becomes_known(server, "owner")
    await tries(server, HOME, who="owner")
    await strangers(server, 60)
    keys = [key async for key in server.app[REDIS].scan_iter("sk:limit:*")]
    assert len(keys) > 10
    for key in keys:
        assert 0 < await server.app[REDIS].ttl(key) <= 900
        assert not re.search(rb"alice|203\.0|198\.51", key)


@pytest.mark.duty("S-26")
async def test_a_person_lifts_it_from_the_command_line(
    server: Server, redis: Redis, redis_address: str, tmp_path: Path
) -> None:
    """Beside the running server, with its Redis and its secret."""
    for _ in range(11):
        answer = await server.call("POST", "/api/v1/sign-in", {"mail": ALICE, "password": "wrong"})
    assert answer.code == "rate_limited"
    said = await lift(tmp_path, ALICE, redis_url=redis_address)
    assert said == "Lifted: whoever has the password can sign in now.\n"
    assert (await server.sign_in("alice")).status == 200
    assert "no account" in await lift(tmp_path, "nobody@example.org", redis_url=redis_address)
    assert "own Redis" in await lift(tmp_path, ALICE)


async def lift(data: Path, mail: str, **settings: Any) -> str:
    environment = {"SPREEKKAMER_ROOMS__DATA": str(data / "data"), "SPREEKKAMER_SIGNALING__SECRET": SECRET.decode()}
    environment |= {f"SPREEKKAMER_SIGNALING__{name.upper()}": value for name, value in settings.items()}
    command = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).parent / "spreekkamer"),
        *("practitioner", "lift", mail),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await command.communicate()
    return said.decode()


def test_the_numbers_keep_what_is_said_of_them() -> None:
    assert SIGN_IN_ACCOUNT.burst + HOUR // SIGN_IN_ACCOUNT.seconds <= 100
    assert SIGN_IN_ACCOUNT.seconds <= 60
