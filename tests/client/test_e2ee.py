"""The Python participant's encryption against docs/vectors.json, and against misuse."""

import json
import os
from itertools import permutations
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from client import e2ee
from client.chat import ChatLog
from client.e2ee import E2eeError, Member
from client.handshake import Handshake, Message, TamperingError
from client.keyring import KeyRing, ReplayWindow
from tests.client import vectors

VECTORS: dict[str, Any] = json.loads(vectors.FILE.read_text())
HANDSHAKES = VECTORS["handshakes"]
APPOINTMENT = HANDSHAKES[0]["appointment"]
KIND = st.sampled_from(["audio", "video", "data"])


def raw(text: str) -> bytes:
    return bytes.fromhex(text)


def private_key(member: dict[str, Any]) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int(member["private"], 16), ec.SECP256R1())


def as_member(member: dict[str, Any]) -> Member:
    last = tuple(map(raw, member["last"]))
    return Member(
        member["participant"], member["role"], raw(member["key"]), raw(member["nonce"]), last, member["withheld"]
    )


def test_the_vectors_are_those_that_the_code_makes() -> None:
    """``python -m tests.client.vectors`` writes them."""
    assert vectors.FILE.read_text() == vectors.text()


@pytest.mark.parametrize("vector", HANDSHAKES, ids=lambda vector: f"{len(vector['members'])} people")
def test_handshakes_are_those_of_the_vectors(vector: dict[str, Any]) -> None:
    appointment, epoch, members = vector["appointment"], vector["epoch"], vector["members"]
    ordered = sorted(members, key=lambda member: member["participant"].encode())
    for member in members:
        assert e2ee.public_key(private_key(member)) == raw(member["key"])
        assert e2ee.commitment(appointment, epoch, as_member(member)) == raw(member["commitment"])
        assert ordered.index(member) == member["index"]
    for order in permutations(map(as_member, members)):
        agreed = e2ee.transcript(appointment, epoch, order)
        assert agreed == raw(vector["transcript"])
        assert e2ee.verification_code(agreed) == vector["code"]
    for member, peer in permutations(members, 2):
        [wrap] = [wrap for wrap in member["wraps"] if wrap["to"] == peer["participant"]]
        names = (member["participant"], peer["participant"])
        made = e2ee.wrap(private_key(member), raw(peer["key"]), agreed, *names, raw(member["secret"]), raw(wrap["iv"]))
        assert made == raw(wrap["wrapped"])
        assert e2ee.unwrap(private_key(peer), raw(member["key"]), agreed, *names, made) == raw(member["secret"])
        with pytest.raises(E2eeError):
            e2ee.unwrap(private_key(peer), raw(member["key"]), agreed, names[1], names[0], made)


@pytest.mark.parametrize("vector", VECTORS["keys"], ids=lambda vector: f"{vector['kid']}")
def test_keys_are_those_of_the_vectors(vector: dict[str, Any]) -> None:
    assert e2ee.key_id(vector["epoch"], vector["index"], vector["label"]) == vector["kid"]
    assert e2ee.frame_key(raw(vector["secret"]), vector["kid"]) == (raw(vector["key"]), raw(vector["salt"]))


@pytest.mark.parametrize(
    "vector", [*VECTORS["frames"], *VECTORS["chats"]], ids=lambda vector: f"{vector['kid']}-{vector['counter']}"
)
def test_frames_are_those_of_the_vectors_both_ways(vector: dict[str, Any]) -> None:
    key, salt = e2ee.frame_key(raw(vector["secret"]), vector["kid"])
    assert (key, salt) == (raw(vector["key"]), raw(vector["salt"]))
    plain, frame = raw(vector["plain"]), raw(vector["frame"])
    assert e2ee.seal(key, salt, vector["kid"], vector["counter"], plain, vector["kind"]) == frame
    assert frame[: vector["clear"]] == plain[: vector["clear"]]
    sealed = e2ee.dissect(frame)
    assert (sealed.kid, sealed.counter) == (vector["kid"], vector["counter"])
    assert e2ee.unseal(key, salt, sealed, vector["kind"]) == plain


@pytest.mark.parametrize("vector", VECTORS["refused"], ids=lambda vector: str(vector["why"]))
def test_what_the_vectors_refuse_does_not_open(vector: dict[str, Any]) -> None:
    first = VECTORS["frames"][0]
    with pytest.raises(E2eeError):
        e2ee.unseal(raw(first["key"]), raw(first["salt"]), e2ee.dissect(raw(vector["frame"])), vector["kind"])


def test_counters_are_accepted_as_in_the_vectors() -> None:
    window = ReplayWindow()
    for vector in VECTORS["window"]:
        assert window.fresh(vector["counter"]) == vector["accepted"]
        if vector["accepted"]:
            window.mark(vector["counter"])


def test_a_chat_of_the_vectors_is_read() -> None:
    log = ChatLog("patient")
    log.incomplete = True
    asked = [log.take("B_arts-0000000000000a", "practitioner", raw(vector["plain"])) for vector in VECTORS["chats"]]
    assert [entry.text for entry in log.entries] == ["Goedemorgen", "Dag, dokter — ça va 👋"]
    assert asked == [False, False, True]
    assert not log.incomplete


