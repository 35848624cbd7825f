"""Who is deactivated at one node is gone at the other: desk, consult, app and every ticket; the patient stays."""

from datetime import UTC, datetime
from typing import Any

from practice.factors.model import Passkey
from signaling import leaving
from tests.opening import of
from tests.organisations import OPERATOR, PRACTICE, found, scope_of
from tests.signaling.live.cast import Node, Person, Practice, until
from tests.signaling.live.test_signing_out import app, here, refusal, there, turned_out
from vault.records.scope import Scope

__all__ = ["here", "there"]
"""Fixtures."""

NOW = datetime(2027, 3, 1, tzinfo=UTC)


async def test_on_every_node_all_is_closed_and_no_ticket_opens_anything(
    here: Node,
    there: Node,
    practice: Practice,
    worker: Any,
) -> None:
    store, account = practice.store, practice.practitioner
    await store.organisation.establish(OPERATOR, PRACTICE)
    await store.organisation.name_owner(Scope.operator(account))
    session = await store.sessions.create(account)
    patient, doctor = await practice.talk(there, at=here)
    pages = [doctor, await practice.practitioner_page().connect(there), (await app(here, practice))[1]]
    resume, access = doctor.view["resume"], str(pages[1].socket.connection_auth["token"])
    member = (await store.organisation.person(await scope_of(store, account), account)).member
    await leaving.left(store, there.signaling, member)
    for page in pages:
        await turned_out(page, "token_invalid")
    for node in (here, there):
        assert [one for one in node.signaling.gate.authenticated.values() if one.claims.practitioner] == []
        assert [await refusal(node, token) for token in (resume, access)] == ["token_invalid"] * 2
    assert await store.sessions.practitioner(session) is None
    await until(lambda: not patient.view["others"][0]["connected"], "the patient sees that nobody is there")
    assert patient.socket.connected


async def test_who_lost_the_right_to_consults_keeps_the_session(
    here: Node,
    there: Node,
    practice: Practice,
) -> None:
    member = await found(practice.store, practice.practitioner, ["auditor"])
    session = await practice.store.sessions.create(practice.practitioner)
    page: Person = await practice.practitioner_page().connect(here)
    await leaving.changed(there.signaling, member)
    await turned_out(page, "token_invalid")
    assert await practice.store.sessions.practitioner(session) == practice.practitioner


async def test_what_a_command_ended_in_storage_is_over_on_every_node(
    here: Node,
    there: Node,
    practice: Practice,
    worker: Any,
) -> None:
    """A command reaches no socket, no ticket and no app: one of the servers does the rest, whichever looks first."""
    store, account = practice.store, practice.practitioner
    await store.factors.add_passkey(of(account), Passkey("a", "cGs", 0, "single_device", False, "Sleutel", NOW))
    session = await store.sessions.create(account)
    patient, doctor = await practice.talk(there, at=here)
    pages = [doctor, await practice.practitioner_page().connect(there), (await app(here, practice))[1]]
    resume, access = doctor.view["resume"], str(pages[1].socket.connection_auth["token"])
    assert await store.factors.take_away(Scope.operator(account))
    assert await store.sessions.practitioner(session) is None
    await leaving.look(store, there.signaling)
    for page in pages:
        await turned_out(page, "token_invalid")
    for node in (here, there):
        assert [await refusal(node, token) for token in (resume, access)] == ["token_invalid"] * 2
    await until(lambda: not patient.view["others"][0]["connected"], "the patient sees that nobody is there")
    assert patient.socket.connected
    assert await store.sessions.ended_by_commands() == []
