"""STUN binding requests and responses: the vectors of RFC 5769, aioice's messages, and any bytes."""

import pytest
from aioice import stun as codec
from hypothesis import given
from hypothesis import strategies as st

from media.wire import WireError
from media.wire.stun import binding_response, local_fragment, parse_request

# RFC 5769, 2.1: sample request
VECTOR = bytes.fromhex(
    "00010058 2112a442 b7e7a701 bc34d686 fa87dfae 80220010 5354554e 20746573 7420636c 69656e74 00240004 6e0001ff"
    "80290008 932ff9b1 51263b36 00060009 6576746a 3a683676 59202020 00080014 9aeaa70c bfd8cb56 781ef2b5 b2d3f249"
    "c1b571a2 80280004 e57a3bcf"
)
PASSWORD = "VOkJxbRl1RmTxUk/WvJxBt"


def request(
    attributes: dict[str, object] | None = None, *, password: str = PASSWORD, username: str = "ours:theirs"
) -> bytes:
    told = {"USERNAME": username, **(attributes or {})}
    message = codec.Message(codec.Method.BINDING, codec.Class.REQUEST, attributes=told)
    message.add_message_integrity(password.encode())
    return bytes(message)


def test_the_sample_request_of_the_rfc_is_authentic() -> None:
    assert local_fragment(VECTOR) == "evtj"
    found = parse_request(VECTOR, PASSWORD)
    assert (found.username, found.priority, found.nominated, found.nomination) == ("evtj:h6vY", 0x6E0001FF, False, None)
    assert found.transaction_id == bytes.fromhex("b7e7a701bc34d686fa87dfae")


def test_nominations_are_read() -> None:
    assert parse_request(request({"USE-CANDIDATE": None}), PASSWORD).nominated
    message = codec.Message(codec.Method.BINDING, codec.Class.REQUEST, attributes={"USERNAME": "ours:theirs"})
    plain = bytes(message)
    extended = codec.set_body_length(plain + bytes.fromhex("c001000400000007"), len(plain) - 20 + 8)
    signed = extended + bytes.fromhex("00080014") + codec.message_integrity(extended, PASSWORD.encode())
    signed = codec.set_body_length(signed, len(signed) - 20)
    assert parse_request(signed, PASSWORD).nomination == 7
    behind = codec.set_body_length(signed + bytes.fromhex("c001000400000009"), len(signed) - 20 + 8)
    assert parse_request(behind, PASSWORD).nomination == 7


def test_what_is_not_authentic_is_refused() -> None:
    unsigned = bytes(codec.Message(codec.Method.BINDING, codec.Class.REQUEST, attributes={"USERNAME": "ours:theirs"}))
    for data in (request(password="other" * 5), unsigned):
        assert local_fragment(data) == "ours"
        with pytest.raises(WireError):
            parse_request(data, PASSWORD)


def test_what_is_not_a_binding_request_for_us_is_refused() -> None:
    response = binding_response(b"x" * 12, "192.0.2.1", 1234, PASSWORD)
    for data in (
        response,
        b"",
        VECTOR[:-1],
        VECTOR + b"\0" * 4,
        request(username="nocolon"),
        request()[:20],
        bytes(2000),
    ):
        with pytest.raises(WireError):
            local_fragment(data)
        with pytest.raises(WireError):
            parse_request(data, PASSWORD)


@pytest.mark.parametrize(("address", "port"), [("192.0.2.1", 32853), ("2001:db8:1234:5678:11:2233:4455:6677", 32853)])
def test_a_client_accepts_the_response(address: str, port: int) -> None:
    found = parse_request(VECTOR, PASSWORD)
    message = codec.parse_message(binding_response(found.transaction_id, address, port, PASSWORD))
    assert message.message_class is codec.Class.RESPONSE
    assert message.transaction_id == found.transaction_id
    assert message.attributes["XOR-MAPPED-ADDRESS"] == (address, port)
    assert message.check_message_integrity(PASSWORD.encode())


@given(st.data())
def test_a_changed_request_is_never_authentic_and_never_harmful(data: st.DataObject) -> None:
    changed = bytearray(request({"USE-CANDIDATE": None, "PRIORITY": 1}))
    at = data.draw(st.integers(0, len(changed) - 9))
    changed[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(WireError):
        parse_request(bytes(changed), PASSWORD)


@given(st.binary(max_size=120), st.booleans())
def test_any_bytes_are_refused(data: bytes, dressed: bool) -> None:
    if dressed:
        data = b"\0\1" + len(data).to_bytes(2, "big") + bytes.fromhex("2112a442") + bytes(12) + data
    with pytest.raises(WireError):
        parse_request(data, PASSWORD)
