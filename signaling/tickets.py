"""Access tokens, resume tickets and refresh tokens: short JWTs, so that any node can read what any other node issued.

An access token opens one Socket.IO connection. A resume ticket says that a seat in a consult was held, and
whether its holder had been called in: it rebuilds a room that an emptied Redis lost. A refresh token opens nothing; it
gives the next access token. A pass opens nothing either: it says that a code was typed on this device. What reads the
rights pages of a link (``web.rights``) says first that a code was asked for by it, then that it was typed.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from math import floor
from secrets import token_urlsafe
from typing import Annotated, Any, Literal

from joserfc import jwt
from joserfc.errors import BadSignatureError, JoseError
from joserfc.jwk import OctKey
from pydantic import Field, ValidationError

from signaling.derived import derive
from signaling.protocol.errors import ProtocolError
from signaling.protocol.events import Role
from signaling.protocol.model import Id, Message

AUDIENCE = "spreekkamer"
ALGORITHM = "HS256"
MAX_LENGTH = 2048


Kind = Literal["access", "resume", "refresh", "pass", "asked", "rights"]


class Claims(Message):
    """What a ticket says.

    ``seat`` is ``practitioner``, ``patient`` or that of a guest; ``appointment`` is None in the practitioner's desk
    token; ``participant`` and ``admitted`` have a meaning in a resume ticket only; ``session`` is the reference of the
    session in a browser that it came from, ``family`` and ``generation`` are those of ``signaling.refresh``; ``number``
    is that of who came to an open hour; with ``asks`` consent may be needed, which is looked at again; ``link``, in
    what a device has that typed a code or asks for one and in a patient's refresh token, tells which link it came of
    (``signaling.link_codes``).
    ``opens``, in an access token of a patient, is when the waiting room does; it, ``expires`` and ``issued`` (0
    where an older release did) are in seconds since the Unix epoch.
    """

    kind: Kind
    role: Role
    practitioner: Id | None = None
    appointment: Id | None = None
    seat: Id
    participant: Id | None = None
    admitted: bool = False
    session: Id | None = None
    family: Id | None = None
    generation: Annotated[int, Field(ge=1)] | None = None
    link: Id | None = None
    opens: Annotated[int, Field(ge=0)] | None = None
    number: Annotated[int, Field(ge=1)] | None = None
    asks: bool | None = None
    expires: Annotated[int, Field(ge=0)]
    issued: Annotated[float, Field(ge=0)] = 0

    @property
    def opens_at(self) -> datetime | None:
        """When the waiting room opens to the holder."""
        return None if self.opens is None else datetime.fromtimestamp(self.opens, UTC)


def place_of(appointment: str, seat: str) -> str:
    """The name of a seat among those of all appointments."""
    return f"{appointment}:{seat}"


def practitioner_access(
    practitioner: str, family: str | None = None, session: str | None = None, expires: int = 0
) -> Claims:
    """For the desk and the consults that are opened from it. Whoever issues it says how long it lives."""
    return Claims(
        kind="access",
        role="practitioner",
        practitioner=practitioner,
        seat="practitioner",
        session=session,
        family=family,
        expires=expires,
    )


class Tickets:
    """Issues and verifies tickets with a key of the secret that all nodes share (at least 32 bytes)."""

    def __init__(self, secret: bytes, now: Callable[[], datetime]) -> None:
        self._key = OctKey.import_key(derive(secret, "tickets"))
        # 0.1.0 signed with the secret itself; whoever is in a consult during the update holds such a ticket.
        self._former = OctKey.import_key(secret)
        self._now = now

    def issue(self, claims: Claims) -> str:
        """A signed ticket that carries the claims, issued now (RFC 7519 4.1.6)."""
        body = claims.model_dump(exclude={"expires", "issued"}, exclude_none=True)
        header = {"alg": ALGORITHM, "typ": "JWT"}
        issued = floor(self._now().timestamp() * 1000) / 1000
        about = {"aud": AUDIENCE, "exp": claims.expires, "iat": issued, "jti": token_urlsafe(16)}
        return jwt.encode(header, body | about, self._key)

    def verify(self, token: str, kinds: tuple[Kind, ...] = ("access", "resume")) -> Claims:
        """The claims of a genuine ticket of these kinds that has not expired; anything else is ``token_invalid``."""
        if len(token) > MAX_LENGTH:
            raise ProtocolError("token_invalid")
        try:
            body = self._opened(token)
            audience, body["expires"], _ = body.pop("aud"), body.pop("exp"), body.pop("jti")
            body["issued"] = body.pop("iat", 0)
            claims = Claims.model_validate(body)
        except (JoseError, ValidationError, ValueError, KeyError, TypeError) as error:
            raise ProtocolError("token_invalid") from error
        if audience != AUDIENCE or claims.kind not in kinds or claims.expires <= self._now().timestamp():
            raise ProtocolError("token_invalid")
        return claims

    def _opened(self, token: str) -> dict[str, Any]:
        try:
            return dict(jwt.decode(token, self._key, algorithms=[ALGORITHM]).claims)
        except BadSignatureError:
            return dict(jwt.decode(token, self._former, algorithms=[ALGORITHM]).claims)

    def expires_in(self, seconds: int) -> int:
        """The moment ``seconds`` from now, as ``Claims.expires`` wants it."""
        return int(self._now().timestamp()) + seconds
