"""STUN for an ICE-lite agent (RFC 8489, RFC 8445 section 7.3): binding requests in, responses out.

A thin layer over ``aioice.stun``. Finding out whose request it is costs no cryptography, so that a flood of
unknown fragments is cheap to drop; everything else of a request counts only once its integrity was verified.
"""

from dataclasses import dataclass
from struct import unpack_from

from aioice import stun as codec

from media.wire import WireError

_HEADER = codec.HEADER_LENGTH
_BINDING_REQUEST = 0x0001
_BINDING_INDICATION = 0x0011
_USERNAME = 0x0006
_MESSAGE_INTEGRITY = 0x0008
_NOMINATION = 0xC001
_MAX_SIZE = 1_280


@dataclass(frozen=True, slots=True)
class BindingRequest:
    """A request whose integrity was verified.

    Attributes:
        username: ``<our fragment>:<theirs>``.
        nominated: USE-CANDIDATE is set.
        nomination: value of the NOMINATION attribute (draft-thatcher-ice-renomination), a higher one wins.
    """

    transaction_id: bytes
    username: str
    nominated: bool
    nomination: int | None
    priority: int | None


def is_indication(data: bytes) -> bool:
    """Whether it is a binding indication; nothing in one is verified, for it carries no integrity (RFC 8445, 11)."""
    return _HEADER <= len(data) <= _MAX_SIZE and unpack_from("!HHI", data) == (
        _BINDING_INDICATION,
        len(data) - _HEADER,
        codec.COOKIE,
    )


def local_fragment(data: bytes) -> str:
    """Our user fragment in the USERNAME of a binding request; nothing is verified yet.

    Raises:
        WireError: not a binding request, no USERNAME, or no fragment in it.
    """
    if not _HEADER <= len(data) <= _MAX_SIZE or unpack_from("!H", data)[0] != _BINDING_REQUEST:
        raise WireError("not a STUN binding request")
    if unpack_from("!HI", data, 2) != (len(data) - _HEADER, codec.COOKIE):
        raise WireError("STUN length or cookie does not match")
    username = _attribute(data, _USERNAME)
    if username is None:
        raise WireError("STUN request without USERNAME")
    fragment, colon, _ = username.partition(b":")
    if not colon or not fragment.isascii():
        raise WireError("STUN USERNAME without our fragment")
    return fragment.decode("ascii")


def parse_request(data: bytes, password: str) -> BindingRequest:
    """Parse a binding request and verify FINGERPRINT, if any, and MESSAGE-INTEGRITY with our ``password``.

    Raises:
        WireError: malformed or not authentic.
    """
    local_fragment(data)
    try:
        message = codec.parse_message(data)
        authentic = message.check_message_integrity(password.encode())
    # The codec raises ValueError where it checks and struct.error or IndexError where it does not.
    except Exception as error:
        raise WireError("malformed STUN request") from error
    if not authentic:
        raise WireError("STUN request not authentic")
    nomination = _attribute(data, _NOMINATION)
    return BindingRequest(
        transaction_id=message.transaction_id,
        username=message.attributes["USERNAME"],
        nominated="USE-CANDIDATE" in message.attributes,
        nomination=int.from_bytes(nomination, "big") if nomination is not None and len(nomination) == 4 else None,
        priority=message.attributes.get("PRIORITY"),
    )


def binding_response(transaction_id: bytes, address: str, port: int, password: str) -> bytes:
    """A success response with XOR-MAPPED-ADDRESS, MESSAGE-INTEGRITY and FINGERPRINT."""
    response = codec.Message(codec.Method.BINDING, codec.Class.RESPONSE, transaction_id)
    response.attributes["XOR-MAPPED-ADDRESS"] = (address, port)
    response.add_message_integrity(password.encode())
    return bytes(response)


def _attribute(data: bytes, wanted: int) -> bytes | None:
    """The first such attribute among those that MESSAGE-INTEGRITY covers."""
    position, end = _HEADER, len(data)
    while position + 4 <= end:
        kind, size = unpack_from("!HH", data, position)
        position += 4
        if kind == wanted:
            return bytes(data[position : position + size]) if position + size <= end else None
        if kind == _MESSAGE_INTEGRITY:
            return None
        position += (size + 3) & ~3
    return None
