"""The client's connection to a Socket.IO server that refuses, answers and hangs up."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import socketio
from aiohttp import web
from playwright.async_api import Browser, Page, WebSocketRoute

from signaling.protocol.capabilities import SUPPORTED
from signaling.protocol.errors import ProtocolError, to_wire
from tests import chromium as program

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

ROOT = Path(__file__).parents[2]


def refused(code: str) -> socketio.exceptions.ConnectionRefusedError:
    """As the gate refuses."""
    wire = to_wire(ProtocolError(code))
    return socketio.exceptions.ConnectionRefusedError(wire.code, wire.model_dump())


@dataclass
class Messages:
    """What was said, and under which ids it was sent."""

    ids: list[str | None] = field(default_factory=list)
    done: dict[str, str] = field(default_factory=dict)
    placed: set[str] = field(default_factory=set)

    @property
    def sent(self) -> dict[str, Any]:
        return {"ids": self.ids, "done": list(self.done.values())}

    def inside(self, event: str, sid: str, body: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """The event, or a refusal of one that wants its sender to be ``inside`` before it has arrived."""
        if event == "arrive":
            self.placed.add(sid)
        if body.get("inside") and sid not in self.placed:
            return "refuse", to_wire(ProtocolError("bad_state")).model_dump()
        return event, body

    def carry_out(self, body: dict[str, Any], beside: dict[str, str] | None) -> bool:
        """Whether the acknowledgement is to be lost, which the first ``lose`` tries under an id are."""
        once = beside["id"] if beside else None
        self.ids.append(once)
        self.done.setdefault(once or secrets.token_hex(8), body["ciphertext"])
        return self.ids.count(once) <= int(body["lose"])


def let_in(auth: dict[str, Any], used: set[str]) -> None:
    if auth["token"] == "old-version" or auth["version"] != 1:
        raise refused("version_unsupported")
    if not auth["token"].startswith("t") or auth["token"] in used:
        raise refused("token_invalid")
    used.add(auth["token"])


@asynccontextmanager
async def serve() -> AsyncIterator[str]:
    """Accepts the tokens t1, t2, … once each; knows ``once``, but for tokens that end in ``-old``."""
    server = socketio.AsyncServer(async_mode="aiohttp", transports=["websocket"], cors_allowed_origins="*")
    used: set[str] = set()
    messages = Messages()

    async def connect(sid: str, _environ: object, auth: dict[str, Any]) -> None:
        let_in(auth, used)
        both = [] if auth["token"].endswith("-old") else ["once"]
        await server.emit("welcome", {"version": 1, "supported": SUPPORTED.model_dump(), "capabilities": both}, to=sid)

    async def answer(
        event: str, sid: str, body: dict[str, Any], beside: dict[str, str] | None = None
    ) -> dict[str, Any]:
        event, body = messages.inside(event, sid, body)
        if event in ("chat", "tell"):
            event, body = ("hang-up" if messages.carry_out(body, beside) else ""), {}
        if event == "sent":
            body = messages.sent
        if event == "say":
            for name, said, beside in body["events"]:
                await server.emit(name, (said, *beside), to=sid)
            await server.call("present", {}, to=sid, timeout=30)
        if event == "watch":
            return {"ok": True, "data": {"version": len(used), "waiting": [], "in_consult": None}}
        if event == "hang-up":
            await server.disconnect(sid)
        if event == "refuse":
            return {"ok": False, "error": body}
        if event == "ask-present":
            body = {"answer": await server.call("present", {}, to=sid, timeout=30)}
        return {"ok": True, "data": body}

    server.on("connect", connect)
    server.on("*", answer)
    app = web.Application()
    server.attach(app)
    app.router.add_static("/static", ROOT / "web" / "static")
    app.router.add_static("/test", Path(__file__).parent / "client")
    runner = web.AppRunner(app, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await server.shutdown()
    await runner.cleanup()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Browser]:
    async with program.chromium() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def page(chromium: Browser) -> AsyncIterator[Page]:
    async with serve() as origin:
        page = await chromium.new_page()
        await page.goto(f"{origin}/test/signaling.html")
        await page.wait_for_function("window.scenarios")
        yield page
        await page.close()


async def test_a_lost_connection_comes_back_with_a_fresh_token_and_the_desk(page: Page) -> None:
    result = await page.evaluate("scenarios.comesBack()")
    assert result["first"] == {"tokens": 1, "opened": 1, "closed": 0, "refused": None}
    assert result["heard"] == {"tokens": 2, "opened": 2, "closed": 1, "refused": None}
    assert result["views"] == [1, 2]
    assert result["lost"] == ["WireError", "offline", "user"]
    assert result["offline"] == ["WireError", "offline", "user"]


async def test_a_resume_ticket_that_is_refused_gives_way_to_a_token(page: Page) -> None:
    result = await page.evaluate("scenarios.resumeRefused()")
    assert result["reply"] == {"said": "hello"}
    assert result["heard"]["tokens"] == 1
    assert result["ticket"] is None


async def test_the_first_try_is_short_and_each_after_it_twice_as_long_until_one_succeeds(chromium: Browser) -> None:
    tries: list[WebSocketRoute] = []
    page = await chromium.new_page()

    async def made(count: int, *, at_most: bool = False) -> bool:
        """Whether so many tries were made; one that the page made is heard of here a moment later."""
        for _ in range(2 if at_most else 500):
            await page.evaluate("0")
            if len(tries) >= count and not at_most:
                break
        return len(tries) == count

    async def answer(route: WebSocketRoute) -> None:
        """Two nodes that take a connection and stand still, then one that is well, and again two that stand still."""
        tries.append(route)
        if len(tries) == 3:
            route.connect_to_server()

    async with serve() as origin:
        await page.add_init_script("Math.random = () => 0.5")  # No jitter.
        await page.route_web_socket("**/socket.io/**", answer)
        await page.clock.install()
        await page.goto(f"{origin}/test/signaling.html")
        await page.wait_for_function("window.scenarios")
        await page.clock.pause_at(await page.evaluate("Date.now() + 1000"))
        await page.evaluate("scenarios.patient()")
        for number, patience, pause in ((1, 2_000, 200), (2, 4_000, 400)):
            assert await made(number)
            await page.clock.run_for(patience - 1 + pause)
            assert await made(number, at_most=True)
            await page.clock.run_for(1)
        assert await made(3)
        while await page.evaluate("patient.opened") == 0:
            await page.clock.run_for(1)
        await tries[2].close()
        while await page.evaluate("patient.closed") == 0:
            await page.clock.run_for(1)
        await page.clock.run_for(200)
        for number, patience, pause in ((4, 2_000, 400), (5, 4_000, 800)):
            assert await made(number)
            await page.clock.run_for(patience - 1 + pause)
            assert await made(number, at_most=True)
            await page.clock.run_for(1)
        await page.close()


async def test_a_refusal_that_nothing_mends_ends_the_attempts(page: Page) -> None:
    result = await page.evaluate("scenarios.hopeless()")
    assert result["code"] == ["WireError", "version_unsupported", "protocol"]
    assert result["again"][1] in {"version_unsupported", "offline"}
    assert result["refused"] == "version_unsupported"


async def test_tokens_that_are_never_accepted_end_the_attempts(page: Page) -> None:
    result = await page.evaluate("scenarios.neverAccepted()")
    assert result == {"code": ["WireError", "token_invalid", "protocol"], "refused": "token_invalid"}


async def test_an_error_in_an_acknowledgement_keeps_its_code_and_category(page: Page) -> None:
    assert await page.evaluate("scenarios.errors()") == {"taken": ["WireError", "seat_taken", "user"]}


async def test_a_numbered_event_counts_once_and_a_gap_is_noticed(page: Page) -> None:
    assert await page.evaluate("scenarios.numbers()") == {
        "before": None,
        "heard": [["a", 1], ["b", 1], ["a", 2], ["b", 2], ["a", 4], ["b", 4], ["a", 5], ["b", 5]],
        "seen": 44,
        "gaps": 1,
    }


@pytest.mark.parametrize(("event", "place"), [("chat", True), ("tell", False)])
async def test_a_message_is_sent_again_under_its_id_when_the_page_is_back_in_its_place(
    page: Page, event: str, place: bool
) -> None:
    result = await page.evaluate(f"scenarios.once({{event: '{event}', place: {str(place).lower()}}})")
    first, *again, other = result["ids"]
    assert first and again == [first, first] and other != first
    assert result["done"] == ["x", "y"]
    assert result["code"] is None
    assert result["early"] == ([1, 2] if place else [])  # Not before its page had entered again.


async def test_a_message_waits_until_the_page_is_back_in_its_place(page: Page) -> None:
    result = await page.evaluate("scenarios.early()")
    assert (result["code"], result["before"], result["done"]) == (None, [], ["x"])


async def test_a_server_that_does_not_know_repeats_gets_none(page: Page) -> None:
    result = await page.evaluate("scenarios.once({knows: false, lose: 1})")
    assert result["ids"] == [None, None]
    assert result["code"] == ["WireError", "offline", "user"]


async def test_who_closes_waits_for_no_repeat(page: Page) -> None:
    assert await page.evaluate("scenarios.givenUp()") == {"code": ["WireError", "offline", "user"]}


async def test_the_page_says_that_it_is_still_there(page: Page) -> None:
    assert await page.evaluate("scenarios.present()") == {"answer": {}}
