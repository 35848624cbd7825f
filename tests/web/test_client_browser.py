"""The protocol client in a real Chromium, with the other person, the relay and the server in the same page."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, Page, async_playwright

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

ROOT = Path(__file__).parents[2]
FLAGS = [
    "--no-sandbox",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--allow-loopback-in-peer-connection",
    "--disable-background-networking",
    "--autoplay-policy=no-user-gesture-required",
    "--no-first-run",
]
RECORD_PEER_CONNECTIONS = """
(() => {
  const Native = window.RTCPeerConnection;
  window.peerConnections = [];
  window.RTCPeerConnection = class extends Native {
    constructor(...args) { super(...args); window.peerConnections.push(this); }
  };
})();
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def origin() -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_static("/static", ROOT / "web" / "static")
    app.router.add_static("/test", Path(__file__).parent / "client")
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def page(chromium: Browser, origin: str) -> AsyncIterator[Page]:
    context = await chromium.new_context()
    page = await context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    await page.add_init_script(RECORD_PEER_CONNECTIONS)
    await page.goto(f"{origin}/test/loopback.html")
    await page.wait_for_function("window.loaded")
    yield page
    await context.close()
    assert problems == []


async def test_two_people_are_connected_with_the_same_code_and_nothing_in_plaintext(page: Page) -> None:
    result = await page.evaluate(
        """async () => {
          const world = new World();
          const states = [];
          const tracks = [];
          world.consult.addEventListener('state', ({ detail }) => states.push(detail.state));
          world.consult.addEventListener('tracks', ({ detail }) => tracks.push(detail));
          await begin(world);
          await until(() => world.consult.state === 'connected');
          await until(() => world.seen.encrypted > 60);
          await until(async () => (await decoded(world)) > 20);
          return { states, codes: [world.consult.code, world.keys.code], seen: world.seen,
                   tracks: tracks.map(({ participant, stage, stream }) => [participant, stage, stream.getTracks().length]),
                   indicated: world.told, offers: world.log.filter(([event]) => event === 'offer').map(([, body]) => body) };
        }"""
    )
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
    result = await page.evaluate(
        """async () => {
          const world = new World({ secretsPass: false });
          await begin(world);
          await until(() => world.relay?.pc.connectionState === 'connected');
          await pause(2000);
          const packets = (await framesEncoded(world));
          return { seen: world.seen, state: world.consult.state, encoded: packets };
        }"""
    )
    assert result["encoded"] > 10
    assert result["seen"] == {"encrypted": 0, "plain": 0}
    assert result["state"] == "connecting"


async def test_a_transform_that_came_too_late_stops_the_camera(page: Page) -> None:
    """What Chromium does to a transform that is assigned one task too late: it never calls it and sends plaintext."""
    result = await page.evaluate(
        """async () => {
          late('video');
          const world = new World();
          const stopped = [];
          world.consult.addEventListener('unencrypted', ({ detail }) => stopped.push(detail));
          await begin(world);
          await until(() => stopped.length > 0);
          await pause(200);
          const after = { ...world.seen };
          await pause(1500);
          return { stopped, plain: after.plain, later: world.seen.plain - after.plain, told: world.told,
                   sound: world.seen.encrypted - after.encrypted };
        }"""
    )
    assert result["plain"] > 0, "this browser now calls a late transform: the guard is not tested by it any more"
    assert result["stopped"] == [{"source": "camera", "by": "guard"}]
    assert result["later"] == 0
    assert result["sound"] > 20
    assert result["told"]["camera"] is False


async def test_a_transform_that_came_too_late_stops_the_microphone(page: Page) -> None:
    result = await page.evaluate(
        """async () => {
          late('audio');
          const world = new World();
          const stopped = [];
          world.consult.addEventListener('unencrypted', ({ detail }) => stopped.push(detail));
          await begin(world);
          await until(() => stopped.length > 0);
          await pause(200);
          const before = world.seen.plain;
          await pause(1500);
          return { stopped, later: world.seen.plain - before };
        }"""
    )
    assert result == {"stopped": [{"source": "microphone", "by": "guard"}], "later": 0}