@given(st.binary(max_size=40), st.integers(0, 2**32 - 1), st.integers(0, 2**48 - 1), KIND, st.data())
def test_a_frame_comes_back_and_a_changed_one_never_does(
    plain: bytes, kid: int, counter: int, kind: e2ee.Kind, data: st.DataObject
) -> None:
    key, salt = e2ee.frame_key(bytes(32), kid)
    frame = e2ee.seal(key, salt, kid, counter, plain, kind)
    assert e2ee.unseal(key, salt, e2ee.dissect(frame), kind) == plain
    changed = bytearray(frame)
    changed[data.draw(st.integers(0, len(frame) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(E2eeError):
        e2ee.unseal(key, salt, e2ee.dissect(bytes(changed)), kind)


@given(st.binary(max_size=60), KIND)
def test_any_bytes_are_refused(data: bytes, kind: e2ee.Kind) -> None:
    key, salt = e2ee.frame_key(bytes(32), 0)
    for frame in (data, data + b"SK", data + b"\0\0\0SK"):
        with pytest.raises(E2eeError):
            e2ee.unseal(key, salt, e2ee.dissect(frame), kind)


@given(st.lists(st.integers(0, 200), max_size=300))
def test_a_counter_is_accepted_once_and_only_within_64_of_the_highest(counters: list[int]) -> None:
    window, seen = ReplayWindow(), set[int]()
    for counter in counters:
        expected = counter not in seen and counter > max(seen, default=-1) - 64
        assert window.fresh(counter) == expected
        if expected:
            window.mark(counter)
            seen.add(counter)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_ring_refuses_replays_unknown_senders_and_secrets_that_ran_out() -> None:
    clock = Clock()
    alice, bob = KeyRing(clock), KeyRing(clock)
    assert alice.seal(1, b"frame", "video") is None
    alice.set_own(1, 0, b"a" * 32)
    first = alice.seal(1, b"\x10frame" * 4, "video")
    second = alice.seal(1, b"\x11frame" * 4, "video")
    assert first
    assert second
    with pytest.raises(E2eeError):
        bob.open(first, "video")
    bob.set_remote("alice", 1, 0, b"a" * 32)
    assert bob.open(second, "video") == ("alice", 1, b"\x11frame" * 4)
    assert bob.open(first, "video") == ("alice", 1, b"\x10frame" * 4)
    with pytest.raises(E2eeError):
        bob.open(first, "video")
    late, later = alice.seal(0, b"x", "audio"), alice.seal(0, b"y", "audio")
    bob.set_remote("alice", 2, 1, b"b" * 32)
    clock.now += 9.9
    assert late
    assert bob.open(late, "audio")[2] == b"x"
    clock.now += 0.2
    assert later
    with pytest.raises(E2eeError):
        bob.open(later, "audio")


def test_a_secret_is_never_used_twice() -> None:
    ring = KeyRing(Clock())
    ring.set_own(1, 0, b"a" * 32)
    with pytest.raises(ValueError, match="once"):
        ring.set_own(1, 0, b"a" * 32)


def run(*sides: Handshake) -> None:
    """Deliver everything, the newest message first, which is the least orderly."""
    named = {side.me: side for side in sides}
    queue = [(side.me, message) for side in sides for message in side.start()]
    while queue:
        sender, message = queue.pop()
        for side in sides:
            if side.me != sender and message.to in ("", side.me):
                queue += [(side.me, reply) for reply in named[side.me].receive(sender, message)]


def three() -> list[Handshake]:
    members = [("zoe", "guest"), ("-ann", "practitioner"), ("Bob", "patient")]
    return [Handshake(APPOINTMENT, 3, members, name, os.urandom) for name, _ in members]


def test_everybody_ends_with_the_same_code_and_everybody_elses_secret() -> None:
    sides = three()
    run(*sides)
    assert all(side.complete for side in sides)
    assert len({side.code for side in sides}) == 1
    for side, other in permutations(sides, 2):
        assert side.secrets[other.me] == other.secret
        assert side.index(other.me) == ["-ann", "Bob", "zoe"].index(other.me)


def test_nobody_reveals_before_holding_every_commitment() -> None:
    zoe, ann, bob = three()
    [commit] = zoe.start()
    assert commit.kind == "commit"
    assert zoe.receive("-ann", ann.start()[0]) == []
    [reveal] = zoe.receive("Bob", bob.start()[0])
    assert reveal.kind == "reveal"


def pair() -> tuple[Handshake, Handshake, Message]:
    alice, bob = (
        Handshake("a", 1, [("alice", "practitioner"), ("bob", "patient")], me, os.urandom) for me in ("alice", "bob")
    )
    [commit] = bob.start()
    alice.start()
    return alice, bob, commit


def test_a_key_other_than_the_committed_one_is_tampering() -> None:
    alice, _, commit = pair()
    alice.receive("bob", commit)
    other = e2ee.public_key(ec.generate_private_key(ec.SECP256R1()))
    with pytest.raises(TamperingError):
        alice.receive("bob", Message("reveal", key=other, nonce=bytes(32)))


def test_our_own_key_coming_back_is_tampering() -> None:
    alice, _, _ = pair()
    own = alice._entries["alice"]
    mirrored = e2ee.commitment("a", 1, Member("bob", "patient", own.key, own.nonce))
    [reveal] = alice.receive("bob", Message("commit", commitment=mirrored))
    with pytest.raises(TamperingError):
        alice.receive("bob", reveal)


def test_a_second_version_of_a_message_is_tampering_but_a_repetition_is_not() -> None:
    alice, _, commit = pair()
    alice.receive("bob", commit)
    assert alice.receive("bob", commit) == []
    with pytest.raises(TamperingError):
        alice.receive("bob", Message("commit", commitment=bytes(32)))


def test_a_wrapped_secret_that_does_not_authenticate_is_tampering() -> None:
    alice, bob, commit = pair()
    [reveal] = alice.receive("bob", commit)
    [answer] = bob.receive("alice", alice.start()[0])
    bob.receive("alice", reveal)
    alice.receive("bob", answer)
    with pytest.raises(TamperingError):
        alice.receive("bob", Message("wrap", to="alice", wrapped=bytes(60)))
