"""The key handshake between those who are in a consult (`docs/protocol.md`, *Handshake*): passed on, never read."""

from typing import Annotated

from pydantic import Field

from signaling.protocol.model import Id, Message

Epoch = Annotated[int, Field(ge=1, le=2**31)]
Digest = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{43}$", description="32 bytes, base64url.")]
PublicKey = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{87}$", description="P-256 point, 65 bytes, base64url.")]
Transcript = Annotated[str, Field(pattern=r"^([A-Za-z0-9_-]{43})?$", description="32 bytes, base64url, or empty.")]
Wrapped = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{80}$", description="60 bytes, base64url.")]


class KeyCommit(Message):
    """A client refuses another version than its own in words; the server passes on what is offered."""

    epoch: Epoch
    version: int = Field(default=1, ge=1, le=255, description="Of the end-to-end encryption.")
    commitment: Digest


class KeyReveal(Message):
    epoch: Epoch
    key: PublicKey
    nonce: Digest
    last: list[Transcript] = Field(
        default=[], max_length=31, description="Of the last handshake completed with each other member, in their order."
    )
    withheld: int = Field(
        default=0, ge=0, le=2**31, description="How many handshakes this page revealed its key to in vain."
    )


class KeyWrap(Message):
    epoch: Epoch
    to: Id
    wrapped: Wrapped


class KeyRestart(Message):
    """This handshake cannot be finished (a message was lost); the server starts the next epoch."""

    epoch: Epoch


class KeyCommitted(KeyCommit):
    sender: Id


class KeyRevealed(KeyReveal):
    sender: Id


class KeyWrapped(Message):
    epoch: Epoch
    sender: Id
    wrapped: Wrapped
