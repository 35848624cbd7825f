"""A User-Agent header becomes a family, a major version and a kind of device, or nothing (S-11)."""

import pytest

from rooms.diagnostics import Sample
from signaling.sockets.agent import UNKNOWN, Agent, agent

CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537"
ANDROID = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 {}Safari/537.36"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.1 Mobile/15E148 Safari/604.1"
)


@pytest.mark.duty("S-11")
@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (CHROME, Agent("Chrome 131", "computer")),
        (f"{CHROME} Edg/131.0.2903.51", Agent("Edge 131", "computer")),
        (ANDROID.format("Mobile "), Agent("Chrome 131", "phone")),
        (ANDROID.format(""), Agent("Chrome 131", "tablet")),
        (IPHONE, Agent("Safari 18", "phone")),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0", Agent("Firefox 133", "computer")),
        ("", UNKNOWN),
        ("Firefox", UNKNOWN),
        ("x" * 100_000 + CHROME, UNKNOWN),
        ("\x00\r\n<script>{$jndi}", UNKNOWN),
    ],
)
def test_only_family_version_and_device_are_left(header: str, expected: Agent) -> None:
    found = agent(header)
    assert found == expected
    Sample(browser=found.browser, device=found.device)
