"""Who is signed out hears it at once, on whatever node, and comes back with nothing that was given before."""

import asyncio
from typing import Any

import pytest
from redis.asyncio.client import Pipeline

from signaling.protocol.errors import ProtocolError
from signaling.refresh import Reused, family_key, holder_key
from signaling.tickets import Claims
from tests.signaling.live.cast import Node, Person, Practice, soon, until


async def no_look() -> None:
    """What a node does each second to find who was signed out, if it does not."""


@pytest.fixture
async def here(nodes: Any) -> Node:
    """The node of whoever is signed out, which only hears of it from the other."""
    node: Node = await nodes(name="here")
    node.signaling.presence.close_outdated = no_look  # type: ignore[method-assign]  # word of it has to come at once
    return node


@pytest.fixture
async def there(nodes: Any) -> Node:
    node: Node = await nodes(name="there")
    return node


async def app(node: Node, practice: Practice, *, patient: bool = False) -> tuple[Claims, Person]:
    """The newest refresh token's claims, and a page that was opened with an access token of that family."""
    whose = (
        {"role": "patient", "seat": "patient", "appointment": practice.appointment.id}
        if patient
        else {"role": "practitioner", "seat": "practitioner", "practitioner": practice.practitioner}
    )
    access = Claims.model_validate({"kind": "access", "expires": soon()} | whose)
    claims, token = await node.signaling.refresh.begin(access, soon())
    page = await Person(claims).connect(node)
    return await node.signaling.refresh.verify(token), page


async def turned_out(page: Person, code: str) -> None:
    await until(lambda: not page.socket.connected, "the connection is closed")
    assert page.heard[-1] == ("signed-out", {"code": code})


async def refusal(node: Node, token: str) -> str:
    """The code with which a node refuses a token."""
    with pytest.raises(ProtocolError) as refused:
        await node.signaling.admission.authenticate(token)
    return refused.value.code


@pytest.mark.parametrize("patient", [False, True], ids=["practitioner", "patient"])
async def test_of_a_family_that_was_revoked_elsewhere_all_sockets_are_told_and_closed(
    here: Node, there: Node, practice: Practice, patient: bool
) -> None:
    claims, page = await app(here, practice, patient=patient)
    _, other = await app(here, practice)
    browser = await practice.practitioner_page().connect(here)
    view = await page.arrive(practice.appointment.id)
    await there.signaling.revoke(claims)
    await turned_out(page, "token_invalid")
    assert other.socket.connected and browser.socket.connected
    assert await refusal(there, view["resume"]) == "token_invalid"


async def test_the_sockets_of_a_destroyed_appointment_are_told_and_closed_on_every_node(
    here: Node, there: Node, practice: Practice
) -> None:
    pages = [(await app(node, practice, patient=True))[1] for node in (here, there)]
    browser = await practice.practitioner_page().connect(here)
    assert await there.signaling.destroyed(["another", practice.appointment.id]) == {}
    for page in pages:
        await turned_out(page, "token_invalid")
    assert browser.socket.connected


async def test_a_second_use_of_a_refresh_token_says_so_on_the_other_node(
    here: Node, there: Node, practice: Practice
) -> None:
    first, page = await app(here, practice)
    view = await page.arrive(practice.appointment.id)
    refresh = there.signaling.refresh
    second = await refresh.verify(await refresh.rotate(first))
    await refresh.rotate(second)
    with pytest.raises(Reused):
        await refresh.rotate(first)
    assert page.socket.connected
    await there.signaling.gate.sign_out([str(first.family)], "token_reused")
    await turned_out(page, "token_reused")
    assert await refusal(there, view["resume"]) == "token_reused"


async def test_signing_out_closes_pages_and_apps_of_that_practitioner_and_nobody_elses(
    here: Node, there: Node, practice: Practice
) -> None:
    _, page = await app(here, practice)
    browser = await practice.practitioner_page().connect(here)
    patient = await practice.patient_page().connect(here)
    await there.signaling.sign_out(practice.practitioner)
    await turned_out(page, "token_invalid")
    await turned_out(browser, "token_invalid")
    assert patient.socket.connected


