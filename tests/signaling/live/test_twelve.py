"""Twelve people in one consult: all agree on one key, and the members are the people that each of them is shown."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from client.errors import Refusal
from client.exchange import KeyExchange
from client.keyring import KeyRing
from practice.agenda.guests import Invitee
from signaling.protocol.events import SERVER_EVENTS, RoomView
from signaling.sockets.limits import Limits
from tests.opening import of
from tests.signaling.live.cast import Node, Person, Practice, Worker, until
from tests.signaling.live.test_guests import guest_page

PEOPLE = 12


class Member:
    """The key handshake of one page, without media."""

    def __init__(self, page: Person) -> None:
        self.page = page
        page.capabilities = ["replay"]
        self.keys = KeyExchange(KeyRing(time.monotonic), page.id, self._request)
        self.version = 0
        self._heard = 0

    async def _request(self, event: str, body: Any) -> Any:
        reply = await self.page.ask(event, body.model_dump(exclude_none=True))
        if not reply["ok"]:  # an epoch that is over
            raise Refusal(reply["error"]["code"], reply["error"]["message"])

    async def follow(self) -> None:
        """Until cancelled: what comes, in order, as a page does."""
        while True:
            while self._heard < len(self.page.heard):
                event, body = self.page.heard[self._heard]
                self._heard += 1
                if event == "room":
                    await self._see(body)
                elif event.startswith("key-"):
                    await self.keys.receive(event, SERVER_EVENTS[event][0].model_validate(body))
            await asyncio.sleep(0.002)

    async def _see(self, view: dict[str, Any]) -> None:
        room = RoomView.model_validate(view)
        if room.version >= self.version:
            self.version = room.version
            await self.keys.follow(room)

    def enter(self, view: dict[str, Any]) -> None:
        """A view that came as an answer."""
        self.page.heard.append(("room", view))


def agree(members: list[Member]) -> bool:
    codes = {one.keys.code for one in members}
    return None not in codes and len(codes) == 1


async def test_twelve_agree_on_one_key_and_are_those_whom_each_is_shown(
    nodes: Callable[..., Awaitable[Node]], worker: Worker, practice: Practice
) -> None:
    node = await nodes(Limits(ping_timeout=60, events_burst=1000))  # all pages and the server are this one process
    where = practice.appointment.id
    for number in range(PEOPLE - 2):
        invitee = Invitee(f"Guest {number}", "guest", "nl")
        practice.appointment = await practice.store.guests.add(of(practice.appointment.owner), where, invitee)
    doctor = Member(practice.practitioner_page())
    members = [doctor, Member(practice.patient_page())]
    members += [Member(guest_page(practice, one)) for one in practice.appointment.guests]
    followed = []
    try:
        for one in members:
            await one.page.connect(node)
            followed.append(asyncio.create_task(one.follow()))
            one.enter(await one.page.arrive(where))
        for one in members[1:]:
            doctor.enter(await doctor.page.admit(where, one.page))
        await until(partial(agree, members), "all twelve show one code")
        assert {one.keys.people for one in members} == {PEOPLE}
        everybody = {one.page.id for one in members}
        for one in members:
            view = one.page.view
            shown = {other["participant"] for other in view["others"] if other["state"] == "admitted"}
            assert {key["participant"] for key in view["keys"]["members"]} == shown | {one.page.id} == everybody
            assert one.keys.holders == everybody - {one.page.id}
        gone = members.pop()
        await doctor.page.do("remove", {"participant": gone.page.id})
        await until(lambda: agree(members) and doctor.keys.people == PEOPLE - 1, "and eleven another")
        assert gone.keys.code not in {None, doctor.keys.code}
    finally:
        for task in followed:
            task.cancel()
        done = await asyncio.gather(*followed, return_exceptions=True)
        for one in members:
            one.keys.close()
    assert all(isinstance(one, asyncio.CancelledError) for one in done), done
