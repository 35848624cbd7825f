"""A notification of web push is pressed, where a desktop shows it: the desk opens, or is gone to where it is open.

Chromium shows its notifications by the desktop's bus; the desktop is ours, the bus and all between are real.
"""

import os
from pathlib import Path

import pytest

from tests.chromium import profile
from tests.client.waiting import until
from tests.servers import desktop
from tests.servers.push import PushService
from tests.signaling.conftest import Server
from tests.signaling.test_pushing import server_practice, service
from tests.signaling.test_woken_browser import deliver, sit_at

__all__ = ["server_practice", "service"]


@pytest.mark.browser
async def test_a_press_opens_the_desk_once(server: Server, service: PushService, tmp_path: Path) -> None:
    if not desktop.installed():
        if os.environ.get("CI"):
            pytest.fail("dbus-daemon is not installed, and CI may not skip it")
        pytest.skip("NOT TESTED WITH A DESKTOP: install the package dbus-daemon")
    async with desktop.running(tmp_path) as there, profile(tmp_path / "profile", bus=there.bus) as context:
        page = await sit_at(context, server, service)
        await page.goto(f"{server.origin}/privacy")
        await deliver(page, server)
        await until(lambda: None if there.shown else "nothing is shown")
        ((number, (title, body)),) = there.shown.items()
        assert (title, "wacht" in body) == ("Er wacht iemand", False)

        async with context.expect_page() as opening:
            await there.press(number)
        opened = await opening.value
        await opened.get_by_test_id("new-appointment").wait_for()
        assert opened.url == f"{server.origin}/desk"
        await until(lambda: f"{there.shown} stands there" if there.shown else None)
