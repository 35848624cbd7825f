"""The whole story in the pages of two kinds of browser; test_firefox_pages.py runs it where Firefox finds a way.

``pytest tests/browser/two_browsers.py`` by itself works on a machine with a default route.
"""

import re
import shutil
from collections.abc import AsyncIterator
from typing import Any, Protocol

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from signaling.sessions import PLAIN
from tests.browser.conftest import INBOUND, PICTURE, Demo, Desk, Person, eventually, sit_down
from tests.chromium import RECORD_PEER_CONNECTIONS
from tests.web.firefox import Firefox, firefox

FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.skipif(FIREFOX is None, reason="Firefox is not installed"),
]

WHERE = """
(() => {
  const element = document.querySelector('%s');
  if (!element || element.disabled || !element.checkVisibility({ visibilityProperty: true })) return null;
  element.scrollIntoView({ block: 'center' });
  const box = element.getBoundingClientRect();
  return [box.left + box.width / 2, box.top + box.height / 2];
})()
"""


class Somebody(Protocol):
    """A person at a browser of any kind."""

    async def goto(self, url: str) -> None: ...

    async def evaluate(self, expression: str) -> Any: ...

    async def press(self, x: float, y: float) -> None: ...

    async def type(self, text: str) -> None: ...

    async def keep_cookie(self, name: str, value: str, host: str) -> None: ...


class InChromium:
    def __init__(self, person: Person) -> None:
        self._page = person.page

    async def goto(self, url: str) -> None:
        await self._page.goto(url)

    async def evaluate(self, expression: str) -> Any:
        return await self._page.evaluate(expression)

    async def press(self, x: float, y: float) -> None:
        await self._page.mouse.click(x, y)

    async def type(self, text: str) -> None:
        for key in text:
            await self._page.keyboard.press("Enter" if key == "\n" else key)

    async def keep_cookie(self, name: str, value: str, host: str) -> None:
        await self._page.context.add_cookies([{"name": name, "value": value, "domain": host, "path": "/"}])


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def other_browser(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Firefox]:
    async with firefox(str(FIREFOX), tmp_path_factory.mktemp("firefox")) as browser:
        await browser.before_every_page(RECORD_PEER_CONNECTIONS)
        yield browser


async def press(who: Somebody, testid: str) -> None:
    """Wait until it is there, shown and enabled, then press it."""

    async def place() -> list[float] | None:
        found: list[float] | None = await who.evaluate(WHERE % f'[data-testid="{testid}"]')
        return found

    await who.press(*await eventually(place, f"{testid} can be pressed"))


async def state(who: Somebody, wanted: str) -> None:
    now = "document.querySelector('[data-testid=\"call\"]')?.dataset.state"

    async def there() -> bool:
        return bool(await who.evaluate(now) == wanted)

    await eventually(there, f"the consult is {wanted}")


async def sees_and_hears(who: Somebody) -> None:
    async def both() -> bool:
        seen = await who.evaluate(f"({INBOUND})()")
        picture = await who.evaluate(f"({PICTURE})('[data-testid=\"remote-video\"]')")
        return bool(picture) and seen["decoded"] > 10 and seen["energy"] > 1e-6

    await eventually(both, "a picture and sound of the other side")


async def code(who: Somebody) -> str:
    async def six() -> str | None:
        text = await who.evaluate("document.querySelector('[data-testid=\"verification-code\"]').textContent")
        digits = re.sub(r"\D", "", text)
        return digits if len(digits) == 6 else None

    return await eventually(six, "six digits")


async def writes(who: Somebody, reader: Somebody, text: str) -> None:
    if not await who.evaluate(WHERE % '[data-testid="chat-input"]'):
        await press(who, "toggle-chat")

    async def typed() -> bool:
        """What was typed stands there: a panel that still opens moves the field away from under a press."""
        await press(who, "chat-input")
        await who.evaluate("document.querySelector('[data-testid=\"chat-input\"]').value = ''")
        await who.type(text)
        return bool(await who.evaluate("document.querySelector('[data-testid=\"chat-input\"]').value") == text)

    await eventually(typed, f"{text!r} in the field")
    await who.type("\n")

    async def arrived() -> bool:
        return text in await reader.evaluate("document.querySelector('[data-testid=\"chat-log\"]').textContent")

    await eventually(arrived, f"{text!r} at the other side")


@pytest.mark.parametrize("in_firefox", ["patient", "practitioner"])
async def test_the_whole_story(
    house: Demo, desk: Desk, chromium: Browser, other_browser: Firefox, in_firefox: str
) -> None:
    person = await sit_down(chromium, house.port)
    one: Somebody = InChromium(person)
    practitioner, patient = (one, other_browser) if in_firefox == "patient" else (other_browser, one)

    await practitioner.keep_cookie(PLAIN, desk.cookie, "localhost")
    await practitioner.goto(f"{house.origin}/desk")
    await patient.goto(desk.patient_url)
    await press(patient, "test-devices")
    await press(patient, "join")
    await press(practitioner, "admit")
    for who in (practitioner, patient):
        await state(who, "connected")
    for who in (practitioner, patient):
        await sees_and_hears(who)
    assert await code(practitioner) == await code(patient)

    await writes(patient, practitioner, "goedemiddag")
    await writes(practitioner, patient, "welkom")

    await press(patient, "leave")
    await state(patient, "ended")
    await press(practitioner, "leave")
    await press(practitioner, "reopen")
    assert person.problems == []
    await other_browser.goto("about:blank")
    await person.context.close()
