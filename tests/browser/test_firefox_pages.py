"""Firefox opens our pages, as the patient and as the practitioner, with Chromium at the other side.

In a network namespace: Firefox gathers candidates only where there is a default route, and never on loopback.
"""

import os
import shutil

import pytest

from tests.browser.test_another_network import IPV4, namespace, story
from tests.browser.two_browsers import FIREFOX

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(FIREFOX is None, reason="Firefox is not installed"),
    pytest.mark.skipif(os.geteuid() != 0 or shutil.which("ip") is None, reason="needs root and iproute2"),
]


async def test_the_whole_story_with_either_of_the_two_in_firefox() -> None:
    async with namespace(*IPV4) as name:
        await story(name, "tests/browser/two_browsers.py", passed=2)
