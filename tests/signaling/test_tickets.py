"""Tickets: what one node issues another reads; nothing else passes."""

import base64
import json
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from joserfc import jwt
from joserfc.jwk import OctKey

from signaling.protocol.errors import ProtocolError
from signaling.tickets import AUDIENCE, Claims, Tickets, practitioner_access
from tests.signaling.conftest import SECRET, Time

CLOCK = Time()
TICKETS = Tickets(SECRET, CLOCK.now)


def claims(**changes: object) -> Claims:
    fields = {"kind": "resume", "role": "patient", "appointment": "a" * 22, "seat": "patient", "participant": "p" * 22}
    return Claims.model_validate(fields | {"admitted": True, "expires": TICKETS.expires_in(60)} | changes)


def test_another_node_with_the_same_secret_reads_it() -> None:
    issued = claims()
    read = Tickets(SECRET, CLOCK.now).verify(TICKETS.issue(issued))
    assert read == issued.model_copy(update={"issued": read.issued})
    assert 0 <= CLOCK.now().timestamp() - read.issued < 60


def test_it_ends_when_it_says() -> None:
    clock = Time()
    tickets = Tickets(SECRET, clock.now)
    token = tickets.issue(claims(expires=tickets.expires_in(60)))
    clock.ahead = timedelta(seconds=58)
    assert tickets.verify(token)
    clock.ahead = timedelta(seconds=61)
    with pytest.raises(ProtocolError, match="token_invalid"):
        tickets.verify(token)


def test_it_is_over_in_the_very_second_that_it_says() -> None:
    with pytest.raises(ProtocolError, match="token_invalid"):
        TICKETS.verify(TICKETS.issue(claims(expires=int(CLOCK.now().timestamp()))))
    moment = CLOCK.now().replace(microsecond=0)
    tickets = Tickets(SECRET, lambda: moment)
    with pytest.raises(ProtocolError, match="token_invalid"):
        tickets.verify(tickets.issue(claims(expires=tickets.expires_in(0))))


def test_who_is_not_said_to_have_been_called_in_was_not() -> None:
    said = {"kind": "resume", "role": "patient", "seat": "patient", "exp": 2**32, "aud": AUDIENCE, "jti": "x"}
    assert not TICKETS.verify(jwt.encode({"alg": "HS256"}, said, OctKey.import_key(SECRET))).admitted


def test_one_of_before_tickets_said_so_was_issued_at_no_time() -> None:
    said = {"kind": "resume", "role": "patient", "seat": "patient", "exp": 2**32, "aud": AUDIENCE, "jti": "x"}
    assert TICKETS.verify(jwt.encode({"alg": "HS256"}, said, OctKey.import_key(SECRET))).issued == 0
    assert Claims(kind="resume", role="patient", seat="patient", expires=1).issued == 0


def test_it_says_when_the_waiting_room_opens() -> None:
    opens = CLOCK.now().replace(microsecond=0)
    assert TICKETS.verify(TICKETS.issue(claims(opens=int(opens.timestamp())))).opens_at == opens
    assert claims().opens_at is None


def test_what_nobody_gave_a_life_is_over() -> None:
    assert practitioner_access("p" * 22).expires == 0


def test_no_two_are_called_the_same() -> None:
    """RFC 7519 4.1.7: 128 random bits."""
    body = json.loads(base64.urlsafe_b64decode(TICKETS.issue(claims()).split(".")[1] + "=="))
    assert len(base64.urlsafe_b64decode(body["jti"] + "==")) == 16


def test_it_says_nothing_that_it_has_no_meaning_for() -> None:
    issued = TICKETS.issue(Claims(kind="access", role="patient", appointment="a" * 22, seat="patient", expires=2**32))
    body = json.loads(base64.urlsafe_b64decode(issued.split(".")[1] + "=="))
    assert set(body) == {"kind", "role", "appointment", "seat", "admitted", "aud", "exp", "iat", "jti"}


@pytest.mark.parametrize(("length", "decoded"), [(2048, True), (2049, False)])
def test_nobody_makes_us_decode_more_than_a_ticket_of_ours_has(
    length: int, decoded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    plain = jwt.decode

    def noted(token: str, *rest: Any, **more: Any) -> Any:
        seen.append(token)
        return plain(token, *rest, **more)

    monkeypatch.setattr(jwt, "decode", noted)
    with pytest.raises(ProtocolError, match="token_invalid"):
        TICKETS.verify("x" * length)
    assert bool(seen) is decoded


def test_two_tickets_are_never_the_same() -> None:
    assert TICKETS.issue(claims()) != TICKETS.issue(claims())


def forged(header: dict[str, object], body: dict[str, object]) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part(header)}.{part(body)}."


BODY: dict[str, object] = {"kind": "access", "role": "practitioner", "practitioner": "p", "seat": "practitioner"}
STAMPED = BODY | {"aud": AUDIENCE, "exp": 2**32, "jti": "x"}


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "a.b.c",
        "é.é.é",
        "x" * 1_000_000,
        forged({"alg": "none", "typ": "JWT"}, STAMPED),
        forged({"alg": "HS256", "typ": "JWT"}, STAMPED),
        jwt.encode({"alg": "HS256"}, STAMPED, OctKey.import_key(b"another secret of 32 bytes or more")),
        jwt.encode({"alg": "HS256"}, STAMPED | {"aud": "someone else"}, OctKey.import_key(SECRET)),
        jwt.encode({"alg": "HS256"}, STAMPED | {"exp": 1}, OctKey.import_key(SECRET)),
        jwt.encode({"alg": "HS256"}, STAMPED | {"exp": "tomorrow"}, OctKey.import_key(SECRET)),
        jwt.encode({"alg": "HS256"}, STAMPED | {"role": "operator"}, OctKey.import_key(SECRET)),
        jwt.encode({"alg": "HS256"}, STAMPED | {"more": 1}, OctKey.import_key(SECRET)),
        jwt.encode({"alg": "HS256"}, BODY | {"aud": AUDIENCE, "jti": "x"}, OctKey.import_key(SECRET)),
        TICKETS.issue(claims())[:-2],
    ],
    ids=count(),  # their lengths are not the same in every process
)
def test_nothing_else_passes(token: str) -> None:
    with pytest.raises(ProtocolError, match="token_invalid"):
        TICKETS.verify(token)


@given(some.text(max_size=300))
def test_no_text_does_more_than_be_refused(token: str) -> None:
    with pytest.raises(ProtocolError, match="token_invalid"):
        TICKETS.verify(token)


@given(some.integers(0, 10_000), some.integers(0, 7))
def test_one_changed_bit_is_enough(place: int, bit: int) -> None:
    token = bytearray(TICKETS.issue(claims()).encode())
    # The last character of a base64url part carries unused bits; it may differ and mean the same.
    ends = {index - 1 for index, byte in enumerate(token + b".") if byte == ord(".")}
    index = place % len(token)
    token[index] ^= 1 << bit
    if index not in ends:
        with pytest.raises(ProtocolError, match="token_invalid"):
            TICKETS.verify(token.decode("latin-1"))


def test_a_short_secret_is_no_secret() -> None:
    assert Tickets(b"x" * 32, CLOCK.now)
    with pytest.raises(ValueError, match="shorter"):
        Tickets(b"x" * 31, CLOCK.now)
