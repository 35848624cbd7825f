"""What breaks mends itself: socket and media worker."""

import asyncio
import os
import signal
import time
from pathlib import Path

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

    await eventually(flowing_again, "media through a new worker", 30)
    took = time.monotonic() - started
    print(f"media back after a killed worker: {took:.1f} s")
    await asyncio.gather(sees_and_hears(practitioner), sees_and_hears(patient))
    assert await patient.picture() != before
    assert took < 5 or not TIMED


async def test_a_dropped_socket_leaves_media_running(demo: Demo, practitioner: Person, patient: Person) -> None:
    await begin_consult(practitioner, patient)
    await patient.context.set_offline(True)
    await asyncio.sleep(1)
    await patient.context.set_offline(False)
    await patient.call_state("connected")
    await asyncio.gather(sees_and_hears(practitioner), sees_and_hears(patient))
