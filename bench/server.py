"""What a waiting patient costs the server in memory, and what the pages weigh on their way to a browser."""

import argparse
import asyncio
import gzip
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from bench.load.targets import memory_kib
from bench.relay import write
from signaling.client.exchange import encode
from signaling.client.rest import Rest
from signaling.client.wire import Wire
from signaling.protocol.events import Arrive
from tests.browser.conftest import Demo, sit_down, start_demo
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
    """Page to (requests, bytes of all that it loads, gzip level 6)."""
    weights: dict[str, tuple[int, int]] = {}
    async with chromium() as browser:
        for name, link in (("patient's page (/c)", demo.patient_url), ("desk and consult", demo.practitioner_url)):
            person = await sit_down(browser, demo.port)
            seen: list[str] = []
            if name.startswith("desk"):
                await person.page.goto(link)
                await person.find("new-appointment").wait_for()
            person.page.on("request", lambda request, seen=seen: seen.append(request.url))
            await person.page.goto(link if not name.startswith("desk") else person.page.url)
            await person.page.wait_for_load_state("networkidle")
            files = {url for url in seen if urlsplit(url).path.startswith(("/static/", "/c", "/desk"))}
            bodies = [await (await person.context.request.get(url)).body() for url in files]
            weights[name] = len(bodies), sum(len(gzip.compress(body, 6)) for body in bodies)
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
    for name, (files, size) in weights.items():
        lines.append(f"| weight of the {name}, compressed ({files} files) | {size / 1000:.0f} KB | ≤ 200 KB |")
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