async def test_a_stopped_camera_comes_back_on_a_fresh_connection(page: Page) -> None:
    result = await page.evaluate(
        """async () => {
          const world = new World();
          await begin(world);
          await until(() => world.consult.state === 'connected');
          world.line.say('unencrypted', { source: 'camera' });
          await until(() => world.told.camera === false);
          const media = await navigator.mediaDevices.getUserMedia({ video: true });
          await world.consult.setCamera(media.getVideoTracks()[0]);
          const seen = world.seen.encrypted;
          await until(async () => world.consult.state === 'connected' && (await framesEncoded(world)) > 10);
          await until(() => world.seen.encrypted > seen + 30);
          return { told: world.told, plain: world.seen.plain, connections: world.log.filter(([event]) => event === 'offer').length };
        }"""
    )
    assert result == {"told": {"microphone": True, "camera": True, "screen": False}, "plain": 0, "connections": 2}


async def test_a_new_epoch_goes_by_without_a_lost_picture(page: Page) -> None:
    result = await page.evaluate(
        """async () => {
          const world = new World();
          const codes = [];
          world.consult.addEventListener('code', ({ detail }) => codes.push(detail.code));
          await begin(world);
          await until(() => world.consult.state === 'connected');
          await until(async () => (await decoded(world)) > 10);
          const states = [];
          world.consult.addEventListener('state', ({ detail }) => states.push(detail.state));
          for (let round = 0; round < 3; round += 1) {
            world.rekey();
            await until(() => world.consult.code !== null && world.consult.code === world.keys.code);
            await pause(300);
          }
          const keyframes = world.log.filter(([event]) => event === 'keyframe').length;
          return { codes: codes.filter((code) => code !== null).length, states, keyframes, plain: world.seen.plain };
        }"""
    )
    assert result == {"codes": 4, "states": [], "keyframes": 0, "plain": 0}


async def test_a_handshake_that_was_interfered_with_sends_nothing(page: Page) -> None:
    result = await page.evaluate(
        """async () => {
          const world = new World({ tamper: (event, body) =>
            event === 'key-reveal' ? { ...body, nonce: body.nonce.replace(/^./, (c) => c === 'A' ? 'B' : 'A') } : body });
          await begin(world);
          await until(() => world.consult.state === 'failed');
          await pause(1000);
          return { reason: world.consult.reason, seen: world.seen, code: world.consult.code,
                   wrapped: world.log.filter(([event]) => event === 'key-wrap').length };
        }"""
    )
    assert result == {"reason": "tampering", "seen": {"encrypted": 0, "plain": 0}, "code": None, "wrapped": 0}


async def test_a_screen_is_offered_and_leaves_encrypted(page: Page) -> None:
    result = await page.evaluate(
        """async () => {
          const world = new World();
          await begin(world);
          await until(() => world.consult.state === 'connected');
          const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 360 });
          const context = canvas.getContext('2d');
          let hue = 0;
          setInterval(() => { context.fillStyle = `hsl(${hue += 20} 80% 50%)`; context.fillRect(0, 0, 640, 360); }, 60);
          const track = canvas.captureStream(15).getVideoTracks()[0];
          await world.consult.setScreen(track);
          const screen = async () => {
            const senders = window.peerConnections[0].getSenders();
            return senders.some((sender) => sender.track === track) && (await frames(senders.find((it) => it.track === track)));
          };
          await until(async () => (await screen()) > 10);
          const offers = world.log.filter(([event]) => event === 'offer').map(([, body]) => body.lines.map(({ use }) => use));
          await world.consult.setScreen(null);
          await world.consult.setScreen(track);
          await until(async () => (await screen()) > 15);
          return { offers, again: world.log.filter(([event]) => event === 'offer').length, plain: world.seen.plain, told: world.told };
        }"""
    )
    lines = ["microphone", "camera", "slot", "slot", "stage"]
    assert result["offers"] == [lines, [*lines, "screen"]]
    assert result["again"] == 2
    assert result["plain"] == 0
    assert result["told"]["screen"] is True


