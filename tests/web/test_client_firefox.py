"""The scenarios of test_client_browser.py in the installed Firefox."""

import shutil
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.chromium import RECORD_PEER_CONNECTIONS
from tests.web.firefox import Firefox, firefox
from tests.web.test_client_browser import serve

PROGRAM = shutil.which("firefox-esr") or shutil.which("firefox")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(PROGRAM is None, reason="Firefox is not installed"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Firefox]:
    async with firefox(str(PROGRAM), tmp_path_factory.mktemp("firefox")) as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Firefox) -> AsyncIterator[Firefox]:
    async with serve() as origin:
        await browser.goto(f"{origin}/test/loopback.html")
        await browser.evaluate(f"{RECORD_PEER_CONNECTIONS.strip().rstrip(';')}, 0")
        yield browser
        await browser.goto("about:blank")


async def test_two_people_are_connected_with_the_same_code_and_nothing_in_plaintext(page: Firefox) -> None:
    result = await page.evaluate("scenarios.connect()")
    assert result["states"] == ["connecting", "connected"]
    assert result["codes"][0] == result["codes"][1]
    assert result["seen"]["plain"] == 0


async def test_nothing_leaves_without_keys(page: Firefox) -> None:
    result = await page.evaluate("scenarios.noKeys()")
    assert result["encoded"] > 10
    assert result["seen"] == {"encrypted": 0, "plain": 0}


async def test_a_transform_that_was_taken_away_stops_the_camera(page: Firefox) -> None:
    """Firefox goes on in plaintext then."""
    result = await page.evaluate("scenarios.transformRemoved()")
    assert result == {"stopped": [{"source": "camera", "by": "guard"}], "later": 0}


async def test_a_new_epoch_goes_by_without_a_lost_picture(page: Firefox) -> None:
    result = await page.evaluate("scenarios.newEpochs()")
    assert result == {"codes": 4, "states": [], "keyframes": 0, "plain": 0}


async def test_a_screen_is_offered_and_leaves_encrypted(page: Firefox) -> None:
    result = await page.evaluate("scenarios.screen()")
    assert [len(lines) for lines in result["lines"]] == [5, 6]
    assert result["plain"] == 0
