"""What a browser says of itself, cut down to what helps with a bad connection (S-11): family, major version, device."""

import re
from dataclasses import dataclass
from typing import Literal

Device = Literal["phone", "tablet", "computer", "unknown"]

_LONGEST = 512
_FAMILIES = (
    # The more particular first: each of these also says what it descends from.
    ("Edge", re.compile(r"\bEdg(?:e|A|iOS)?/(\d{1,4})")),
    ("Opera", re.compile(r"\b(?:OPR|OPT)/(\d{1,4})")),
    ("Samsung", re.compile(r"\bSamsungBrowser/(\d{1,4})")),
    ("Firefox", re.compile(r"\b(?:Firefox|FxiOS)/(\d{1,4})")),
    ("Chrome", re.compile(r"\b(?:Chrome|CriOS|HeadlessChrome)/(\d{1,4})")),
    ("Safari", re.compile(r"\bVersion/(\d{1,4})[\d.]* (?:Mobile/\S+ )?Safari/")),
)


@dataclass(frozen=True, slots=True)
class Agent:
    """``browser`` is "Firefox 133", or None for what is not known. The header itself is kept nowhere."""

    browser: str | None = None
    device: Device = "unknown"


UNKNOWN = Agent()


def agent(header: str) -> Agent:
    """What a User-Agent header says. Anything may stand in it; only words and numbers of our own come out."""
    text = header[:_LONGEST]
    for family, pattern in _FAMILIES:
        if found := pattern.search(text):
            return Agent(f"{family} {int(found[1])}", _device(text))
    return UNKNOWN


def _device(text: str) -> Device:
    if "iPad" in text or ("Android" in text and "Mobile" not in text):
        return "tablet"
    return "phone" if "Mobi" in text or "iPhone" in text else "computer"
