"""Whom the checks need: a practitioner, appointments, pages that say anything and hear everything."""

import asyncio
import secrets
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp
import socketio
from pydantic import ValidationError

from client.errors import ClientError
from client.probe import Account
from client.rest import Rest
from signaling.protocol.errors import CATALOGUE, WireError
from signaling.protocol.events import CLIENT_EVENTS, SERVER_EVENTS
from signaling.protocol.model import PROTOCOL_VERSION
from tests.conformance.requirement import Violation, expect

PATIENT = "Conformance kit"
SECONDS = 5.0


async def until(met: Callable[[], Any], otherwise: str, seconds: float = SECONDS) -> Any:
    """What ``met`` returns as soon as it is true.

    Raises:
        Violation: it did not become so.
    """
    deadline = asyncio.get_running_loop().time() + seconds
    while not (value := met()):
        expect(asyncio.get_running_loop().time() < deadline, f"{otherwise} (waited {seconds:.0f} s)")
        await asyncio.sleep(0.01)
    return value


class Page:
    """One Socket.IO connection and a participant. Every event it hears is compared with the registry."""

    def __init__(self, world: "World", appointment: str, participant: str | None = None) -> None:
        self.world = world
        self.appointment = appointment
        self.id = participant or secrets.token_urlsafe(16)
        self.heard: list[tuple[str, Any]] = []
        self.views: list[dict[str, Any]] = []
        self.strange: list[str] = []
        self.silent = False
        self.beside: list[tuple[str, Any]] = []
        self.socket = socketio.AsyncClient(reconnection=False)
        self.socket.on("*", self._hear)
        self.socket.on("present", self._present)
        self.socket.on("connect_error", self._refuse)
        self.refusal: Any = None

    @property
    def connected(self) -> bool:
        return bool(self.socket.connected)

    @property
    def view(self) -> dict[str, Any]:
        """The newest of the room."""
        return max(self.views, key=lambda view: int(view["version"]))

    def events(self, name: str) -> list[Any]:
        return [body for event, body in self.heard if event == name]

    async def connect(self, token: str, *, origin: str | None = None, **auth: Any) -> "Page":
        """Raises:
        Refused: with the server's wire error.
        """
        url = self.world.url
        tls = aiohttp.TCPConnector(ssl=self.world.tls or True)
        self.socket.eio.http = aiohttp.ClientSession(connector=tls)
        try:
            await self.socket.connect(
                url,
                headers={"Origin": origin or url},
                auth={"version": PROTOCOL_VERSION, "token": token} | auth,
                transports=["websocket"],
                wait_timeout=SECONDS,
            )
        except socketio.exceptions.ConnectionError:
            await self.close()
            raise Refused(self.refusal) from None
        return self

    async def ask(self, event: str, *arguments: Any) -> dict[str, Any]:
        """The acknowledgement, compared with the registry."""
        reply = await self.socket.call(event, arguments or ({},), timeout=SECONDS)
        expect(isinstance(reply, dict) and "ok" in reply, f"the acknowledgement of {event} is {reply!r}")
        try:
            if reply["ok"]:
                expect(set(reply) == {"ok", "data"}, f"the acknowledgement of {event} has {sorted(reply)}")
                CLIENT_EVENTS[event].reply.model_validate(reply["data"])
            else:
                expect(set(reply) == {"ok", "error"}, f"the acknowledgement of {event} has {sorted(reply)}")
                error = WireError.model_validate(reply["error"])
                expect(CATALOGUE.get(error.code, ("",))[0] == error.category, f"code {error.code}, {error.category}")
        except (ValidationError, KeyError) as error:
            raise Violation(f"the acknowledgement of {event} is not the registry's: {error}") from None
        return dict(reply)

    async def do(self, event: str, body: Any = None) -> Any:
        """The data of an acknowledgement that has to be a success."""
        reply = await self.ask(event, body if body is not None else {})
        expect(reply["ok"], f"{event} is refused with {reply.get('error', {}).get('code')}")
        if event in ("arrive", "admit", "snapshot"):
            self.views.append(reply["data"])
        return reply["data"]

    async def refused(self, code: str, event: str, *arguments: Any) -> None:
        """Raises:
        Violation: it is not refused with this code.
        """
        reply = await self.ask(event, *arguments)
        got = "a success" if reply["ok"] else reply["error"]["code"]
        expect(got == code, f"{event} gets {got}, not {code}")

    def numbers(self, name: str) -> list[int]:
        """Of the numbered events of a name."""
        return [int(beside["seq"]) for event, beside in self.beside if event == name]

    async def arrive(self, *, take_over: bool = False, **more: Any) -> dict[str, Any]:
        body = {"appointment": self.appointment, "participant": self.id, "take_over": take_over} | more
        view: dict[str, Any] = await self.do("arrive", body)
        return view

    async def admit(self, whom: "Page") -> dict[str, Any]:
        body = {"appointment": self.appointment, "participant": whom.id, "me": self.id}
        view: dict[str, Any] = await self.do("admit", body)
        return view

    async def drop(self) -> None:
        """As a network would."""
        await self.socket.eio.disconnect(abort=True)

    async def close(self) -> None:
        await self.socket.disconnect()
        if self.socket.eio.http and not self.socket.eio.http.closed:
            await self.socket.eio.http.close()

    async def _hear(self, event: str, *arguments: Any) -> None:
        body = arguments[0] if arguments else None
        self.heard.append((event, body))
        if len(arguments) > 1:
            self.beside.append((event, arguments[1]))
        if event not in SERVER_EVENTS:
            self.strange.append(f"{event} is no event of this protocol")
            return
        try:
            SERVER_EVENTS[event][0].model_validate(body if body is not None else {})
        except ValidationError as error:
            self.strange.append(f"{event} is not the registry's: {error}")
        if event == "room" and body is not None:
            self.views.append(body)

    async def _refuse(self, data: Any = None) -> None:
        self.refusal = data

    async def _present(self, *_: Any) -> dict[str, Any]:
        self.heard.append(("present", {}))
        if self.silent:
            await asyncio.sleep(SECONDS)
        return {}


