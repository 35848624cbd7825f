"""What a person types: six digits of an app (RFC 6238), or one of ten recovery codes."""

import hmac
import secrets
from base64 import b32encode
from datetime import datetime
from typing import Final

import pyotp

STEP_SECONDS: Final = 30
WINDOW: Final = (-1, 0, 1)
"""Steps that are good beside the present one: clocks are wrong, and people type slowly (RFC 6238 5.2)."""

SECRET_BYTES: Final = 20
DIGITS: Final = 6
HOW_MANY: Final = 10
LENGTH: Final = 10
ALPHABET: Final = "23456789abcdefghjkmnpqrstuvwxyz"
"""No two that look alike. Ten of these are 49 bits: who may try a handful in a quarter of an hour finds none."""

LONGEST: Final = 64
"""Characters that anybody types for a code, with spaces."""

ISSUER: Final = "Spreekkamer"


def as_secret(random: bytes) -> str:
    """160 bits (RFC 4226 4, R6), in base32 as apps take it."""
    return b32encode(random[:SECRET_BYTES]).decode()


def address(secret: str, account: str) -> str:
    """What a QR code says to the app: ``otpauth://totp/…``."""
    return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=ISSUER)


def accepted(secret: str, code: str, now: datetime, after: int) -> int | None:
    """The time step whose code this is, if it is in the window and later than ``after``: each is good once."""
    present, generator, found = int(now.timestamp()) // STEP_SECONDS, pyotp.HOTP(secret), None
    for step in (present + beside for beside in WINDOW):
        right = hmac.compare_digest(generator.at(step).encode(), code.encode())
        if right and step > after:
            found = step
    return found


def new_codes() -> tuple[str, ...]:
    """Ten, to be shown once."""
    return tuple("".join(secrets.choice(ALPHABET) for _ in range(LENGTH)) for _ in range(HOW_MANY))


def shown(code: str) -> str:
    """A recovery code in two halves, as people copy it."""
    return f"{code[: LENGTH // 2]}-{code[LENGTH // 2 :]}"


def plain(typed: str) -> str:
    """A code without what people put into it: spaces, hyphens, capitals."""
    return "".join(one for one in typed[:LONGEST].casefold() if one.isascii() and one.isalnum())


def is_totp(code: str) -> bool:
    """Whether it is of an app; anything else may be a recovery code."""
    return len(code) == DIGITS and code.isdigit()
