"""Errors as they appear on the wire.

ProtocolError: the client broke the protocol (a bug in the client, or an attack).
UserError: the client did nothing wrong, the person must know or decide something.
Everything else is internal: the wire gets the code ``internal`` and nothing more.

``to_wire`` is the only place where an exception becomes a wire error.
"""

import re
from collections.abc import Sequence
from typing import Final, Literal

from pydantic import Field, ValidationError

from signaling.protocol.capabilities import SUPPORTED, Versions
from signaling.protocol.model import Message
from signaling.protocol.refusals import LINE_REASONS, OFFER_REASONS

Doubt = Literal["past", "double", "citizen-nl", "citizen-be", "citizen-de", "citizen-fr", "medical", "mrz"]
FactorKind = Literal["totp", "recovery", "passkey"]
Category = Literal["protocol", "user", "internal"]

CATALOGUE: dict[str, tuple[Category, int, str]] = {
    # code: (category, HTTP status, sentence)
    "invalid": ("protocol", 400, "The message has a missing, wrong or unknown field."),
    "too_large": ("protocol", 413, "The message is larger than allowed."),
    "unknown_event": ("protocol", 400, "This event does not exist."),
    "unknown_route": ("protocol", 404, "This address does not exist."),
    "method_not_allowed": ("protocol", 405, "This address does not support that method."),
    "version_unsupported": ("protocol", 400, "This version of the protocol is not supported."),
    "unauthenticated": ("protocol", 401, "Sign in or open your link first."),
    "token_invalid": ("protocol", 401, "The ticket is invalid or has expired."),
    "token_reused": ("protocol", 401, "This refresh token was used before; sign in again."),
    "forbidden": ("protocol", 403, "This role may not do that."),
    "origin_refused": ("protocol", 403, "Requests from another site are refused."),
    "bad_state": ("protocol", 409, "That is not possible at this moment of the consult."),
    "sdp_invalid": ("protocol", 400, "The session description cannot be used."),
    "rate_limited": ("protocol", 429, "Too many requests; wait a moment."),
    "told_often": ("user", 429, "This patient was told of it often enough for a day."),
    "not_found": ("user", 404, "This does not exist, or no longer."),
    "link_invalid": ("user", 404, "This link does not work (any more)."),
    "code_needed": ("user", 403, "This link asks for a code that is sent to the patient."),
    "code_refused": ("user", 403, "The code is not right."),
    "code_spent": ("user", 410, "This code is not good any more; have another one sent."),
    "consent_needed": ("user", 403, "This link asks for consent first, which was not given, or to an older text."),
    "guardian_needed": ("user", 403, "A parent or guardian has to consent first, by a link of their own."),
    "sign_in_refused": ("user", 403, "The e-mail address or the password is not right."),
    "factor_needed": ("user", 403, "The password is right; a second factor is asked for, with the challenge."),
    "factor_refused": ("user", 403, "The code is not right, or was used before."),
    "factor_set_up_needed": ("user", 403, "This account has to set up a second factor first, in a browser."),
    "passkey_refused": ("user", 403, "This passkey is not known here, or not as it is now."),
    "passkey_address": ("user", 409, "Passkeys need a name: this server is reached by a bare IP address."),
    "challenge_invalid": ("user", 410, "This sign-in was finished before, or took too long; begin again."),
    "password_common": ("user", 422, "This password is among the most used ones, or names its owner."),
    "picture_unreadable": ("user", 422, "This file is no picture in PNG, JPEG or WebP that can be read."),
    "picture_pixels": ("user", 422, "This picture has too many pixels."),
    "picture_unmasked": ("user", 422, "Something in this picture of a paper is not covered by a black box."),
    "file_infected": ("user", 422, "The virus scanner found something in this file."),
    "scanner_missing": ("user", 503, "Files cannot be checked for viruses now, so none is taken."),
    "push_service": ("user", 422, "This browser's push service is none that the operator allows."),
    "seat_taken": ("user", 409, "This consult is open in another window."),
    "room_full": ("user", 409, "There is no free place in this consult."),
    "room_locked": ("user", 409, "This consult is locked: nobody new may come to its waiting room."),
    "guests_full": ("user", 409, "This appointment has as many guests as it can have."),
    "conflict": ("user", 409, "Somebody else changed this in the meantime."),
    "closing": ("user", 409, "This organisation is being closed; nothing of it changes any more."),
    "not_allowed": ("user", 403, "The organisation does not allow this."),
    "last_owner": ("user", 409, "An organisation has at least one owner who can sign in."),
    "too_early": ("user", 409, "The waiting room is not open yet."),
    "doubtful": ("user", 409, "This is unusual; ask whether it is meant, and say so with anyway."),
    "ended": ("user", 410, "This consult has ended."),
    "gone": ("user", 410, "This was destroyed."),
    "unreadable": ("user", 409, "This is there, but damaged, or of a newer version: it cannot be read."),
    "locked": ("user", 503, "The key store is locked; an operator must look at it."),
    "server_full": ("user", 503, "No media worker takes a new consult now; those that run go on."),
    "try_again": ("user", 503, "This does not work right now; try again in a moment."),
    "internal": ("internal", 500, "Something went wrong on the server."),
}


RETRY_AFTER = {"rate_limited": 1, "try_again": 2, "server_full": 30}
"""Seconds, where nothing better is known."""


FIELD: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
DEEPEST: Final = 4
"""Names in a path to a field; a client's own inventions are not repeated at length."""


