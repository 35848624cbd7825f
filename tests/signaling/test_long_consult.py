"""A therapist's hour: no break of the line throws anybody out of a consult, and who really left is signed out.

The clock is moved, not waited for.
"""

import asyncio
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import pytest
from sqlalchemy import select

from client.errors import Refusal
from client.wire import Wire
from practice.accounts.records import sessions
from practice.agenda.model import Appointment
from signaling.gate import SIGNALING
from signaling.protocol.events import Admit, Arrive, RoomView
from tests.client.waiting import until
from tests.signaling.conftest import PASSWORD, Opening, Server

CUTS = (31, 45, 49)
TABLE = pytest.mark.parametrize(
    ("way", "by"), [("cookie", "token"), ("cookie", "resume"), ("app", "token"), ("app", "resume")]
)
Way = Literal["cookie", "app"]


@dataclass
class Page:
    """A page of Alice's or of the patient's, in a browser or as an app, that comes back when its line broke."""

    server: Server
    opening: Opening
    way: Way
    link: str = ""
    refresh: str = ""
    wire: Wire | None = None
    view: RoomView | None = None

    def __post_init__(self) -> None:
        self.me = secrets.token_urlsafe(16)

    async def call(self, path: str, body: dict[str, Any]) -> Any:
        answer = await self.server.call("POST", f"/api/v1{path}", body, who="alice")
        assert answer.status == 200, answer.body
        return answer.body

    async def token(self) -> str:
        """A fresh one, as whoever was signed in or has the link gets it."""
        if self.refresh:
            found = await self.call("/tokens/refresh", {"refresh_token": self.refresh})
        elif self.link:
            found = await self.call("/join", {"link": self.link, "refresh": self.way == "app"})
        elif self.way == "app":
            found = await self.call("/tokens", {"mail": "alice@example.org", "password": PASSWORD})
        else:
            found = await self.call("/desk/ticket", {})
        self.refresh = found.get("refresh_token") or ""
        return str(found["access_token"])

    async def enter(self, appointment: Appointment, ticket: str | None = None) -> None:
        self.wire = await self.opening(ticket or await self.token())
        self.view = await self.wire.request("arrive", Arrive(appointment=appointment.id, participant=self.me))

    async def come_back(self, appointment: Appointment, by: str) -> None:
        """The line broke and is there again."""
        assert self.wire and self.view
        await self.wire.drop()
        await self.enter(appointment, self.view.resume if by == "resume" else None)
        assert self.view.me.state == "admitted"


async def consult(server: Server, opening: Opening, way: Way) -> tuple[Appointment, Page, Page]:
    await server.sign_in("alice")
    appointment = await server.appoint(server.alice)
    doctor, patient = Page(server, opening, way), Page(server, opening, way, appointment.id + appointment.secret)
    await patient.enter(appointment)
    await doctor.enter(appointment)
    assert doctor.wire and patient.wire
    who = {"appointment": appointment.id, "participant": patient.me, "me": doctor.me}
    await doctor.wire.request("admit", Admit.model_validate(who))
    patient.view = await patient.wire.request("snapshot")
    return appointment, doctor, patient


@TABLE
async def test_fifty_minutes_and_a_line_that_breaks_at_31_45_and_49(
    server: Server, opening: Opening, way: Way, by: str
) -> None:
    appointment, *people = await consult(server, opening, way)
    for minute in CUTS:
        server.time.ahead = timedelta(minutes=minute)
        for page in people:
            await page.come_back(appointment, by)
    server.time.ahead = timedelta(minutes=50)
    for page in people:
        assert page.wire
        view = await page.wire.request("snapshot")
        assert [one.state for one in (view.me, *view.others)] == ["admitted"] * 2
    if way == "cookie":
        assert (await server.call("GET", "/api/v1/me", who="alice")).status == 200


async def test_a_desk_that_is_open_hears_who_arrives_after_an_hour_without_a_request(
    server: Server, opening: Opening
) -> None:
    await server.sign_in("alice")
    appointment = await server.appoint(server.alice)
    desk = Page(server, opening, "cookie")
    wire = await opening(await desk.token())
    use = server.app[SIGNALING].use
    server.time.ahead = timedelta(minutes=31)
    await until(lambda: None if use.noted >= server.time.now() - timedelta(minutes=1) else "not noted")
    server.time.ahead = timedelta(minutes=59)
    await wire.drop()
    wire = await opening(await desk.token())
    await Page(server, opening, "cookie", appointment.id + appointment.secret).enter(appointment)
    assert len((await wire.request("watch")).waiting) == 1


@pytest.mark.parametrize("kind", ["closed desk", "left a consult"])
async def test_half_an_hour_after_the_last_page_closed_the_session_is_over(
    server: Server, opening: Opening, kind: str
) -> None:
    _, doctor, _ = await consult(server, opening, "cookie")
    assert doctor.wire and doctor.view
    resume = doctor.view.resume
    ticket = await doctor.token()
    server.time.ahead = timedelta(minutes=20)
    if kind == "left a consult":
        await doctor.wire.request("leave")
    await doctor.wire.close()
    sockets = server.app[SIGNALING].gate.authenticated
    await until(lambda: "open" if any(one.claims.practitioner for one in sockets.values()) else None)
    await noted(server, server.time.now() - timedelta(minutes=1))
    server.time.ahead = timedelta(minutes=49)
    assert await server.store.sessions.lives(session(server)), "the half hour begins when the page closed"
    server.time.ahead = timedelta(minutes=51)
    assert (await server.call("POST", "/api/v1/desk/ticket", {}, who="alice")).code == "unauthenticated"
    with pytest.raises(Refusal, match="token_invalid"):
        await opening(ticket)
    back = await opening(resume)
    server.time.ahead = timedelta(minutes=55)
    await back.drop()
    assert (await server.call("GET", "/api/v1/me", who="alice")).code == "unauthenticated", "it woke nothing"


async def noted(server: Server, since: datetime) -> None:
    """Until the database says that the session was in use since then."""
    written = select(sessions).where(sessions.c.used >= since.timestamp())
    async with asyncio.timeout(30):
        while not await server.store.database.ask(written):  # noqa: ASYNC110 -- a row tells nobody that it changed
            await asyncio.sleep(0.01)


def session(server: Server) -> str:
    (token,) = (cookie.value for cookie in server.jars["alice"] if cookie.key == "sid")
    return server.store.sessions.reference(token)


async def test_twelve_hours_after_the_sign_in_a_desk_closes_but_no_consult(server: Server, opening: Opening) -> None:
    _, doctor, _ = await consult(server, opening, "cookie")
    desk = await opening(await doctor.token())
    assert doctor.wire
    server.time.ahead = timedelta(hours=12, minutes=1)
    await until(lambda: "the desk is open" if desk.connected else None)
    assert doctor.wire.connected
    assert (await server.call("GET", "/api/v1/me", who="alice")).code == "unauthenticated"
