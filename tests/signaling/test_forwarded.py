"""Whose request it is, as reverse proxies say it."""

import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from operate.doctor import redis as doctor
from signaling import forwarded
from signaling.settings import SignalingSettings
from signaling.typedefs import DOUBTS, LIMITER, METRICS
from tests.signaling.conftest import Server

UNDERSTOOD = {
    "203.0.113.1": "203.0.113.1",
    "203.0.113.1:50001": "203.0.113.1",
    " 203.0.113.1 ": "203.0.113.1",
    "::ffff:203.0.113.1": "203.0.113.1",
    "2001:db8::1": "2001:db8::1",
    "[2001:db8::1]": "2001:db8::1",
    "[2001:db8::1]:50001": "2001:db8::1",
    '"[2001:db8::1]:50001"': "2001:db8::1",
    '"203.0.113.1:50001"': "203.0.113.1",
    '"203.0.113.1:_port"': "203.0.113.1",
    '"20\\3.0.113.1"': "203.0.113.1",
    "[fe80::1%eth0]": "fe80::1",
    "2001:DB8::0001": "2001:db8::1",
}
NOT_UNDERSTOOD = (
    "unknown",
    "_hidden",
    "203.0.113",
    "203.0.113.1:",
    "203.0.113.1:port",
    "[2001:db8::1",
    "example.org",
    "",
)


@pytest.mark.parametrize(("written", "meant"), UNDERSTOOD.items())
def test_an_address_is_read_as_proxies_write_it(written: str, meant: str) -> None:
    assert str(forwarded.node(written)) == meant


@pytest.mark.parametrize("written", NOT_UNDERSTOOD)
def test_other_words_are_no_address(written: str) -> None:
    assert forwarded.node(written) is None


def said(*headers: tuple[str, str]) -> list[str | None]:
    request = make_mocked_request("GET", "/", headers=CIMultiDict(headers))
    return [None if hop is None else str(hop) for hop in forwarded.hops(request)]


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("for=203.0.113.1", ["203.0.113.1"]),
        ("For=203.0.113.1;proto=https;by=203.0.113.43", ["203.0.113.1"]),
        ('proto=https; for="[2001:db8:cafe::17]:4711" ; host="a;b,c"', ["2001:db8:cafe::17"]),
        ("for=203.0.113.1, for=198.51.100.17", ["203.0.113.1", "198.51.100.17"]),
        ('for=_SEVKISEK, for="_gazonk"', [None, None]),
        ("for=unknown", [None]),
        ("by=203.0.113.43", [None]),
        (",for=203.0.113.1,,", ["203.0.113.1"]),
        ("for=203.0.113.1;", ["203.0.113.1"]),
        ("for=203.0.113.1; ,for=198.51.100.17", ["203.0.113.1", "198.51.100.17"]),
        ('host=",";for=203.0.113.1', ["203.0.113.1"]),
        ('for=203.0.113.1;host=","', ["203.0.113.1"]),
        ('for="203.0.113.1', [None]),
        ("203.0.113.1", [None]),
    ],
)
def test_forwarded_is_read_as_its_standard_says(line: str, meant: list[str | None]) -> None:
    assert said(("Forwarded", line)) == meant


def test_lines_follow_each_other_and_two_headers_must_agree() -> None:
    assert said(("X-Forwarded-For", "203.0.113.1, 203.0.113.2"), ("X-Forwarded-For", "203.0.113.3:1")) == [
        "203.0.113.1",
        "203.0.113.2",
        "203.0.113.3",
    ]
    assert said(("X-Forwarded-For", "203.0.113.1"), ("Forwarded", "for=203.0.113.1")) == ["203.0.113.1"]
    assert said(("X-Forwarded-For", "203.0.113.1"), ("Forwarded", "for=203.0.113.2")) == [None]


PROXY = SignalingSettings(
    trusted_proxies=["127.0.0.0/8", "10.0.0.0/8"], operator_networks=["127.0.0.0/8", "10.0.0.0/8"]
)


async def tries(server: Server, **headers: str) -> set[str]:
    """Under which names the limiter counts a wrong link that comes with these headers."""
    redis = server.app[LIMITER]._redis
    await redis.flushall()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    assert (await server.call("POST", "/api/v1/join", {"link": "A" * 44}, headers=named)).code == "link_invalid"
    return {str(key) for key in await redis.keys("sk:limit:*")}


@pytest.mark.parametrize("server_settings", [PROXY])
async def test_clients_behind_a_proxy_are_told_apart_however_it_writes_them(server: Server) -> None:
    one = await tries(server, X_Forwarded_For="203.0.113.1")
    assert len(one) == 1
    assert await tries(server, X_Forwarded_For="203.0.113.1:50001, 10.0.0.7:443") == one
    assert await tries(server, Forwarded='for="203.0.113.1:50001", for=10.0.0.7') == one
    assert await tries(server, X_Forwarded_For="192.0.2.9, 203.0.113.1") == one
    assert await tries(server, X_Forwarded_For="203.0.113.2:50001") != one


@pytest.mark.parametrize("server_settings", [PROXY])
async def test_a_proxy_that_says_no_address_counts_itself_and_doctor_says_so(server: Server) -> None:
    redis = server.app[LIMITER]._redis
    own = await tries(server)
    assert await tries(server, X_Forwarded_For="unknown") == own
    assert await tries(server, Forwarded="for=_hidden") == own
    assert await tries(server, X_Forwarded_For="203.0.113.9, _hidden, 10.0.0.7") != own
    assert server.app[METRICS].forwarded.labels("unreadable")._value.get() == 3
    await server.app[DOUBTS].tell()
    assert 3500 < await redis.ttl(forwarded.DOUBT) <= 3600
    assert (await doctor._proxy(redis)).state == "fail"
    for headers in ({"X-Forwarded-For": "_hidden"}, {"Forwarded": "for=unknown"}, {"Forwarded": "for=127.0.0.1"}):
        refused = await server.call("GET", "/metrics", headers=headers)
        assert refused.status == (200 if "127" in str(headers) else 404), headers


async def test_a_header_from_who_is_no_proxy_of_ours_is_not_believed(server: Server) -> None:
    own = await tries(server)
    assert await tries(server, X_Forwarded_For="203.0.113.1") == own
    await server.app[DOUBTS].tell()
    found = await doctor._proxy(server.app[LIMITER]._redis)
    assert found.state == "warn" and found.fix