def absent(value: object) -> bool:
    """Whether a field is left out."""
    return value is None


class Current(Message):
    """What an appointment holds that somebody else corrected in the meantime."""

    version: int
    patient: str
    starts_at: str
    minutes: int
    language: str


class Taken(Message):
    """A time at which there is an appointment, by its beginning with an offset."""

    starts_at: str
    minutes: int


class WireError(Message):
    """What a client receives: a stable code, who can mend it, and a sentence in English."""

    code: str
    category: Category
    message: str
    retry_after: int | None = Field(
        default=None, ge=1, exclude_if=absent, description="Seconds after which it may be tried again."
    )
    field: str | None = Field(
        default=None,
        exclude_if=absent,
        description="With ``invalid``: the field or parameter that is wrong, as ``starts_at`` or ``lines.0.mid``.",
    )
    reason: str | None = Field(
        default=None,
        exclude_if=absent,
        description="With ``sdp_invalid``: why; ``message`` is its sentence. With ``invalid`` of a ``phone``: it is no "
        "``number``, of another ``country``, of a ``paid`` service, or not ``mobile``; or there is no ``provider``.",
    )
    doubts: list[Doubt] | None = Field(
        default=None,
        exclude_if=absent,
        description="With ``doubtful``: nobody can come to it any more (``past``), it overlaps another (``double``), a "
        "text seems to hold a citizen number (``citizen-…``) or words of somebody's illness (``medical``).",
    )
    taken: list[Taken] | None = Field(
        default=None, exclude_if=absent, description="With ``double``: the times that are taken, the first five."
    )
    current: Current | None = Field(
        default=None, exclude_if=absent, description="With ``conflict`` of an appointment: what it is now."
    )
    challenge: str | None = Field(
        default=None,
        exclude_if=absent,
        description="With ``factor_needed``: what to send with the code, within five minutes. With "
        "``factor_set_up_needed`` in a browser: what ``/sign-in/set-up`` takes.",
    )
    factors: list[FactorKind] | None = Field(
        default=None,
        exclude_if=absent,
        description="With ``factor_needed``: what is taken. A code of an app has six digits.",
    )
    supported: Versions | None = Field(
        default=None, exclude_if=absent, description="With ``version_unsupported``: what the server speaks."
    )


class SpreekkamerError(Exception):
    """An error with a stable code from the catalogue; ``retry_after`` in seconds and ``field``, where known."""

    def __init__(self, code: str, *, retry_after: int | None = None, field: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.retry_after = retry_after
        self.field = field


class ProtocolError(SpreekkamerError):
    """The client broke the protocol."""


class OfferError(ProtocolError):
    """A description that cannot be used, for one of the fixed reasons."""

    def __init__(self, reason: str) -> None:
        super().__init__("sdp_invalid")
        self.reason = reason


class UserError(SpreekkamerError):
    """The person must know or decide something."""


class Doubtful(UserError):  # noqa: N818 -- a question, not a mistake
    """What was asked for is possible and seldom meant."""

    def __init__(self, doubts: list[Doubt], taken: Sequence[Taken] = ()) -> None:
        super().__init__("doubtful")
        self.doubts = doubts
        self.taken = taken


class Conflict(UserError):  # noqa: N818 -- a state, not a mistake
    """Somebody else was quicker. ``current`` is what stands there now."""

    def __init__(self, current: Current) -> None:
        super().__init__("conflict")
        self.current = current


class FactorNeeded(UserError):  # noqa: N818 -- a state, not a mistake
    """A password was right and is not enough. ``challenge`` is for the next step."""

    def __init__(self, code: str, challenge: str | None, factors: list[FactorKind] | None = None) -> None:
        super().__init__(code)
        self.challenge = challenge
        self.factors = factors


def wrong_field(error: ValidationError) -> str | None:
    """The first field that a model does not accept, as ``lines.0.mid``; None where the whole body is wrong."""
    path = error.errors(include_url=False, include_input=False, include_context=False)[0]["loc"][:DEEPEST]
    named = all(isinstance(part, int) or FIELD.fullmatch(part) for part in path)
    return ".".join(map(str, path)) if path and named else None


def to_wire(error: BaseException) -> WireError:
    """Map any exception to its wire form; what is not known is ``internal``."""
    code, field = getattr(error, "code", None), getattr(error, "field", None)
    if isinstance(error, ValidationError):
        code, field = "invalid", wrong_field(error)
    if not isinstance(code, str) or code not in CATALOGUE:
        code = "internal"
    category, _, message = CATALOGUE[code]
    reason = getattr(error, "reason", None) if code == "sdp_invalid" or (code, field) == ("invalid", "phone") else None
    return WireError(
        code=code,
        category=category,
        message=(OFFER_REASONS | LINE_REASONS).get(reason, message) if reason else message,
        reason=reason,
        retry_after=getattr(error, "retry_after", None) or RETRY_AFTER.get(code),
        field=field if code == "invalid" else None,
        challenge=error.challenge if isinstance(error, FactorNeeded) else None,
        factors=error.factors if isinstance(error, FactorNeeded) else None,
        doubts=error.doubts if isinstance(error, Doubtful) else None,
        taken=(list(error.taken) or None) if isinstance(error, Doubtful) else None,
        current=error.current if isinstance(error, Conflict) else None,
        supported=SUPPORTED if code == "version_unsupported" else None,
    )


def http_status(error: WireError) -> int:
    """The HTTP status that belongs to a wire error."""
    return CATALOGUE[error.code][1]
