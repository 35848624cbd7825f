"""The protocol client in a real Chromium, with the other person, the relay and the server in the same page."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, Page

from tests import chromium as program

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

ROOT = Path(__file__).parents[2]


@asynccontextmanager
async def serve() -> AsyncIterator[str]:
    """The client's modules and the test page on an origin of their own."""
    app = web.Application()
    app.router.add_static("/static", ROOT / "web" / "static")
    app.router.add_static("/test", Path(__file__).parent / "client")
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def origin() -> AsyncIterator[str]:
    async with serve() as origin:
        yield origin


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Browser]:
    async with program.chromium("--autoplay-policy=no-user-gesture-required") as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def page(chromium: Browser, origin: str) -> AsyncIterator[Page]:
    context = await chromium.new_context()
    page = await context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    await page.add_init_script(program.RECORD_PEER_CONNECTIONS)
    await page.goto(f"{origin}/test/loopback.html")
    await page.wait_for_function("window.scenarios")
    yield page
    await context.close()
    assert problems == []


async def test_two_people_are_connected_with_the_same_code_and_nothing_in_plaintext(page: Page) -> None:
    result = await page.evaluate("scenarios.connect()")
    assert result["states"] == ["connecting", "connected"]
    assert result["codes"][0] == result["codes"][1]
    assert len(result["codes"][0]) == 6
    assert result["seen"]["plain"] == 0
    assert result["tracks"] == [["zz-other", False, 2]]
    assert result["indicated"] == {"microphone": True, "camera": True, "screen": False}
    [offer] = result["offers"]
    lines = [(line["use"], line.get("slot")) for line in offer["lines"]]
    assert lines == [("microphone", None), ("camera", None), ("slot", 0), ("slot", 0), ("stage", None)]
    assert "a=candidate:" not in offer["sdp"]
    for codec in ("H264", "VP9", "AV1", "red/", "ulpfec", "telephone-event"):
        assert codec not in offer["sdp"]


async def test_nothing_leaves_without_keys(page: Page) -> None:
    result = await page.evaluate("scenarios.noKeys()")
    assert result["encoded"] > 10
    assert result["seen"] == {"encrypted": 0, "plain": 0}
    assert result["state"] == "connecting"


async def test_a_transform_that_came_too_late_stops_the_camera(page: Page) -> None:
    """What Chromium does to a transform that is assigned one task too late: it never calls it and sends plaintext."""
    result = await page.evaluate("scenarios.lateCamera()")
    assert result["plain"] > 0, "this browser now calls a late transform: the guard is not tested by it any more"
    assert result["stopped"] == [{"source": "camera", "by": "guard"}]
    assert result["later"] == 0
    assert result["sound"] > 20
    assert result["told"]["camera"] is False


async def test_a_transform_that_came_too_late_stops_the_microphone(page: Page) -> None:
    result = await page.evaluate("scenarios.lateMicrophone()")
    assert result == {"stopped": [{"source": "microphone", "by": "guard"}], "later": 0}


async def test_a_transform_that_was_taken_away_stops_the_camera(page: Page) -> None:
    result = await page.evaluate("scenarios.transformRemoved()")
    assert result == {"stopped": [{"source": "camera", "by": "guard"}], "later": 0}


async def test_a_stopped_camera_comes_back_on_a_fresh_connection(page: Page) -> None:
    result = await page.evaluate("scenarios.cameraAgain()")
    assert result == {"told": {"microphone": True, "camera": True, "screen": False}, "plain": 0, "connections": 2}


async def test_a_new_epoch_goes_by_without_a_lost_picture(page: Page) -> None:
    result = await page.evaluate("scenarios.newEpochs()")
    assert result == {"codes": 4, "states": [], "keyframes": 0, "plain": 0}


async def test_a_handshake_that_was_interfered_with_sends_nothing(page: Page) -> None:
    result = await page.evaluate("scenarios.tampering()")
    assert result == {"reason": "tampering", "seen": {"encrypted": 0, "plain": 0}, "code": None, "wrapped": 0}


async def test_a_screen_is_offered_and_leaves_encrypted(page: Page) -> None:
    result = await page.evaluate("scenarios.screen()")
    lines = ["microphone", "camera", "slot", "slot", "stage"]
    assert result["lines"] == [lines, [*lines, "screen"]]
    assert result["plain"] == 0
    assert result["told"]["screen"] is True


async def test_a_new_fence_makes_a_new_connection(page: Page) -> None:
    result = await page.evaluate("scenarios.newFence()")
    assert result == {"states": ["reconnecting", "connected"], "fences": [1, 7], "plain": 0}


async def test_a_lost_socket_shows_and_the_same_participant_returns(page: Page) -> None:
    result = await page.evaluate("scenarios.lostSocket()")
    assert result == {
        "states": ["reconnecting", "connected"],
        "same": True,
        "stored": {"appointment": "loopback", "role": "practitioner", "ticket": "ticket"},
        "offers": 1,
    }


async def test_chat_is_encrypted_asked_for_after_a_gap_and_sent_again_to_who_was_reloaded(page: Page) -> None:
    result = await page.evaluate("scenarios.chat()")
    assert result["content"]["text"] == "Goedemiddag <b>dokter</b>"
    assert result["again"] is None, "a replayed message was taken"
    assert result["asked"] == {"type": "log-wanted"}
    assert result["to"] == "zz-other-reloaded"
    [entry] = result["log"]["entries"]
    assert entry["text"] == "Goedemiddag <b>dokter</b>"
    assert entry["role"] == "practitioner"
    assert result["kept"] == 1


async def test_frames_count_only_in_the_slot_announced_for_their_sender(page: Page) -> None:
    result = await page.evaluate("scenarios.wrongSlot()")
    assert result == {"wrong": 0}
