"""Time-limited TURN credentials (draft-uberti-behave-turn-rest-00, as coturn's ``use-auth-secret`` reads them)."""

import hmac
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_urlsafe

from turn.settings import TurnSettings


@dataclass(frozen=True)
class Credential:
    """What a browser puts in one RTCIceServer. ``expires`` is in seconds since the Unix epoch."""

    urls: tuple[str, ...]
    username: str
    password: str
    expires: int


class TurnCredentials:
    """Makes credentials that any node can make and coturn can check without asking."""

    def __init__(self, settings: TurnSettings, now: Callable[[], datetime]) -> None:
        self._settings = settings
        self._now = now

    @property
    def server(self) -> tuple[str, int] | None:
        """Address and plain port of TURN, None where there is none."""
        if self._settings.address is None or not self._settings.secrets:
            return None
        return str(self._settings.address), self._settings.port

    @property
    def renew_after(self) -> timedelta:
        """Whoever has had a credential for so long should get another, good for when a path has to be found anew."""
        return timedelta(seconds=self._settings.lifetime / 2)

    def issue(self, holder: str | None = None) -> Credential | None:
        """A credential, or None where there is no TURN.

        coturn counts allocations by the part of the user name behind the colon, so ``holder`` (an id of a seat, say)
        keeps its quota however many credentials it asks for; coturn sees a pseudonym. Without: a name of its own.
        """
        settings = self._settings
        if settings.address is None or not settings.secrets:
            return None
        expires = int(self._now().timestamp()) + settings.lifetime
        secret = settings.secrets[0].get_secret_value()
        username = f"{expires}:{pseudonym(secret, holder) if holder else token_urlsafe(9)}"
        return Credential(
            urls=turn_urls(settings),
            username=username,
            password=password(secret, username),
            expires=expires,
        )


def password(secret: str, username: str) -> str:
    """base64(HMAC-SHA1(secret, username)): SHA-1 is what the draft and coturn define."""
    return b64encode(hmac.digest(secret.encode(), username.encode(), "sha1")).decode()


def pseudonym(secret: str, holder: str) -> str:
    """A short name that tells nothing to who has not the secret."""
    return hmac.digest(secret.encode(), b"holder|" + holder.encode(), "sha256").hex()[:16]


def turn_urls(settings: TurnSettings) -> tuple[str, ...]:
    """The ways to coturn, in the order in which a browser should get them: UDP, TCP, TLS (RFC 7065)."""
    plain = f"{settings.address}:{settings.port}"
    urls = [f"turn:{plain}?transport=udp", f"turn:{plain}?transport=tcp"]
    if settings.tls_name:
        urls.append(f"turns:{settings.tls_name}:{settings.tls_port}?transport=tcp")
    return tuple(urls)
