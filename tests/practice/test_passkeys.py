"""Passkeys: what an authenticator says is believed of one address, one challenge and one credential."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from practice.factors import passkeys
from practice.factors.model import Passkey
from practice.factors.passkeys import Asserted, Assertion, Registration, RelyingParty
from tests.people import START
from tests.signaling.authenticator import ELIGIBLE, PRESENT, VERIFIED, Authenticator, text
from vault.errors import DomainError
from vault.records.content import new_id

PARTY = RelyingParty.of("https://consult.example.org")
CHALLENGE = b"asked for once" * 2


def device(**changes: Any) -> Authenticator:
    return Authenticator(**{"origin": PARTY.origin, "party": PARTY.id, **changes})


def made(one: Authenticator, challenge: bytes = CHALLENGE) -> Registration:
    said = one.made(text(challenge))
    return Registration(said["credential"], said["client_data"], said["attestation"])


def used(one: Authenticator, challenge: bytes = CHALLENGE) -> Assertion:
    said = one.used(text(challenge), "")
    return Assertion(said["id"], said["client_data"], said["authenticator_data"], said["signature"])


def registered(one: Authenticator) -> Passkey:
    return passkeys.registered(PARTY, CHALLENGE, made(one), "Sleutel", START)


def refused(call: Callable[[], object]) -> bool:
    with pytest.raises(DomainError) as said:
        call()
    return said.value.code == "passkey_refused"


@pytest.mark.parametrize(("flags", "kind"), [(0, "single_device"), (ELIGIBLE, "multi_device")])
def test_what_was_registered_is_used(flags: int, kind: str) -> None:
    one = device(flags=PRESENT | VERIFIED | flags, count=4)
    key = registered(one)
    assert (key.id, key.count, key.device, key.backed_up) == (text(one.id), 4, kind, kind == "multi_device")
    assert (key.name, key.created, key.doubted) == ("Sleutel", START, False)
    assert passkeys.asserted(PARTY, CHALLENGE, used(one), key) == Asserted(5, key.device)


def test_a_counter_is_judged_by_whoever_has_the_record() -> None:
    """Of one that has none it says 0 for ever; one that was set back is not refused here."""
    one = device()
    key = registered(one)
    for count in (0, 9, 3):
        one.count = count
        assert passkeys.asserted(PARTY, CHALLENGE, used(one), key).count == count + bool(count)


@pytest.mark.parametrize(
    ("before", "now", "back"),
    [(0, 0, False), (0, 1, False), (5, 6, False), (5, 5, True), (5, 4, True), (1, 0, True)],
)
def test_a_counter_that_does_not_go_on_is_a_copys(before: int, now: int, *, back: bool) -> None:
    key = replace(registered(device()), count=before)
    assert passkeys.set_back(key, Asserted(now, "single_device")) is back


WRONG: dict[str, dict[str, Any]] = {
    "of another address": {"origin": "https://consult.example.com"},
    "of another name": {"party": "example.org"},
    "of somebody who was not asked who they are": {"flags": PRESENT},
    "of nobody who was there": {"flags": VERIFIED},
}


@pytest.mark.parametrize("how", WRONG)
def test_one_is_not_registered(how: str) -> None:
    assert refused(lambda: registered(device(**WRONG[how])))


@pytest.mark.parametrize("how", WRONG)
def test_one_is_not_used(how: str) -> None:
    one = device()
    key = registered(one)
    for name, value in WRONG[how].items():
        setattr(one, name, value)
    assert refused(lambda: passkeys.asserted(PARTY, CHALLENGE, used(one), key))


def test_what_was_said_to_another_challenge_or_by_another_key_is_worth_nothing() -> None:
    one, other = device(), device()
    key = registered(one)
    assert refused(lambda: passkeys.registered(PARTY, CHALLENGE, made(one, b"x" * 28), "x", START))
    assert refused(lambda: passkeys.asserted(PARTY, CHALLENGE, used(one, b"x" * 28), key))
    other.id = one.id
    assert refused(lambda: passkeys.asserted(PARTY, CHALLENGE, used(other), key))


@pytest.mark.parametrize("said", ["", "A", "====", "é", "e30", "bnVsbA", "A" * 5000])
def test_nonsense_is_refused_and_breaks_nothing(said: str) -> None:
    one = device()
    key = registered(one)
    for changes in ({"client_data": said}, {"attestation": said}):
        assert refused(partial(passkeys.registered, PARTY, CHALLENGE, replace(made(one), **changes), "x", START))
    for changes in ({"client_data": said}, {"authenticator_data": said}, {"signature": said}):
        assert refused(partial(passkeys.asserted, PARTY, CHALLENGE, replace(used(one), **changes), key))


def test_whose_it_is_comes_back_from_its_handle() -> None:
    for _ in range(50):
        owner = new_id()
        assert passkeys.owner_of(passkeys.handle(owner)) == owner


@pytest.mark.parametrize(
    "handle", ["", "A", "é", "!", *map(passkeys.handle, ("A" * 21, "A" * 23, "A" * 21 + "=", "é"))]
)
def test_a_handle_that_is_no_accounts_is_refused(handle: str) -> None:
    assert refused(lambda: passkeys.owner_of(handle))


@pytest.mark.parametrize("origin", ["https://192.0.2.7", "http://127.0.0.1:8080", "https://[2001:db8::1]:8443"])
def test_a_bare_address_has_none(origin: str) -> None:
    with pytest.raises(DomainError, match="passkey_address"):
        RelyingParty.of(origin)


def test_a_name_has_them_whatever_its_port() -> None:
    assert RelyingParty.of("http://localhost:8080") == RelyingParty("localhost", "http://localhost:8080")
    assert PARTY.id == "consult.example.org"


def test_nothing_of_it_is_in_a_repr() -> None:
    one = device()
    said = repr((made(one), used(one), registered(one)))
    for part in (*one.made(text(CHALLENGE)).values(), *used(one).signature.split(), "Sleutel"):
        assert part == text(one.id) or part not in said
