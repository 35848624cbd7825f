"""Everything our pages keep in a browser (S-37): the privacy page lists it, and a test finds nothing beside it."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Kept:
    """One cookie or storage key; its purpose and lifetime are the texts ``privacy.kept.<text>.*``."""

    name: str
    plain: str | None
    """Its name over plain http, which only loopback uses."""
    kind: Literal["cookie", "localStorage", "sessionStorage"]
    text: str


KEPT = (
    Kept("__Host-sid", "sid", "cookie", "session"),
    Kept("__Host-device", "device", "cookie", "known"),
    Kept("lang", None, "cookie", "language"),
    Kept("av", None, "localStorage", "devices"),
    Kept("spreekkamer.resume", None, "sessionStorage", "resume"),
    Kept("spreekkamer.keys", None, "sessionStorage", "keys"),
)

LANGUAGE_COOKIE = "lang"
