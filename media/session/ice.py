"""ICE-lite (RFC 8445, 2.5): answers checks, sends none, so no candidate can make the relay knock anywhere.

Remote candidates are not looked at. A client's address is where an authentic check came from.
"""

import secrets
import string
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from media.net.outbox import Outbox

_ICE_CHARS = string.ascii_letters + string.digits
_MAX_PATHS = 8
_PATH_SECONDS = 30.0
_OLD_CREDENTIALS_SECONDS = 10.0
_SETTLING_SECONDS = 5.0
_CHECKS_PER_SECOND, _CHECK_BURST = 25.0, 100.0


def ice_text(length: int) -> str:
    """Random text of ICE characters, almost 6 bits each."""
    return "".join(secrets.choice(_ICE_CHARS) for _ in range(length))


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user fragment and its password (128 bits and more)."""

    ufrag: str
    password: str


@dataclass(eq=False, slots=True)
class Path:
    """A way to a client that passed a check.

    Attributes:
        key: what the packet loop knows the source by.
        destination: what ``outbox`` sends to.
        checked: monotonic time of the last authentic check.
    """

    key: Any
    destination: Any
    outbox: Outbox
    host: str
    port: int
    checked: float


class IceAgent:
    """One client's ICE state.

    Attributes:
        selected: where to send; the newest nominated path, before any nomination the first that was checked.
    """

    def __init__(self, now: float, remote_ufrag: str, text: Callable[[int], str] = ice_text) -> None:
        self._text = text
        self._previous: Credentials | None = None
        self._restarted = now
        self._allowance = _CHECK_BURST
        self._allowed_at = now
        self._nominated = False
        self._nomination = -1
        self.remote_ufrag = remote_ufrag
        self.local = self._fresh()
        self.paths: dict[Any, Path] = {}
        self.selected: Path | None = None

    def _fresh(self) -> Credentials:
        return Credentials(self._text(16), self._text(24))

    @property
    def ufrags(self) -> list[str]:
        """The local fragments to be known by."""
        return [self.local.ufrag] + ([self._previous.ufrag] if self._previous else [])

    def restart(self, now: float, remote_ufrag: str) -> None:
        """New credentials (RFC 8445, 9). The old ones are valid 10 s more, so that media goes on meanwhile."""
        self._previous, self.local = self.local, self._fresh()
        self._restarted = now
        self._nominated = False
        self._nomination = -1
        self.remote_ufrag = remote_ufrag

    def password(self, ufrag: str) -> str | None:
        """The password that a check for ``ufrag`` has to be signed with."""
        for credentials in (self.local, self._previous):
            if credentials is not None and credentials.ufrag == ufrag:
                return credentials.password
        return None

    def admit_check(self, now: float) -> bool:
        """Whether one more check may be looked at: verifying costs an HMAC each."""
        self._allowance = min(_CHECK_BURST, self._allowance + (now - self._allowed_at) * _CHECKS_PER_SECOND)
        self._allowed_at = now
        if self._allowance < 1:
            return False
        self._allowance -= 1
        return True

    def checked(self, path: Path, ufrag: str, now: float, nominated: bool, nomination: int | None) -> bool:
        """Note an authentic check. Returns False if there are too many paths already."""
        known = self.paths.get(path.key)
        if known is not None:
            known.checked = now
            path = known
        elif len(self.paths) >= _MAX_PATHS and not self._forget_oldest():
            return False
        else:
            self.paths[path.key] = path
        if self.selected is None or (
            nominated and ufrag == self.local.ufrag and self._may_select(path, now, nomination)
        ):
            self.selected = path
        if nominated and ufrag == self.local.ufrag:
            self._nominated = True
        return True

    def _may_select(self, path: Path, now: float, nomination: int | None) -> bool:
        if nomination is not None:
            if nomination < self._nomination:
                return False
            self._nomination = nomination
        settling = now - self._restarted < _SETTLING_SECONDS
        current = self.selected
        # Aggressive nomination (Firefox) nominates all pairs at first; TCP must not win by being last.
        if settling and self._nominated and path.outbox.transport == "tcp":
            return current is None or current.outbox.transport == "tcp"
        return True

    def _forget_oldest(self) -> bool:
        others = [path for path in self.paths.values() if path is not self.selected]
        if not others:
            return False
        del self.paths[min(others, key=lambda path: path.checked).key]
        return True

    def expire(self, now: float) -> None:
        """Forget old credentials and paths that were not checked for 30 s."""
        if self._previous is not None and now - self._restarted > _OLD_CREDENTIALS_SECONDS:
            self._previous = None
        for path in [p for p in self.paths.values() if p is not self.selected and now - p.checked > _PATH_SECONDS]:
            del self.paths[path.key]

    def forget(self, key: Any) -> None:
        """A path is gone (a TCP connection closed)."""
        path = self.paths.pop(key, None)
        if path is not None and path is self.selected:
            self.selected = max(self.paths.values(), key=lambda other: other.checked, default=None)
