"""Browsers that have signed in are known again by a cookie, so that strangers' tries do not slow them down.

**It is worth nothing alone**: it opens nothing and says nothing of whom it is, but with the address and the password of
the account it does not wait behind what others try. Up to four accounts share a browser, 90 days each.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Iterator
from datetime import datetime, timedelta
from secrets import token_bytes
from typing import Final

from aiohttp import web

from practice.mailboxes import canonical
from signaling.addresses import public_origin
from signaling.derived import derive
from signaling.settings import SignalingSettings

PLAIN: Final = "device"
SECURE: Final = "__Host-device"
LIFE: Final = timedelta(days=90)
ACCOUNTS: Final = 4
DAY_BYTES, RANDOM_BYTES, MAC_BYTES = 3, 9, 18
ENTRY_BYTES: Final = DAY_BYTES + RANDOM_BYTES + MAC_BYTES


class Devices:
    """An entry is the day it was made, random bytes, and a MAC over both and the account's address."""

    def __init__(self, settings: SignalingSettings, secret: bytes) -> None:
        self._secure = public_origin(settings).startswith("https://")
        self._key = derive(secret, "devices")

    @property
    def cookie(self) -> str:
        """Browsers refuse the prefix over plain http, which only loopback uses."""
        return SECURE if self._secure else PLAIN

    def known(self, request: web.Request, mail: str, now: datetime) -> bytes | None:
        """This browser's entry for the account, if it has one."""
        return next((entry for entry in self._entries(request, now) if self._is_of(entry, mail)), None)

    def remember(self, request: web.Request, response: web.StreamResponse, mail: str, now: datetime) -> None:
        """From now on this browser is known to the account."""
        others = [entry for entry in self._entries(request, now) if not self._is_of(entry, mail)]
        said = _day(now).to_bytes(DAY_BYTES) + token_bytes(RANDOM_BYTES)
        entries = [said + self._mac(said, mail), *others][:ACCOUNTS]
        response.set_cookie(
            self.cookie,
            ".".join(urlsafe_b64encode(entry).decode() for entry in entries),
            max_age=int(LIFE.total_seconds()),
            path="/",
            secure=self._secure,
            httponly=True,
            samesite="Strict",
        )

    def _entries(self, request: web.Request, now: datetime) -> Iterator[bytes]:
        """Those that are young enough, whoever made them."""
        for text in request.cookies.get(self.cookie, "").split(".")[:ACCOUNTS]:
            try:
                entry = urlsafe_b64decode(text)
            except (Error, ValueError):
                continue
            age = _day(now) - int.from_bytes(entry[:DAY_BYTES])
            if len(entry) == ENTRY_BYTES and 0 <= age < LIFE.days:
                yield entry

    def _is_of(self, entry: bytes, mail: str) -> bool:
        return hmac.compare_digest(entry[-MAC_BYTES:], self._mac(entry[:-MAC_BYTES], mail))

    def _mac(self, said: bytes, mail: str) -> bytes:
        return hmac.digest(self._key, said + canonical(mail).encode(), "sha256")[:MAC_BYTES]


def _day(now: datetime) -> int:
    """Since the Unix epoch."""
    return int(now.timestamp()) // 86_400
