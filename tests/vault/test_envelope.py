"""A ciphertext opens only where it was written, and only as it was written."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault.errors import Tampered
from vault.keys.envelope import (
    KEY_BYTES,
    NONCE_BYTES,
    PAD_BYTES,
    Place,
    epoch_key,
    fingerprint,
    new_key,
    pack,
    seal,
    unpack,
    unseal,
)

words = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", min_size=1, max_size=22)
places = st.builds(Place, words, words, words, words, st.integers(1, 9))
keys = st.binary(min_size=KEY_BYTES, max_size=KEY_BYTES)
HERE = Place("appointments", "content", "row", "owner")


@given(keys, st.binary(max_size=500), places)
def test_what_was_sealed_opens_again(key: bytes, plaintext: bytes, place: Place) -> None:
    assert unseal(key, seal(key, plaintext, place), place) == plaintext


@given(keys, places, places)
def test_it_opens_in_no_other_place(key: bytes, here: Place, there: Place) -> None:
    sealed = seal(key, b"Jan Jansen", here)
    if here != there:
        with pytest.raises(Tampered):
            unseal(key, sealed, there)


@pytest.mark.parametrize("part", ["table", "column", "row", "owner", "schema"])
def test_every_part_of_the_place_is_bound(part: str) -> None:
    changed: dict[str, Any] = {part: 2 if part == "schema" else "other"}
    key = new_key()
    sealed = seal(key, b"Jan Jansen", HERE)
    with pytest.raises(Tampered):
        unseal(key, sealed, HERE._replace(**changed))


@given(st.data())
def test_one_changed_bit_is_noticed(data: st.DataObject) -> None:
    key = new_key()
    sealed = bytearray(seal(key, b"Jan Jansen", HERE))
    bit = data.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(Tampered):
        unseal(key, bytes(sealed), HERE)


@pytest.mark.parametrize("length", [0, 1, NONCE_BYTES, NONCE_BYTES + 15])
def test_a_stump_is_refused(length: int) -> None:
    key = new_key()
    with pytest.raises(Tampered):
        unseal(key, seal(key, b"Jan", HERE)[:length], HERE)


def test_another_key_does_not_open_it() -> None:
    with pytest.raises(Tampered):
        unseal(new_key(), seal(new_key(), b"Jan", HERE), HERE)


def test_no_nonce_comes_twice() -> None:
    key = new_key()
    nonces = {seal(key, b"", HERE)[:NONCE_BYTES] for _ in range(20_000)}
    assert len(nonces) == 20_000


names = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


@given(names)
def test_packed_fields_come_back_and_their_length_says_little(name: str) -> None:
    packed = pack({"patient": name})
    assert unpack(packed) == {"patient": name}
    assert len(packed) % PAD_BYTES == 0


def test_contents_are_a_multiple_of_256_bytes() -> None:
    assert [len(pack({"patient": "x" * length})) for length in (0, 242, 243)] == [256, 256, 512]


def test_names_of_usual_length_make_contents_of_one_length() -> None:
    assert len({len(pack({"patient": "x" * length})) for length in range(1, 200)}) == 1


def test_an_epoch_key_needs_root_and_secret_and_number() -> None:
    root, secret = new_key(), new_key()
    key = epoch_key(root, secret, 1)
    assert key == epoch_key(root, secret, 1)
    assert len({key, epoch_key(new_key(), secret, 1), epoch_key(root, new_key(), 1), epoch_key(root, secret, 2)}) == 4


def test_a_fingerprint_depends_on_key_and_purpose() -> None:
    key = new_key()
    prints = {fingerprint(key, "mail", "a"), fingerprint(key, "receipt", "a"), fingerprint(new_key(), "mail", "a")}
    assert len(prints) == 3
