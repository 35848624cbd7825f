"""Who only waits holds up no destruction: told and closed within seconds, whatever it was that destroyed."""

import secrets
from collections.abc import Awaitable, Callable
from itertools import groupby

import pytest

from client.wire import Wire
from practice.agenda.model import Appointment
from signaling.gate import SIGNALING
from signaling.protocol.events import Admit, Arrive
from tests.client.waiting import within
from tests.opening import of
from tests.signaling.conftest import PASSWORD, Server

Way = Callable[[Server, Appointment], Awaitable[None]]
TOLD = 20.0
"""Seconds on a busy machine; on a quiet one it is less than one."""


async def by_hand(server: Server, appointment: Appointment) -> None:
    assert (await server.call("DELETE", f"/api/v1/appointments/{appointment.id}", who="alice")).status == 200


async def everything(server: Server, _: Appointment) -> None:
    answer = await server.call("POST", "/api/v1/account/destroy-all", {"password": PASSWORD}, who="alice")
    assert (answer.status, answer.body["waiting"]) == (200, 0)


async def with_the_account(server: Server, _: Appointment) -> None:
    answer = await server.call("POST", "/api/v1/account/close", {"password": PASSWORD}, who="alice")
    assert (answer.status, answer.body["waiting"]) == (200, 0)
    assert answer.body["receipt"], "nothing is waited for"


async def by_the_sweep(server: Server, appointment: Appointment) -> None:
    await server.store.practitioners.set_retention(of(server.alice.id), "end")
    ended = await server.call("POST", f"/api/v1/appointments/{appointment.id}/end", {}, who="alice")
    assert ended.status == 200
    await server.store.retention.sweep()


class Patient:
    """A page of the patient's that says what it hears."""

    def __init__(self, server: Server) -> None:
        self.heard: list[str] = []
        self.wire = Wire(server.origin, lambda event, _body: self.heard.append(event))
        self.me = secrets.token_urlsafe(16)

    async def come(self, server: Server, appointment: Appointment, *, arrive: bool = True) -> "Patient":
        link = {"link": appointment.id + appointment.secret}
        await self.wire.open((await server.call("POST", "/api/v1/join", link)).body["access_token"])
        if arrive:
            await self.wire.request("arrive", Arrive(appointment=appointment.id, participant=self.me))
        return self

    async def told_and_closed(self, *words: str) -> None:
        await within(TOLD, lambda: "open" if self.wire.connected else None)
        told = [word for word, _ in groupby(self.heard)]  # two sweeps at once both tell
        assert told[-len(words) - 1 :] == [*words, "disconnect"]
        await self.wire.close()


@pytest.mark.parametrize("way", [by_hand, everything, with_the_account, by_the_sweep])
async def test_a_patient_who_waits_is_told_and_closed(server: Server, way: Way) -> None:
    await server.sign_in("alice")
    appointment = await server.appoint(server.alice)
    bobs = await Patient(server).come(server, await server.appoint(server.bob))
    waits = await Patient(server).come(server, appointment)
    opened = await Patient(server).come(server, appointment, arrive=False)
    await way(server, appointment)
    await waits.told_and_closed("ended", "signed-out")
    await opened.told_and_closed("signed-out")
    assert not {"ended", "signed-out"} & set(bobs.heard)
    await bobs.wire.close()
    assert not await server.app[SIGNALING].consults.live.load(appointment.id)


async def test_only_the_consult_that_runs_is_waited_for(server: Server) -> None:
    await server.sign_in("alice")
    running, other = await server.appoint(server.alice), await server.appoint(server.alice)
    inside, waits = await Patient(server).come(server, running), await Patient(server).come(server, other)
    ticket = (await server.call("POST", "/api/v1/desk/ticket", {}, who="alice")).body["access_token"]
    doctor = Wire(server.origin, lambda _event, _body: None)
    await doctor.open(ticket)
    who = {"appointment": running.id, "participant": inside.me, "me": secrets.token_urlsafe(16)}
    await doctor.request("admit", Admit.model_validate(who))
    answer = await server.call("POST", "/api/v1/account/destroy-all", {"password": PASSWORD}, who="alice")
    assert (answer.body["destroyed"], answer.body["waiting"]) == (1, 1)
    await waits.told_and_closed("ended", "signed-out")
    assert inside.wire.connected
    await doctor.request("leave")
    await server.store.retention.sweep()
    await inside.told_and_closed("signed-out")
    assert "ended" in inside.heard
    assert doctor.connected, "the desk stays"
    await doctor.close()
