"""What breaks mends itself: socket and media worker."""

import asyncio
import os
import signal
import time
from pathlib import Path

from signaling.protocol.model import API
from tests.browser.conftest import TIMED, Demo, Person, begin_consult, eventually, sees_and_hears


def children_of(pid: int) -> list[tuple[int, str]]:
    """(pid, command line) of all descendants."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except (OSError, ValueError):
            continue
        if parent == pid:
            found += [(int(entry.name), command), *children_of(int(entry.name))]
    return found


async def test_a_killed_media_worker_is_replaced(demo: Demo, practitioner: Person, patient: Person) -> None:
    await begin_consult(practitioner, patient)
    workers = [pid for pid, command in children_of(demo.process.pid) if "media.worker" in command]
    assert workers
    before = await patient.picture()
    started = time.monotonic()
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    frames = (await patient.media())["decoded"]

    async def flowing_again() -> bool:
        now = await patient.media()
        return now["decoded"] > 0 and (now["decoded"] < frames or now["decoded"] > frames + 30)

    await eventually(flowing_again, "media through a new worker")
    took = time.monotonic() - started
    print(f"media back after a killed worker: {took:.1f} s")
    await asyncio.gather(sees_and_hears(practitioner), sees_and_hears(patient))
    assert await patient.picture() != before
    assert took < 5 or not TIMED


SOCKETS = """
(() => {
  const Native = window.WebSocket;
  window.sockets = [];
  window.WebSocket = class extends Native { constructor(...args) { super(...args); window.sockets.push(this); } };
})();
"""
CAMERA = """
(on) => {
  for (const connection of window.peerConnections) {
    if (connection.connectionState !== 'connected') continue;
    const sender = connection.getSenders().find((one) => one === window.paused || one.track?.kind === 'video');
    window.track ??= sender.track;
    window.paused = sender;
    sender.replaceTrack(on ? window.track : null);
  }
}
"""


async def test_a_dropped_socket_leaves_media_running_and_is_told_afterwards(
    demo: Demo, practitioner: Person, patient: Person
) -> None:
    """Only the server is out of reach: the page says so, the picture stays bright, the interruption is counted."""
    page = practitioner.page
    await page.add_init_script(SOCKETS)
    await page.reload()
    await begin_consult(practitioner, patient)
    await practitioner.context.set_offline(True)
    await page.evaluate("window.sockets.forEach((socket) => socket.close())")
    await practitioner.call_state("reconnecting")
    await page.get_by_text("Beeld en geluid gaan door").wait_for()
    await sees_and_hears(practitioner)
    assert await practitioner.find("remote-video").get_attribute("data-still") is None
    await practitioner.context.set_offline(False)
    await practitioner.call_state("connected")
    await asyncio.gather(sees_and_hears(practitioner), sees_and_hears(patient))
    listed = await (await practitioner.context.request.get(f"{demo.origin}{API}/appointments")).json()
    [appointment] = [one["appointment"] for one in listed["appointments"]]

    async def counted() -> bool:
        answer = await practitioner.context.request.get(
            f"{demo.origin}{API}/appointments/{appointment}/technical-check"
        )
        return any(side["role"] == "practitioner" and side["reconnects"] for side in (await answer.json())["people"])

    await eventually(counted, "the interruption in the technical check")


async def test_a_picture_that_stands_still_is_dimmed_and_said_to_be_old(practitioner: Person, patient: Person) -> None:
    await begin_consult(practitioner, patient)
    still = practitioner.page.locator("[data-testid=remote-video][data-still]")
    await patient.page.evaluate(CAMERA, False)
    await still.wait_for()
    await practitioner.page.get_by_text("staat stil").wait_for()
    await practitioner.call_state("connected")
    await patient.page.evaluate(CAMERA, True)
    await still.wait_for(state="detached")
