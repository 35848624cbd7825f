"""A live consult over Socket.IO, as ``residue`` holds it: all that the two say and are given is searched for."""

from contextlib import suppress
from typing import Any

import aiohttp
import socketio

from client.participant import Participant
from client.rest import Rest
from signaling.protocol.events import CLIENT_EVENTS
from signaling.protocol.report import Report
from tests.client.waiting import within

Secrets = dict[str, str | bytes]

SAID = "canary of what was said"
ANSWERED = "canary of what was answered"
STRANGE = "canary-of-what-nobody-asked-for"
SECONDS = 30


async def hold(desk: Rest, visitor: Rest, appointment: str, link: str, turn: int) -> Secrets:
    """From the waiting room to the end, with chat; what the server must not keep of it."""
    given: Secrets = {"said": SAID, "answered": ANSWERED, "strange": STRANGE}

    def known(name: str, token: str) -> str:
        given[f"{name} {turn}-{len(given)}"] = token
        return token

    async def practitioners() -> str:
        return known("desk token", await desk.desk_ticket())

    async def patients() -> str:
        return known("access token", (await visitor.join(link)).access_token)

    doctor = Participant(desk.url, appointment, "practitioner", practitioners)
    guest = Participant(visitor.url, appointment, "patient", patients)
    async with doctor, guest:
        await doctor.watch()
        await guest.arrive()
        known("resume ticket", guest.resume or "")
        await within(SECONDS, lambda: None if waits(doctor, guest) else "nobody waits")
        await doctor.tell(guest.id, "soon")
        await doctor.admit(guest.id)
        await within(SECONDS, lambda: None if doctor.keys.code and guest.keys.code else "no keys")
        await guest.indicate(camera=False)
        await guest.request("report", Report(at=0, rtt_ms=20))
        await guest.send_chat(SAID)
        await doctor.send_chat(ANSWERED)
        await within(SECONDS, lambda: None if len(doctor.chat) == len(guest.chat) == 2 else "nothing was said")
        for person in (doctor, guest):
            known("resume ticket", person.resume or "")
            given |= {f"{person.role}'s key {turn}-{n}": key for n, key in enumerate(person.ring._used)}
            for way in person.room.media.ice_servers if person.room and person.room.media else ():
                known("TURN password", way.credential or "")
        await strangeness(desk.url, await patients())
        await guest.leave()
        await doctor.leave()
    return given


def waits(doctor: Participant, guest: Participant) -> bool:
    return doctor.desk is not None and guest.id in [view.participant for view in doctor.desk.waiting]


async def strangeness(origin: str, token: str) -> None:
    """Everything that is not asked for, in every event, in names and in values."""
    async with aiohttp.ClientSession() as session:
        client = socketio.AsyncClient(reconnection=False, http_session=session)
        sent = {"Origin": origin, "User-Agent": STRANGE, "X-Forwarded-For": STRANGE, "Referer": STRANGE}
        await client.connect(origin, headers=sent, auth={"version": 1, "token": token}, transports=["websocket"])
        for event, about in CLIENT_EVENTS.items():
            fields: dict[str, Any] = dict.fromkeys(about.body.model_fields, STRANGE)
            for body in ({**fields, STRANGE: STRANGE}, [STRANGE], STRANGE):
                with suppress(socketio.exceptions.SocketIOError):
                    await client.call(event, body, timeout=5)
        with suppress(socketio.exceptions.SocketIOError):
            await client.disconnect()
