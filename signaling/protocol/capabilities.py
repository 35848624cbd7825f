"""What client and server agree on when they connect, and what then travels beside the body of an event.

A capability is an addition that both sides have to know. A client names those it has in the CONNECT packet; whoever
names any, or none in an empty list, is sent ``welcome`` before anything else, which says which of them both have.
Names that the other side does not know mean nothing. A client that names nothing sees the protocol without additions.
"""

from typing import Annotated, Final

from pydantic import Field

from signaling.protocol.model import PROTOCOL_VERSION, Id, Message

OLDEST_VERSION: Final = 1

REPLAY: Final = "replay"
ONCE: Final = "once"

CAPABILITIES: Final = {
    REPLAY: "Server events of a room carry a number; what was missed while a socket was away is sent again.",
    ONCE: "A client event may carry an id; a repeat of it within two minutes is not carried out again.",
}

Capability = Annotated[str, Field(max_length=64)]
Sequence = Annotated[int, Field(ge=0, le=2**53 - 1)]


class Versions(Message):
    """The versions of the protocol that a server speaks, both included."""

    oldest: int
    newest: int


SUPPORTED: Final = Versions(oldest=OLDEST_VERSION, newest=PROTOCOL_VERSION)


class Welcome(Message):
    """The first event after a connection whose client named its capabilities."""

    version: int = Field(description="Spoken on this connection: the one that the client asked for.")
    supported: Versions
    capabilities: list[Capability] = Field(description="That client and server both have.")


class Numbered(Message):
    """Beside the body of a replayed event, where both sides have ``replay``."""

    seq: Sequence


class Once(Message):
    """Beside the body of a client event. 16 random bytes, base64url, the same in each repeat."""

    id: Id


class Replay(Message):
    """Where the numbers go on: after ``arrive`` and ``admit``, and where some are gone.

    ``seq`` is the number before that of the next event; those that were missed follow. Numbers start from the clock and
    rise, by one but for those that nothing was sent under. ``complete`` is false when something after the number that
    the client had seen is no longer there: it was too long ago or too much.
    """

    seq: Sequence
    complete: bool