class Refused(Exception):  # noqa: N818 -- the answer
    """A CONNECT was, by ``{message, data: <WireError>}``; ``code`` is None if not in this protocol's words."""

    def __init__(self, data: Any) -> None:
        error = data.get("data") if isinstance(data, dict) else None
        self.error: dict[str, Any] = error if isinstance(error, dict) else {}
        self.code: str | None = self.error.get("code")
        super().__init__(f"refused with {self.code}")


@dataclass
class Consult:
    """Both are in."""

    appointment: str
    link: str
    doctor: Page
    guest: Page


class World:
    """Everything that a check made goes when it ends; the appointments when all are made."""

    def __init__(self, url: str, account: Account, tls: ssl.SSLContext | None = None) -> None:
        self.url = url.rstrip("/")
        self.account = account
        self.tls = tls
        self.desk = Rest(self.url, tls=tls)
        self.visitor = Rest(self.url, tls=tls)
        self._pages: list[Page] = []
        self.appointments: list[str] = []

    async def sign_in(self, desk: Rest | None = None) -> None:
        who = desk or self.desk
        if self.account.link:
            await who.sign_in_with_link(self.account.link.rsplit("#", 1)[-1])
        else:
            await who.sign_in(self.account.mail, self.account.password)

    async def appointment(self) -> tuple[str, str]:
        """A new one that begins now: its id and what stands behind the ``#`` of its link."""
        view = await self.desk.new_appointment(PATIENT, datetime.now(UTC).isoformat(timespec="seconds"))
        self.appointments.append(view.appointment)
        return view.appointment, view.link.split("#")[1]

    def page(self, appointment: str, participant: str | None = None) -> Page:
        page = Page(self, appointment, participant)
        self._pages.append(page)
        return page

    async def doctor(self, appointment: str, **auth: Any) -> Page:
        return await self.page(appointment).connect(await self.desk.desk_ticket(), **auth)

    async def guest(self, link: str, **auth: Any) -> Page:
        joined = await self.visitor.join(link)
        return await self.page(joined.appointment).connect(joined.access_token, **auth)

    async def returning(self, before: Page, *, same: bool = False, **auth: Any) -> Page:
        """With the resume ticket of ``before``: a reload, or with ``same`` a page that lost its socket."""
        page = self.page(before.appointment, before.id if same else None)
        return await page.connect(str(before.view["resume"]), **auth)

    async def waiting(self, **auth: Any) -> Consult:
        """The patient waits, the practitioner watches. ``auth``: what the patient's page says beside its token."""
        appointment, link = await self.appointment()
        doctor, guest = await self.doctor(appointment), await self.guest(link, **auth)
        await doctor.do("watch")
        await guest.arrive()
        return Consult(appointment, link, doctor, guest)

    async def consult(self, **auth: Any) -> Consult:
        """Both are in."""
        them = await self.waiting(**auth)
        await them.doctor.admit(them.guest)
        await until(lambda: them.guest.view["me"]["state"] == "admitted", "the patient is not told of its admission")
        return them

    async def go_home(self) -> list[str]:
        """What the pages heard that they should not have."""
        strange = [one for page in self._pages for one in page.strange]
        while self._pages:
            await self._pages.pop().close()
        return strange

    async def close(self) -> None:
        """Leave nothing behind."""
        await self.go_home()
        try:
            await self.sign_in()
            for appointment in self.appointments:
                await self.desk.destroy_appointment(appointment)
            await self.desk.sign_out()
        except ClientError:
            pass  # The server is away: nothing more can be done from here.
        await self.desk.close()
        await self.visitor.close()
