"""VP8 payload descriptors: the examples of RFC 7741, aiortc's builder, and any bytes."""

import pytest
from aiortc.codecs.vpx import VpxPayloadDescriptor
from hypothesis import given
from hypothesis import strategies as st

from media.wire import WireError
from media.wire.vp8 import header_size, is_keyframe, parse

KEY, DELTA = b"\x50\x01\x02", b"\x51\x01\x02"


def test_the_examples_of_the_rfc_are_read() -> None:
    """RFC 7741, 4.5: a key frame in one packet, in two, a delta frame, and a long picture id."""
    first = parse(bytes.fromhex("9080 11") + KEY)
    assert (first.size, first.start, first.partition, first.picture_id, first.picture_id_bits) == (3, True, 0, 0x11, 7)
    assert is_keyframe(bytes.fromhex("908011") + KEY)
    assert not is_keyframe(bytes.fromhex("808011") + KEY)
    assert is_keyframe(bytes.fromhex("10") + KEY)
    assert not is_keyframe(bytes.fromhex("908011") + DELTA)
    long = parse(bytes.fromhex("808092 34") + DELTA)
    assert (long.size, long.start, long.picture_id, long.picture_id_bits) == (4, False, 0x1234, 15)
    layered = parse(bytes.fromhex("b0f081a2 07 7f") + DELTA)
    assert (layered.size, layered.droppable, layered.picture_id, layered.tl0_picture_index) == (6, True, 0x1A2, 7)
    assert (layered.temporal_layer, layered.layer_sync, layered.key_index) == (1, True, 31)


@given(
    st.booleans(),
    st.integers(0, 7),
    st.none() | st.integers(0, 0x7FFF),
    st.none() | st.integers(0, 255),
    st.none() | st.tuples(st.integers(0, 3), st.integers(0, 1)),
    st.none() | st.integers(0, 31),
)
def test_what_aiortc_builds_is_read(
    start: bool,
    partition: int,
    picture_id: int | None,
    tl0: int | None,
    layer: tuple[int, int] | None,
    key_index: int | None,
) -> None:
    data = bytes(VpxPayloadDescriptor(int(start), partition, picture_id, tl0, layer, key_index))
    found = parse(data + KEY)
    assert found.size == len(data) == header_size(data + KEY)
    assert (found.start, found.partition, found.picture_id, found.tl0_picture_index) == (
        start,
        partition,
        picture_id,
        tl0,
    )
    assert found.temporal_layer == (layer[0] if layer else None)
    assert found.key_index == key_index
    assert is_keyframe(data + KEY) == (start and partition == 0)
    assert not is_keyframe(data + DELTA)
    assert header_size(b"??" + data + KEY, 2) == len(data)
    assert is_keyframe(memoryview(b"??" + data + KEY), 2) == (start and partition == 0)


@given(st.binary(max_size=12))
def test_any_payload_is_read_or_refused_and_both_readers_agree(payload: bytes) -> None:
    keyframe = is_keyframe(payload)
    try:
        found = parse(payload)
    except WireError:
        assert not keyframe
        return
    assert found.size == header_size(payload)
    assert keyframe == (found.start and found.partition == 0 and payload[found.size] & 1 == 0)


@pytest.mark.parametrize("payload", [b"", b"\x10", b"\x90", b"\x90\x80", b"\x90\x80\x81", b"\x90\x80\x81\x01"])
def test_a_descriptor_with_no_frame_behind_it_is_refused(payload: bytes) -> None:
    with pytest.raises(WireError):
        parse(payload)
    assert not is_keyframe(payload)
