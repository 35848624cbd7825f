"""The trailer of encrypted frames."""

import random

import pytest

from media.wire.trailer import has_trailer


@pytest.mark.parametrize(
    "tail", ["00 0000 53 4b", "0000010005 534b", "01020304 ff 30 534b", "01 0102030405060708 07 534b"]
)
def test_an_encrypted_frame_is_recognised_also_when_only_its_end_is_in_the_last_packet(tail: str) -> None:
    end = bytes.fromhex(tail)
    assert has_trailer(b"ciphertext" + end)
    assert has_trailer(memoryview(end))
    for size in range(1, len(end)):
        assert has_trailer(b"\x80" + end[-size:], start=1)


@pytest.mark.parametrize("tail", ["", "4b53", "00534b00", "40534b", "08534b", "f8534b", "53", "4c"])
def test_other_ends_are_not(tail: str) -> None:
    assert not has_trailer(bytes.fromhex(tail))
    assert not has_trailer(b"\x80" + bytes.fromhex(tail), start=1)


def test_what_precedes_the_frame_is_not_taken_for_its_end() -> None:
    assert not has_trailer(b"\x00SK", start=3)
    assert not has_trailer(b"\x00SK", start=4)


def test_frames_in_clear_hardly_ever_look_encrypted() -> None:
    chance = random.Random(3)
    assert sum(has_trailer(chance.randbytes(40)) for _ in range(20_000)) <= 2
