"""What a waiting patient costs the server in memory, and what the pages weigh on their way to a browser."""

import asyncio
import json
import statistics
import sys
import tempfile
import time
from asyncio.subprocess import PIPE
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp

from bench.command import command
from bench.load.clerk import MAIL, PASSWORD
from bench.load.processes import memory_kib
from client.exchange import encode
from client.rest import Rest
from client.wire import Wire
from signaling.protocol.events import Arrive
from signaling.protocol.model import API
from tests.browser.conftest import Demo, sit_down, start_demo
from tests.browser.visits import Traffic
from tests.chromium import chromium
from tests.opening import of, open_store
from vault.settings import VaultSettings

WARM_UP = 20
LIVING = 1_000
LOOKS = 30


async def wait_for_nobody(rest: Rest, number: int) -> Wire:
    """A patient of an appointment of its own arrives and waits."""
    start = (datetime.now(UTC) + timedelta(minutes=1)).isoformat(timespec="seconds")
    planned = await rest.new_appointment(f"Patient {number}", start)
    join = await rest.join(planned.link.split("#")[1])
    wire = Wire(rest.url, lambda _event, _body: None)
    await wire.open(join.access_token)
    participant = encode(number.to_bytes(16, "big"))
    await wire.request("arrive", Arrive(appointment=join.appointment, participant=participant))
    return wire


async def waiting_memory(demo: Demo, patients: int) -> float:
    """KiB of the application's process per idle waiting patient, after a warm-up."""
    url = demo.practitioner_url.split("/signin")[0]
    waiting: list[Wire] = []
    async with Rest(url) as rest:
        await rest.sign_in_with_link(demo.practitioner_url.split("#")[1])
        for number in range(WARM_UP):
            waiting.append(await wait_for_nobody(rest, number))
        await asyncio.sleep(2)
        before = memory_kib(demo.process.pid)
        for number in range(WARM_UP, WARM_UP + patients):
            waiting.append(await wait_for_nobody(rest, number))
        await asyncio.sleep(2)
        after = memory_kib(demo.process.pid)
        await asyncio.gather(*(wire.close() for wire in waiting))
    return (after - before) / patients


async def page_weights(demo: Demo) -> dict[str, tuple[int, int]]:
    """Page to (requests, bytes with headers), on the first visit of a browser that knows nothing, and on the second."""
    weights: dict[str, tuple[int, int]] = {}
    async with chromium() as browser:
        for name, link in (("patient's page (/c)", demo.patient_url), ("desk and consult", demo.practitioner_url)):
            person, traffic = await sit_down(browser, demo.port), Traffic()
            address = link
            if name.startswith("desk"):
                await person.page.goto(link)
                await person.find("new-appointment").wait_for()
                await (await person.context.new_cdp_session(person.page)).send("Network.clearBrowserCache")
                address = person.page.url
            await traffic.watch(person)
            for visit in ("first", "second"):
                await person.page.goto("about:blank")
                traffic.clear()
                await person.page.goto(address)
                await person.page.wait_for_load_state("networkidle")
                weights[f"{visit} visit of the {name}"] = len(traffic.sizes), round(sum(traffic.sizes.values()))
            await person.context.close()
    return weights


async def desk_milliseconds(data: Path) -> dict[str, list[float]]:
    """What the server takes for the desk's page and for today's list of it, of who has so many living appointments."""
    today = datetime.now(UTC)
    async with open_store(VaultSettings(data=data, trust_clock=True)) as store:
        person = await store.practitioners.add(MAIL, PASSWORD, "A. Practitioner", "nl")
        for number in range(LIVING):
            starts_at = today + timedelta(days=number // 20)
            await store.appointments.create(of(person.id), f"Patient {number}", starts_at, 30, "nl")
    options = json.dumps({"rooms": {"data": str(data)}})
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.prove.server", options), stdin=PIPE, stdout=PIPE
    )
    assert server.stdout is not None
    origin = f"http://localhost:{int(await server.stdout.readline())}"
    took: dict[str, list[float]] = {"/desk": [], f"{API}/appointments": []}
    try:
        async with aiohttp.ClientSession(headers={"Origin": origin}) as session:
            async with session.post(f"{origin}{API}/sign-in", json={"mail": MAIL, "password": PASSWORD}) as answer:
                assert answer.status == 200, await answer.text()
            for _ in range(LOOKS):
                for path, times in took.items():
                    began = time.perf_counter()
                    async with session.get(origin + path) as answer:
                        await answer.read()
                    assert answer.status == 200, path
                    times.append((time.perf_counter() - began) * 1000)
    finally:
        server.terminate()
        await server.wait()
    return took


async def measure(patients: int) -> str:
    with tempfile.TemporaryDirectory() as folder:
        demo = await start_demo(Path(folder) / "data")
        try:
            weights = await page_weights(demo)
            each = await waiting_memory(demo, patients)
        finally:
            await demo.stop()
        page, listed = (times[1:] for times in (await desk_milliseconds(Path(folder) / "desk")).values())
    lines = ["| what | measured | reach |", "|---|---|---|"]
    lines.append(f"| server memory per idle waiting patient ({patients} of them) | {each:.0f} KiB | ≤ 150 KiB |")
    for name, (requests, size) in weights.items():
        reach = "–" if "patient" not in name else "≤ 120 kB" if name.startswith("first") else "≤ 3 requests"
        lines.append(f"| {name} | {requests} requests, {size / 1000:.0f} kB | {reach} |")
    both = [one + other for one, other in zip(page, listed, strict=True)]
    beside = f"page {statistics.median(page):.1f}, list {statistics.median(listed):.1f}; slowest {max(both):.1f}"
    name = f"server's time for the desk of who has {LIVING:,} living appointments"
    lines.append(f"| {name} | {statistics.median(both):.1f} ms ({beside}) | ≤ 60 ms |")
    return "\n".join(lines)


def main() -> None:
    command("server", __doc__, measure, patients=200)


if __name__ == "__main__":
    main()
