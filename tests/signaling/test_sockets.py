"""What one connection may ask: how fast, how much at once, in which order."""

import ast
import asyncio
from types import SimpleNamespace

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st

from signaling.sockets import library
from signaling.sockets.frames import GuardedWebSocket
from signaling.sockets.limits import Limits
from signaling.sockets.socket import Socket, TokenBucket
from signaling.tickets import Claims
from tests.ours import ROOT
from vault.errors import StartRefused

CLAIMS = Claims(kind="access", role="patient", appointment="a", seat="patient", expires=0)


def socket(**limits: float) -> Socket:
    return Socket("sid", CLAIMS, 0.0, Limits.model_validate(limits), lambda: 0.0)


async def test_no_more_handlers_work_at_once_than_allowed() -> None:
    one, working, most = socket(handlers=8), 0, 0

    async def handle(lane: str) -> None:
        nonlocal working, most
        async with one.turn(lane):
            working += 1
            most = max(most, working)
            await asyncio.sleep(0.001)
            working -= 1

    await asyncio.gather(*(handle(f"lane-{number}") for number in range(100)))
    assert most == 8


async def test_events_of_one_lane_are_handled_one_after_the_other_in_the_order_they_came() -> None:
    one, done = socket(), []

    async def handle(number: int) -> None:
        async with one.turn("keys"):
            await asyncio.sleep(0.002 if number % 2 else 0)
            done.append(number)

    await asyncio.gather(*(handle(number) for number in range(40)))
    assert done == list(range(40))


async def test_a_slow_lane_does_not_hold_up_another() -> None:
    one, release = socket(), asyncio.Event()

    async def wait() -> None:
        async with one.turn("media"):
            await release.wait()

    waiting = [asyncio.create_task(wait()) for _ in range(50)]
    await asyncio.sleep(0)
    async with asyncio.timeout(60), one.turn("keys"):
        release.set()
    await asyncio.gather(*waiting)


@given(
    rate=st.floats(0.1, 1000),
    burst=st.integers(1, 100),
    waits=st.lists(st.floats(0, 10), min_size=1, max_size=200),
)
def test_a_bucket_never_gives_more_than_its_size_and_what_flowed_in(
    rate: float, burst: int, waits: list[float]
) -> None:
    now, taken = 0.0, 0
    bucket = TokenBucket(rate, burst, lambda: now)
    for wait in waits:
        now += wait
        taken += bucket.take()
        assert taken <= burst + now * rate + 1e-6


def test_refusals_in_a_row_exhaust_a_socket_and_one_success_forgives_them() -> None:
    now = 0.0
    limits = Limits(events_burst=1, events_per_second=1, strikes=3)
    one = Socket("sid", CLAIMS, 0.0, limits, lambda: now)
    assert one.take()
    assert [one.take() for _ in range(2)] == [False, False]
    now = 1.0
    assert one.take()
    assert not one.exhausted
    assert [one.take() for _ in range(3)] == [False] * 3
    assert one.exhausted


class Session:
    """What Engine.IO makes for a connection, as far as a socket knows it."""

    async def handle(self, _socket: object) -> None:
        """Never reached here."""


async def test_a_socket_whose_upgrade_failed_can_be_hung_up() -> None:
    one = GuardedWebSocket(Session().handle, SimpleNamespace(limits=Limits()))
    with pytest.raises(web.HTTPBadRequest):
        await one({"aiohttp.request": make_mocked_request("GET", "/socket.io/")})
    await one.close()


def test_versions_in_which_nobody_checked_the_private_names_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    library.check_versions()
    monkeypatch.setitem(library._TESTED, "python-engineio", "3.")
    with pytest.raises(StartRefused, match=r"python-engineio 3\.x, found"):
        library.check_versions()


def test_the_private_names_of_the_libraries_stand_in_one_file() -> None:
    """What is public of them: a client, and the exceptions that say no."""
    found = set()
    for path in ROOT.joinpath("signaling").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found |= {(path.name, name) for name in names if name.partition(".")[0] in ("socketio", "engineio")}
    assert {name for file, name in found if file != "library.py"} == {"socketio.exceptions"}
