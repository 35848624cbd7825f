"""A push message without content (RFC 8030) to one browser, signed by VAPID (RFC 8292), and what came of it.

**Nothing is in it**, so nothing is encrypted (RFC 8291), and a push service learns no more than that this server called
that browser. What a service says in words is read by nobody.
"""

from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from joserfc import jwt
from joserfc.jwk import ECKey

from practice.https import Asking, Garbled, Target, Untrusted, target
from practice.outgoing import Door, Forbidden, Unanswered
from practice.settings import HTTPS, PushSettings
from vault.clock import Now

Outcome = Literal["taken", "gone", "later", "refused"]

ORDER: Final = 0xFFFFFFFF_00000000_FFFFFFFF_FFFFFFFF_BCE6FAAD_A7179E84_F3B9CAC2_FC632551
"""Of the base point of P-256 (FIPS 186-5)."""

COORDINATE: Final = 32

LONGEST: Final = timedelta(hours=12)
"""A signature is good for 24 hours at most (RFC 8292 section 2); half of that leaves room for clocks."""

TOPIC: Final = "waiting"
"""A message that was not delivered is replaced by the next (RFC 8030 section 5.4)."""


@dataclass(frozen=True, slots=True)
class Sent:
    """``after``: seconds before which the service wants no other try, if it said so."""

    outcome: Outcome
    after: int | None = None


class Pusher:
    """``key`` is 32 random bytes, from which the pair of VAPID follows, so that all nodes have the same; ``contact`` is
    the address of this server, which a push service may look at.
    """

    def __init__(self, settings: PushSettings, door: Door, key: bytes, contact: str, now: Now) -> None:
        self._asking = Asking(door, settings.ca_file)
        self._door = door
        pair = private_key(key)
        self._signing = ECKey(pair, pair)
        numbers = pair.public_key().public_numbers()
        point = b"\x04" + numbers.x.to_bytes(COORDINATE) + numbers.y.to_bytes(COORDINATE)
        self.public_key = urlsafe_b64encode(point).rstrip(b"=").decode()
        """The application server key (RFC 8292 section 3.2): an uncompressed point, as base64url without padding."""
        self._contact = contact
        self._now = now

    def takes(self, endpoint: str) -> bool:
        """Whether an endpoint is a push service's that the operator listed."""
        try:
            where = target(endpoint)
        except ValueError:
            return False
        return self._door.lists("push", where.host) and (where.port == HTTPS or where.host in self._door.local)

    async def send(self, endpoint: str, seconds: int) -> Sent:
        """Ask the push service to wake that browser, within so many seconds."""
        where = target(endpoint)
        headers = {
            "Authorization": f"vapid t={self._token(where)}, k={self.public_key}",
            "TTL": str(seconds),
            "Topic": TOPIC,
            "Urgency": "high",
        }
        try:
            async with self._asking.line("push", where.host, where.port) as line:
                await line.ask(where.path, headers, b"")
                answer = await line.answer()
        except Forbidden:
            return Sent("refused")
        except (Unanswered, Untrusted, Garbled):
            return Sent("later")
        return Sent(_outcome(answer.status), answer.after)

    def _token(self, where: Target) -> str:
        port = "" if where.port == HTTPS else f":{where.port}"
        claims: dict[str, str | int] = {
            "aud": f"https://{where.host}{port}",
            "exp": int((self._now() + LONGEST).timestamp()),
        }
        if self._contact.startswith("https://"):
            claims["sub"] = self._contact
        return jwt.encode({"typ": "JWT", "alg": "ES256"}, claims, self._signing, algorithms=["ES256"])


def private_key(key: bytes) -> ec.EllipticCurvePrivateKey:
    """Of P-256, always the same for the same ``key``: by a number with 64 bits more than the order has (FIPS 186-5,
    A.2.1).
    """
    drawn = HKDFExpand(algorithm=SHA256(), length=COORDINATE + 8, info=b"vapid").derive(key)
    return ec.derive_private_key(int.from_bytes(drawn) % (ORDER - 1) + 1, ec.SECP256R1())


def _outcome(status: int) -> Outcome:
    """Of what RFC 8030 and the known services answer; where the signature is refused (401, 403) no other try helps."""
    if status // 100 == 2:
        return "taken"
    if status in (404, 410):
        return "gone"
    return "later" if status in (408, 425, 429) or status >= 500 else "refused"
