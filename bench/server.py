"""What a waiting patient costs the server in memory, and what the pages weigh on their way to a browser."""

import argparse
import asyncio
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.load.targets import memory_kib
from bench.relay import write
from client.exchange import encode
from client.rest import Rest
from client.wire import Wire
from signaling.protocol.events import Arrive
from tests.browser.conftest import Demo, sit_down, start_demo
from tests.browser.visits import Traffic
from tests.chromium import chromium

WARM_UP = 20


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


async def measure(patients: int) -> str:
    with tempfile.TemporaryDirectory() as folder:
        demo = await start_demo(Path(folder) / "data")
        try:
            weights = await page_weights(demo)
            each = await waiting_memory(demo, patients)
        finally:
            await demo.stop()
    lines = ["| what | measured | reach |", "|---|---|---|"]
    lines.append(f"| server memory per idle waiting patient ({patients} of them) | {each:.0f} KiB | ≤ 150 KiB |")
    for name, (requests, size) in weights.items():
        reach = "–" if "patient" not in name else "≤ 120 kB" if name.startswith("first") else "≤ 3 requests"
        lines.append(f"| {name} | {requests} requests, {size / 1000:.0f} kB | {reach} |")
    return "\n".join(lines)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--patients", type=int, default=200)
    arguments.add_argument("--write", action="store_true", help="put the table into bench/README.md")
    chosen = arguments.parse_args()
    text = asyncio.run(measure(chosen.patients))
    print(text)
    if chosen.write:
        write(text, "server")


if __name__ == "__main__":
    main()
