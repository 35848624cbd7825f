"""One key handshake, one epoch (docs/protocol.md, Handshake). No I/O: messages in, messages out."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec

from signaling.client import e2ee


class TamperingError(Exception):
    """Somebody did not keep to the handshake; nothing may be sent under it."""


@dataclass(frozen=True)
class Message:
    """``kind``: commit, reveal or wrap; the fields that it has are set."""

    kind: str
    commitment: bytes = b""
    key: bytes = b""
    nonce: bytes = b""
    to: str = ""
    wrapped: bytes = b""


class Handshake:
    """Begin with `start`, then hand in what comes with `receive`; both return what is to be sent, in order.

    Args:
        members: (participant, role) of all, oneself included, in any order.
        random: as os.urandom.

    Attributes:
        secret: our own new secret, to be used once `wrapped` is true and those messages were acknowledged.
        secrets: participant → its secret, as they come.
        code: the six digits as soon as all reveals are there.
    """

    def __init__(
        self,
        appointment: str,
        epoch: int,
        members: Sequence[tuple[str, str]],
        me: str,
        random: Callable[[int], bytes],
        private: ec.EllipticCurvePrivateKey | None = None,
    ) -> None:
        self.epoch = epoch
        self.members = sorted(members, key=lambda member: member[0].encode())
        self.me = me
        self.others = {participant for participant, _ in members} - {me}
        if len(self.others) != len(members) - 1:
            raise TamperingError("the member list cannot be true")
        self.secret = random(32)
        self.secrets: dict[str, bytes] = {}
        self.code: str | None = None
        self.wrapped = False
        self._appointment = appointment
        self._random = random
        self._private = private or ec.generate_private_key(ec.SECP256R1())
        own = e2ee.Member(me, dict(members)[me], e2ee.public_key(self._private), random(32))
        self._entries = {me: own}
        self._received: dict[tuple[str, str], Message] = {}
        self._revealed = False
        self._agreed = b""

    @property
    def complete(self) -> bool:
        return self.wrapped and set(self.secrets) == self.others

    def index(self, participant: str) -> int:
        """The place in the ordered member list that key ids carry."""
        return [member for member, _ in self.members].index(participant)

    def start(self) -> list[Message]:
        digest = e2ee.commitment(self._appointment, self.epoch, self._entries[self.me])
        return [Message("commit", commitment=digest), *self._advance()]

    def receive(self, sender: str, message: Message) -> list[Message]:
        """Take a message of this epoch.

        Raises:
            TamperingError: a reveal that breaks its commitment, our own key, a second version, a bad wrap.
        """
        if sender not in self.others:
            return []
        known = self._received.setdefault((message.kind, sender), message)
        if known != message:
            raise TamperingError(f"a second {message.kind}")
        return list(self._advance())

    def _advance(self) -> Iterator[Message]:
        if not self._revealed and self._all("commit"):
            self._revealed = True
            own = self._entries[self.me]
            yield Message("reveal", key=own.key, nonce=own.nonce)
        if self._revealed and not self.wrapped and self._all("reveal"):
            self._agree()
            self.wrapped = True
            for other in sorted(self.others):
                peer, iv = self._entries[other].key, self._random(12)
                sealed = e2ee.wrap(self._private, peer, self._agreed, self.me, other, self.secret, iv)
                yield Message("wrap", to=other, wrapped=sealed)
        if self.wrapped:
            self._unwrap()

    def _all(self, kind: str) -> bool:
        return all((kind, other) in self._received for other in self.others)

    def _agree(self) -> None:
        for participant, role in self.members:
            if participant == self.me:
                continue
            reveal = self._received["reveal", participant]
            member = e2ee.Member(participant, role, reveal.key, reveal.nonce)
            if member.key == self._entries[self.me].key:
                raise TamperingError("our own key came back")
            promised = self._received["commit", participant].commitment
            if e2ee.commitment(self._appointment, self.epoch, member) != promised:
                raise TamperingError("a key is not the one that was committed to")
            self._entries[participant] = member
        self._agreed = e2ee.transcript(self._appointment, self.epoch, self._entries.values())
        self.code = e2ee.verification_code(self._agreed)

    def _unwrap(self) -> None:
        for other in self.others - set(self.secrets):
            message = self._received.get(("wrap", other))
            if message is not None:
                peer = self._entries[other].key
                try:
                    secret = e2ee.unwrap(self._private, peer, self._agreed, other, self.me, message.wrapped)
                except e2ee.E2eeError as error:
                    raise TamperingError("a wrapped secret does not authenticate") from error
                self.secrets[other] = secret
