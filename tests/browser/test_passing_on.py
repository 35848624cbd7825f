"""One who waits, handed over from one desk to another, between three browsers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from secrets import token_hex

import pytest
from playwright.async_api import Browser

from practice.agenda.model import patient_link
from signaling.sessions import PLAIN
from tests.browser.conftest import Demo, Person, sit_down
from tests.browser.test_accessibility import judge
from tests.opening import of, open_store
from tests.organisations import OPERATOR
from vault.settings import VaultSettings

pytestmark = pytest.mark.asyncio(loop_scope="session")


@asynccontextmanager
async def desk_of(chromium: Browser, demo: Demo, cookie: str) -> AsyncIterator[Person]:
    person = await sit_down(chromium, demo.port)
    await person.context.add_cookies([{"name": PLAIN, "value": cookie, "url": demo.origin}])
    await person.page.goto(f"{demo.origin}/desk")
    await person.find("new-appointment").wait_for()
    yield person
    assert person.problems == []
    await person.context.close()


async def test_who_waits_goes_on_waiting_for_the_colleague_and_is_called_in_there(
    chromium: Browser, demo: Demo
) -> None:
    async with open_store(VaultSettings(data=demo.data, trust_clock=True), exclusive=False) as store:
        one, other = [
            await store.organisation.add_account(OPERATOR, f"{token_hex(8)}@example.org", token_hex(16), name, "nl")
            for name in ("Dokter Een", "Dokter Twee")
        ]
        begins = datetime.now().astimezone().replace(microsecond=0)
        planned = await store.appointments.create(of(one.id), "Jan Jansen", begins, 120, "nl")
        cookies = [await store.sessions.create(person.id) for person in (one, other)]
    async with desk_of(chromium, demo, cookies[0]) as giver, desk_of(chromium, demo, cookies[1]) as taker:
        patient = await sit_down(chromium, demo.port, viewport={"width": 390, "height": 844})
        await patient.page.goto(patient_link(demo.origin, planned))
        await patient.find("join").click()
        await giver.find("admit").wait_for()
        async with giver.context.expect_page() as opened:
            await giver.find("to-hand-over").click()
        page = await opened.value
        await judge(page, "handing over who waits")
        await page.get_by_label("Collega").select_option(label="Dokter Twee")
        await page.get_by_test_id("hand-over").click()
        await page.get_by_test_id("passed-on").wait_for()
        await judge(page, "handed over")
        await giver.find("admit").wait_for(state="detached")
        await patient.page.get_by_role("heading", name="Dokter Twee").wait_for()
        await taker.find("admit").click()
        await patient.call_state("connected")
        await taker.call_state("connected")
        assert patient.problems == []
        await patient.context.close()
