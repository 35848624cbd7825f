"""Secrets that would be guessed refuse the start, each with one sentence."""

import re
from collections.abc import Iterator
from typing import Final, Protocol

from pydantic import SecretStr

from operate import process
from signaling.settings import SignalingSettings
from turn.settings import TurnSettings
from vault.errors import StartRefused
from vault.settings import VaultSettings

KEY_LENGTH: Final = 32
PASSWORD_LENGTH: Final = 16
FEWEST_CHARACTERS: Final = 8
LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
DEFAULTS: Final = re.compile(
    r"change.?me|secret|password|passwd|default|example|spreekkamer|postgres|valkey|redis|admin|insecure|test|qwerty|"
    r"0123456789(abcdef)?|1234567890?|abcdef(gh)?|[^a-z0-9]",
)


class Workers(Protocol):
    """What of the media settings is secret."""

    @property
    def secret(self) -> SecretStr | None: ...
    @property
    def redis_url(self) -> SecretStr | None: ...


class Guarded(Protocol):
    """The settings that hold secrets."""

    @property
    def rooms(self) -> VaultSettings: ...
    @property
    def signaling(self) -> SignalingSettings: ...
    @property
    def media(self) -> Workers: ...
    @property
    def turn(self) -> TurnSettings: ...


def weakness(secret: str, least: int) -> str | None:
    """What is wrong with a secret, as the end of a sentence; None when it may be used."""
    if len(secret) < least:
        return f"is too short; give it {least} random characters or more"
    if len(set(secret)) < FEWEST_CHARACTERS or len(DEFAULTS.sub("", secret.lower())) < least / 2:
        return "looks like a default; make a random one"
    return None


def refuse_weak(settings: Guarded) -> None:
    """``StartRefused`` for the first secret that is missing where several programs share it, short or a default.

    What an address is comes before what its password is: of another kind of database none would do.
    """
    if settings.rooms.database_url:
        settings.rooms.database()
    if settings.rooms.keystore_url:
        settings.rooms.keystore_address()
    for name, secret, least in _secrets(settings):
        if wrong := weakness(secret, least):
            raise StartRefused(f"{name} {wrong} (`spreekkamer setup` makes all secrets).")
    shared = (process.reveal(settings.rooms.keystore_url) or "sqlite:").lower().startswith("postgres")
    if shared and not settings.signaling.secret:
        raise StartRefused("signaling.secret is missing; nodes that share a key store need the same one.")
    if settings.turn.address and not settings.turn.secrets:
        raise StartRefused("turn.secrets is missing; without it nobody gets a TURN credential.")


def _secrets(settings: Guarded) -> Iterator[tuple[str, str, int]]:
    if settings.signaling.secret:
        yield "signaling.secret", settings.signaling.secret.get_secret_value(), KEY_LENGTH
    if settings.media.secret:
        yield "media.secret", settings.media.secret.get_secret_value(), KEY_LENGTH
    for secret in settings.turn.secrets:
        yield "turn.secrets", secret.get_secret_value(), KEY_LENGTH
    urls = {
        "signaling.redis_url": settings.signaling.redis_url,
        "media.redis_url": settings.media.redis_url,
        "rooms.database_url": settings.rooms.database_url,
        "rooms.keystore_url": settings.rooms.keystore_url,
    }
    for name, url in urls.items():
        password = _password(url)
        if password is not None:
            yield f"The password in {name}", password, PASSWORD_LENGTH


def _password(url: SecretStr | None) -> str | None:
    """The password of an address, "" when it has none and needs one: a socket or loopback may do without."""
    if url is None:
        return None
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        address = make_url(url.get_secret_value())
    except (ArgumentError, ValueError):
        return None  # what reads it says so
    if address.password:
        return str(address.password)
    local = not address.host or address.host in LOOPBACK
    return None if local or address.get_backend_name() in ("sqlite", "unix") else ""
