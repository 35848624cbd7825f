"""Everything our pages keep in a browser (S-37), as the privacy page lists it; a test finds nothing beside it."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Kept:
    """One of them; its purpose and lifetime are the texts ``privacy.kept.<text>.*``."""

    name: str
    plain: str | None
    """Its name over plain http, which only loopback uses."""
    kind: Literal["cookie", "localStorage", "sessionStorage", "worker", "cache"]
    text: str


KEPT = (
    Kept("__Host-sid", "sid", "cookie", "session"),
    Kept("__Host-device", "device", "cookie", "known"),
    Kept("__Host-pass", "pass", "cookie", "pass"),
    Kept("__Host-rights", "rights", "cookie", "rights"),
    Kept("lang", None, "cookie", "language"),
    Kept("av", None, "localStorage", "devices"),
    Kept("alerts", None, "localStorage", "alerts"),
    Kept("spreekkamer.resume", None, "sessionStorage", "resume"),
    Kept("spreekkamer.keys", None, "sessionStorage", "keys"),
    Kept("/desk/worker.js", None, "worker", "desk"),
    Kept("desk-files", None, "cache", "files"),
)

LANGUAGE_COOKIE = "lang"
