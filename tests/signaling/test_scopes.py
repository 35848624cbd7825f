"""A scope is made of who somebody has proved to be; who has proved nothing has none."""

import pytest

from practice.organisation.model import Standing
from signaling import scopes
from signaling.protocol.errors import ProtocolError
from signaling.tickets import Claims
from vault.records.scope import SERVER, Scope

ALICE, VISIT = "a" * 22, "v" * 22


def claims(**whose: str) -> Claims:
    return Claims.model_validate({"kind": "access", "role": "patient", "seat": "patient", "expires": 1} | whose)


def test_of_whom_something_is_known_a_scope_is_made() -> None:
    standing = Standing(ALICE, "o" * 22, frozenset({"owner"}))
    assert scopes.of_standing(standing) == Scope.practitioner(ALICE, "o" * 22, frozenset({"owner"}))
    assert scopes.of_practitioner(ALICE) == Scope.practitioner(ALICE) == scopes.of_claims(claims(practitioner=ALICE))
    assert scopes.of_claims(claims(appointment=VISIT)) == scopes.of_link(VISIT) == Scope.guest(VISIT)
    assert scopes.of_claims(claims(practitioner=ALICE, appointment=VISIT)) == Scope.practitioner(ALICE)
    assert (scopes.of_server(), scopes.of_owner(ALICE)) == (SERVER, Scope.operator(ALICE))


def test_of_nobody_there_is_none() -> None:
    with pytest.raises(ProtocolError, match="unauthenticated"):
        scopes.of_practitioner("")
    with pytest.raises(ProtocolError, match="unauthenticated"):
        scopes.of_standing(None)
    with pytest.raises(ProtocolError, match="token_invalid"):
        scopes.of_claims(claims())
