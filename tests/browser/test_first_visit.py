"""What a first visit costs on the wire, and the second, as Chromium counts them: with headers, over HTTP/1.1."""

import pytest
from playwright.async_api import Browser

from tests.browser.conftest import Demo, sit_down
from tests.browser.visits import Traffic
from tests.client.waiting import PATIENCE

pytestmark = pytest.mark.asyncio(loop_scope="session")

MOST_BYTES = 120_000


async def test_the_first_visit_is_small_flat_and_kept(chromium: Browser, demo: Demo) -> None:
    person = await sit_down(chromium, demo.port)
    traffic = Traffic()
    await traffic.watch(person)
    await person.page.goto(demo.patient_url)
    await person.find("join").wait_for()
    await person.page.wait_for_load_state("networkidle", timeout=PATIENCE * 1000)
    first = dict(traffic.sizes)
    print(f"first visit of a patient: {len(first)} requests, {sum(first.values()) / 1000:.1f} kB with headers")
    files = {address: started for address, started in traffic.started_by.items() if "/static/" in address}
    assert len(files) > 30
    assert sum(first.values()) <= MOST_BYTES
    # One round trip after the page: the page itself names every module, style sheet and text it needs.
    assert {address for address, started in files.items() if started not in ("parser", "preload", "other")} == set()

    traffic.clear()
    await person.page.goto("about:blank")
    await person.page.goto(demo.patient_url)
    await person.find("join").wait_for()
    await person.page.wait_for_load_state("networkidle", timeout=PATIENCE * 1000)
    print(f"second visit: {len(traffic.sizes)} requests, {sum(traffic.sizes.values()) / 1000:.1f} kB with headers")
    assert len(traffic.sizes) <= 3, traffic.sizes
    assert person.problems == []
    await person.context.close()