async def test_an_app_that_begins_or_goes_on_while_all_end_elsewhere_ends_too(
    here: Node, there: Node, practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims, _ = await app(here, practice)
    late: list[Claims] = []
    read = Pipeline.smembers

    async def meanwhile(pipe: Pipeline, key: str) -> Any:
        found = await read(pipe, key)
        if not late:
            refresh = here.signaling.refresh
            access, token = await refresh.begin(claims.model_copy(update={"kind": "access", "family": None}), soon())
            late.extend([access, await refresh.verify(token), await refresh.verify(await refresh.rotate(claims))])
        return found

    monkeypatch.setattr(Pipeline, "smembers", meanwhile)
    await there.signaling.sign_out(practice.practitioner)
    begun, first, following = late
    assert not await here.signaling.refresh.alive(begun)
    for one in (first, following):
        with pytest.raises(ProtocolError, match="token_invalid"):
            await here.signaling.refresh.rotate(one)
    assert await here.signaling.refresh.apps(practice.practitioner) == 0


async def test_what_a_page_of_an_app_is_told_while_it_is_being_closed_opens_nothing(
    here: Node, there: Node, practice: Practice
) -> None:
    _, page = await app(here, practice)
    view = await page.arrive(practice.appointment.id)
    tickets = here.signaling.consults.showing._tickets
    await there.signaling.sign_out(practice.practitioner)
    told = tickets.issue(tickets.verify(view["resume"]))  # a moment later, on a node that has not heard of it yet
    assert [await refusal(node, told) for node in (here, there)] == ["token_invalid"] * 2


async def test_nothing_more_is_done_for_a_socket_that_is_being_closed(here: Node, practice: Practice) -> None:
    _, page = await app(here, practice)
    (socket,) = here.signaling.gate.authenticated.values()
    here.signaling.gate.signed_out([practice.practitioner], "token_invalid")
    await turned_out(page, "token_invalid")
    assert socket.cut_off


async def test_who_missed_the_word_of_it_is_found_at_the_next_look(nodes: Any, practice: Practice) -> None:
    node: Node = await nodes()
    claims, page = await app(node, practice, patient=True)
    _, other = await app(node, practice, patient=True)
    await node.signaling.refresh.end(claims, "token_reused")
    await turned_out(page, "token_reused")
    assert other.socket.connected


async def test_an_emptied_redis_signs_nobody_out_of_a_consult(here: Node, practice: Practice) -> None:
    claims, page = await app(here, practice)
    view = await page.arrive(practice.appointment.id)
    await here.signaling.redis.delete(family_key(str(claims.family)), holder_key(claims))  # no word of why
    back = await Person(view["resume"]).connect(here)
    assert back.socket.connected
    assert await refusal(here, str(page.socket.connection_auth["token"])) == "token_invalid"


async def test_a_ticket_keeps_its_family_over_the_views_of_other_nodes(
    here: Node, there: Node, practice: Practice
) -> None:
    claims, page = await app(here, practice, patient=True)
    await page.arrive(practice.appointment.id)
    doctor = await practice.practitioner_page().connect(there)
    await doctor.admit(practice.appointment.id, page)
    await until(lambda: page.view["me"]["state"] == "admitted", "the patient is in")
    tickets = there.signaling.consults.showing._tickets
    assert tickets.verify(page.view["resume"]).family == claims.family
    assert tickets.verify(doctor.view["resume"]).family is None


@pytest.mark.parametrize("kind", ["desk", "app"])
async def test_a_ticket_of_before_opens_nothing_on_any_node_and_gives_no_other(
    here: Node, there: Node, practice: Practice, kind: str
) -> None:
    claims = practice.practitioner_page().claims
    assert isinstance(claims, Claims)
    if kind == "app":
        claims, _ = await here.signaling.refresh.begin(claims, soon())
    ticket = here.signaling.consults.showing._tickets.issue(claims)
    await there.signaling.sign_out(practice.practitioner)
    assert [await refusal(node, ticket) for node in (here, there)] == ["token_invalid"] * 2
    await asyncio.sleep(0.002)  # a ticket says the millisecond in which it was issued
    again = practice.practitioner_page()
    assert (await again.connect(here)).socket.connected, "who signed in again"
