"""The server keeps the hours of the waiting room, whatever a page or a ticket thinks the time is."""

import secrets
from datetime import timedelta
from typing import Any

import pytest

from client.errors import Refusal
from client.wire import Wire
from signaling.protocol.events import Admit, Arrive
from tests.signaling.conftest import Opening, Server


async def joined(server: Server, link: str, *, refresh: bool = False) -> Any:
    return (await server.call("POST", "/api/v1/join", {"link": link, "refresh": refresh})).body


def arrival(appointment: str) -> Arrive:
    return Arrive(appointment=appointment, participant=secrets.token_urlsafe(16))


async def refusal(wire: Wire, appointment: str) -> str:
    with pytest.raises(Refusal) as refused:
        await wire.request("arrive", arrival(appointment))
    return refused.value.code


@pytest.mark.parametrize("refresh", [False, True], ids=["link", "refresh token"])
async def test_five_hours_early_nobody_gets_into_the_waiting_room(
    server: Server, opening: Opening, *, refresh: bool
) -> None:
    appointment = await server.appoint(server.alice, 300)
    found = await joined(server, appointment.id + appointment.secret, refresh=refresh)
    assert (found["window"], found["opens_in"] in range(14_390, 14_401)) == ("early", True), "four hours"
    token = found["access_token"]
    if refresh:
        body = {"refresh_token": found["refresh_token"]}
        token = (await server.call("POST", "/api/v1/tokens/refresh", body)).body["access_token"]
    wire = await opening(token)
    reply = await wire._send("arrive", arrival(appointment.id).model_dump(mode="json", exclude_unset=True))
    assert reply["error"]["code"] == "too_early"
    assert 14_390 <= reply["error"]["retry_after"] <= 14_400
    server.time.ahead = timedelta(hours=4, seconds=1)
    await wire.request("arrive", arrival(appointment.id))


async def test_who_is_early_stays_out_while_the_practitioner_is_in(server: Server, opening: Opening) -> None:
    appointment = await server.appoint(server.alice, 300)
    await server.sign_in("alice")
    ticket = (await server.call("POST", "/api/v1/desk/ticket", {}, who="alice")).body["access_token"]
    await (await opening(ticket)).request("arrive", arrival(appointment.id))
    found = await joined(server, appointment.id + appointment.secret)
    assert await refusal(await opening(found["access_token"]), appointment.id) == "too_early"


async def test_a_ticket_of_who_waited_ends_with_the_link(server: Server, opening: Opening) -> None:
    appointment = await server.appoint(server.alice)
    found = await joined(server, appointment.id + appointment.secret)
    assert 3_590 <= found["closes_in"] <= 3_600
    me = arrival(appointment.id)
    waiting = await (await opening(found["access_token"])).request("arrive", me)
    server.time.ahead = timedelta(minutes=59)
    await (await opening(waiting.resume)).request("arrive", me)
    server.time.ahead = timedelta(minutes=61)
    assert await refusal(await opening(waiting.resume), appointment.id) == "ended"


async def test_who_was_called_in_comes_back_after_the_link_closed(server: Server, opening: Opening) -> None:
    appointment = await server.appoint(server.alice)
    found = await joined(server, appointment.id + appointment.secret)
    patient, me = await opening(found["access_token"]), arrival(appointment.id)
    await patient.request("arrive", me)
    await server.sign_in("alice")
    ticket = (await server.call("POST", "/api/v1/desk/ticket", {}, who="alice")).body["access_token"]
    doctor = await opening(ticket)
    who = {"participant": me.participant, "me": secrets.token_urlsafe(16)}
    await doctor.request("admit", Admit.model_validate({"appointment": appointment.id} | who))
    inside = await patient.request("snapshot")
    await patient.drop()
    server.time.ahead = timedelta(minutes=90)
    again = await (await opening(inside.resume)).request("arrive", arrival(appointment.id))
    assert again.me.state == "admitted"
