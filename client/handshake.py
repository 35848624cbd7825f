"""One key handshake, one epoch (docs/protocol.md, Handshake). No I/O: messages in, messages out."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec

from client import e2ee
from client.tally import Chain


class TamperingError(Exception):
    """Somebody did not keep to the handshake; nothing may be sent under it."""


class OutdatedError(Exception):
    """Another member offers another version of the encryption; nothing may be revealed to it."""


@dataclass(frozen=True)
class Message:
    """``kind``: commit, reveal or wrap; the fields that it has are set."""

    kind: str
    commitment: bytes = b""
    version: int = e2ee.NUMBER
    key: bytes = b""
    nonce: bytes = b""
    last: tuple[bytes, ...] = ()
    withheld: int = 0
    to: str = ""
    wrapped: bytes = b""


class Handshake:
    """Begin with `start`, then hand in what comes with `receive`; both return what is to be sent, in order.

    Args:
        members: (participant, role) of all, oneself included, in any order; who they are was checked before.
        random: as os.urandom.
        chain: what was agreed on before; what is agreed on now goes into it.
        withheld: our count.
        codes: as in `e2ee.verification_code`.

    Attributes:
        secret: our own new secret, to be used once `complete` is true and all wraps were acknowledged.
        secrets: participant → its secret, as they come.
        code: the six digits as soon as all reveals are there; shown when it is complete.
        transcript: what was agreed on, then. withheld: the highest count of anybody, then.
    """

    def __init__(
        self,
        appointment: str,
        epoch: int,
        members: Sequence[tuple[str, str]],
        me: str,
        random: Callable[[int], bytes],
        private: ec.EllipticCurvePrivateKey | None = None,
        *,
        chain: Chain | None = None,
        withheld: int = 0,
        codes: int = 1_000_000,
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
        self.transcript = b""
        self.withheld = withheld
        self.wrapped = False
        self._appointment = appointment
        self._random = random
        self._chain = chain or Chain()
        self._codes = codes
        self._private = private or ec.generate_private_key(ec.SECP256R1())
        last = tuple(map(self._chain.last, self._but(me)))
        own = e2ee.Member(me, dict(members)[me], e2ee.public_key(self._private), random(32), last, withheld)
        self._entries = {me: own}
        self._received: dict[tuple[str, str], Message] = {}
        self._revealed = False

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
            TamperingError: a reveal that breaks its commitment or the chain, our own key, a second version of a
                message, a bad wrap.
            OutdatedError: another version of the encryption.
        """
        if sender not in self.others:
            return []
        if message.kind == "commit" and message.version != e2ee.NUMBER:
            raise OutdatedError(
                f"the other side has version {message.version} of the encryption, this one has {e2ee.NUMBER}: "
                "its page or app, or this one, is out of date"
            )
        known = self._received.setdefault((message.kind, sender), message)
        if known != message:
            raise TamperingError(f"a second {message.kind}")
        return list(self._advance())

    def _but(self, one: str) -> list[str]:
        return [member for member, _ in self.members if member != one]

    def _advance(self) -> Iterator[Message]:
        if not self._revealed and self._all("commit"):
            self._revealed = True
            own = self._entries[self.me]
            yield Message("reveal", key=own.key, nonce=own.nonce, last=own.last, withheld=own.withheld)
        if self._revealed and not self.wrapped and self._all("reveal"):
            self._agree()
            self.wrapped = True
            for other in sorted(self.others):
                yield Message("wrap", to=other, wrapped=self._wrap(other))
        if self.wrapped:
            self._unwrap()

    def _all(self, kind: str) -> bool:
        return all((kind, other) in self._received for other in self.others)

    def _agree(self) -> None:
        for participant, role in self.members:
            if participant == self.me:
                continue
            reveal = self._received["reveal", participant]
            member = e2ee.Member(participant, role, reveal.key, reveal.nonce, reveal.last, reveal.withheld)
            if member.key == self._entries[self.me].key:
                raise TamperingError("our own key came back")
            promised = self._received["commit", participant].commitment
            if e2ee.commitment(self._appointment, self.epoch, member) != promised:
                raise TamperingError("a key is not the one that was committed to")
            others = self._but(participant)
            if len(member.last) != len(others):
                raise TamperingError("what was completed before is not said of every member")
            if not self._chain.holds(participant, member.last[others.index(self.me)]):
                raise TamperingError("a handshake came before that was not ours")
            self._entries[participant] = member
        self.transcript = e2ee.transcript(self._appointment, self.epoch, self._entries.values())
        self._chain.agree(self.transcript, self.others)
        self.code = e2ee.verification_code(self.transcript, self._codes)
        self.withheld = max(member.withheld for member in self._entries.values())

    def _wrap(self, other: str) -> bytes:
        peer, iv = self._entries[other].key, self._random(12)
        try:
            return e2ee.wrap(self._private, peer, self.transcript, self.me, other, self.secret, iv)
        except ValueError as error:
            raise TamperingError("a key is no point of the curve") from error

    def _unwrap(self) -> None:
        for other in self.others - set(self.secrets):
            message = self._received.get(("wrap", other))
            if message is not None:
                peer = self._entries[other].key
                try:
                    secret = e2ee.unwrap(self._private, peer, self.transcript, other, self.me, message.wrapped)
                except e2ee.E2eeError as error:
                    raise TamperingError("a wrapped secret does not authenticate") from error
                self.secrets[other] = secret