async def test_a_new_fence_makes_a_new_connection(page: Page) -> None:
    result = await page.evaluate(
        """async () => {
          const world = new World();
          await begin(world);
          await until(() => world.consult.state === 'connected');
          const states = [];
          world.consult.addEventListener('state', ({ detail }) => states.push(detail.state));
          world.relay.pc.close();
          world.fence = 7;
          world.changed();
          await until(() => states.at(-1) === 'connected');
          return { states, fences: world.log.filter(([event]) => event === 'offer').map(([, { fence }]) => fence), plain: world.seen.plain };
        }"""
    )
    assert result == {"states": ["reconnecting", "connected"], "fences": [1, 7], "plain": 0}


async def test_a_lost_socket_shows_and_the_same_participant_returns(page: Page) -> None:
    result = await page.evaluate(
        """async () => {
          const world = new World();
          await begin(world);
          await until(() => world.consult.state === 'connected');
          const states = [];
          world.consult.addEventListener('state', ({ detail }) => states.push(detail.state));
          world.line.connected = false;
          world.line.dispatchEvent(new Event('close'));
          await pause(100);
          world.line.connected = true;
          world.line.dispatchEvent(new Event('open'));
          await until(() => states.at(-1) === 'connected');
          const arrivals = world.log.filter(([event]) => event === 'arrive').map(([, body]) => body);
          return { states, same: arrivals.length === 2 && arrivals.every(({ participant }) => participant === world.me),
                   takeOver: arrivals.some(({ take_over }) => take_over), stored: JSON.parse(sessionStorage['spreekkamer.resume']),
                   offers: world.log.filter(([event]) => event === 'offer').length };
        }"""
    )
    assert result == {
        "states": ["reconnecting", "connected"],
        "same": True,
        "takeOver": False,
        "stored": {"appointment": "loopback", "role": "practitioner", "ticket": "ticket"},
        "offers": 1,
    }


async def test_chat_is_encrypted_and_sent_again_to_who_was_reloaded(page: Page) -> None:
    result = await page.evaluate(
        """async () => {
          const world = new World();
          await begin(world);
          await until(() => world.consult.state === 'connected');
          await world.consult.sendChat('Goedemiddag <b>dokter</b>');
          const sent = world.chat;
          const opened = async ({ ciphertext }) => JSON.parse(new TextDecoder().decode(
            await world.encryption.open(world.me, Uint8Array.from(atob(ciphertext.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0)))));
          const content = await opened(sent);
          const again = await world.encryption.open(world.me, Uint8Array.from(atob(sent.ciphertext.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0)));
          world.other.participant = 'zz-other-reloaded';
          world.keys.close();
          world.keys = new KeyExchange(world.otherLine, world.other.participant, world.encryption);
          world.chat = null;
          world.rekey();
          await until(() => world.chat);
          return { content, again, to: world.chat.to, log: await opened(world.chat), kept: world.consult.chatLog.length };
        }"""
    )
    assert result["content"]["text"] == "Goedemiddag <b>dokter</b>"
    assert result["again"] is None, "a replayed message was taken"
    assert result["to"] == "zz-other-reloaded"
    [entry] = result["log"]["entries"]
    assert entry["text"] == "Goedemiddag <b>dokter</b>"
    assert entry["role"] == "practitioner"
    assert result["kept"] == 1


async def test_frames_count_only_in_the_slot_announced_for_their_sender(page: Page) -> None:
    result = await page.evaluate(
        """async () => {
          const world = new World();
          world.slots = () => [{ slot: 0, participant: 'somebody-else' }];
          await begin(world);
          await until(() => world.consult.code !== null);
          await until(() => world.seen.encrypted > 60);
          await pause(1500);
          const wrong = await decoded(world);
          world.line.say('slots', { fence: world.fence, slots: [{ slot: 0, participant: world.other.participant }] });
          await until(() => world.consult.state === 'connected');
          return { wrong };
        }"""
    )
    assert result == {"wrong": 0}
