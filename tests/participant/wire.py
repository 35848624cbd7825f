"""REST and Socket.IO as a client sees them; every body is checked against the registry on its way."""

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self

import aiohttp
import socketio
from pydantic import BaseModel

from signaling.protocol.errors import WireError
from signaling.protocol.events import CLIENT_EVENTS, SERVER_EVENTS, Connect
from signaling.protocol.model import PROTOCOL_VERSION, Message
from signaling.protocol.rest import AppointmentList, AppointmentView, Failure, Join, Me, NewAppointment, Ticket

_SECONDS = 10.0

Listener = Callable[[str, Any], None]


class Refusal(Exception):  # noqa: N818 - the server's answer, not our failure
    """The server said no; ``code`` is from the catalogue."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Rest:
    """The REST calls of a page, with its cookies.

    Args:
        url: the server's origin, without a slash at the end.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = aiohttp.ClientSession(
            headers={"Origin": url}, cookie_jar=aiohttp.CookieJar(unsafe=True), timeout=aiohttp.ClientTimeout(_SECONDS)
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """The answer's JSON.

        Raises:
            Refusal: any status but a success.
        """
        async with self._session.request(method, self.url + path, json=body) as response:
            text = await response.text()
            if not response.ok:
                raise Refusal(Failure.model_validate_json(text).error.code)
            return await response.json() if text else None

    async def sign_in(self, token: str) -> Me:
        """By a sign-in link: what stands behind its ``#``."""
        return Me.model_validate(await self.call("POST", "/api/sign-in/link", {"token": token}))

    async def desk_ticket(self) -> str:
        return Ticket.model_validate(await self.call("POST", "/api/desk/ticket", {})).access_token

    async def appointments(self) -> list[AppointmentView]:
        return AppointmentList.model_validate(await self.call("GET", "/api/appointments")).appointments

    async def new_appointment(self, patient: str, starts_at: str, minutes: int = 30) -> AppointmentView:
        body = NewAppointment(patient=patient, starts_at=starts_at, minutes=minutes)
        return AppointmentView.model_validate(await self.call("POST", "/api/appointments", body.model_dump()))

    async def join(self, link: str) -> Join:
        """By a patient's link: what stands behind its ``#``."""
        return Join.model_validate(await self.call("POST", "/api/join", {"link": link}))


class Wire:
    """One Socket.IO connection. It does not reconnect by itself.

    Args:
        listener: called with (event, body) of each server event, in order; the body is the registry's model.
    """

    def __init__(self, url: str, listener: Listener) -> None:
        self.url = url
        self._listener = listener
        self._client = socketio.AsyncClient(reconnection=False)
        self._client.on("disconnect", self._lost)
        for event in SERVER_EVENTS:
            self._client.on(event, self._handler(event))

    @property
    def connected(self) -> bool:
        return bool(self._client.connected)

    async def open(self, token: str) -> None:
        """Raises:
        Refusal: the server does not take the token, the origin or the version.
        """
        auth = Connect(version=PROTOCOL_VERSION, token=token).model_dump()
        try:
            await self._client.connect(
                self.url, headers={"Origin": self.url}, auth=auth, transports=["websocket"], wait_timeout=_SECONDS
            )
        except socketio.exceptions.ConnectionError as error:
            data = error.args[0] if error.args else None
            detail = data.get("data", data) if isinstance(data, dict) else None
            detail = detail.get("error", detail) if isinstance(detail, dict) else None
            raise Refusal(detail.get("code", "internal") if isinstance(detail, dict) else "unreachable") from error

    async def request(self, event: str, body: Message | None = None) -> Any:
        """The reply's model.

        Raises:
            Refusal: the acknowledgement was an error.
            TimeoutError: there was none.
        """
        registered = CLIENT_EVENTS[event]
        message = body or registered.body()
        assert isinstance(message, registered.body)
        try:
            reply = await self._client.call(event, message.model_dump(mode="json"), timeout=_SECONDS)
        except socketio.exceptions.TimeoutError:
            raise TimeoutError(f"no acknowledgement of {event}") from None
        if not reply.get("ok"):
            raise Refusal(WireError.model_validate(reply["error"]).code)
        return registered.reply.model_validate(reply["data"])

    async def send_raw(self, event: str, *arguments: Any) -> Any:
        """Anything, for tests of what a client may not send."""
        return await self._client.call(event, arguments, timeout=_SECONDS)

    async def drop(self) -> None:
        """Cut the connection as a network would: without a goodbye."""
        await self._client.eio.disconnect(abort=True)

    async def close(self) -> None:
        await self._client.disconnect()

    def _handler(self, event: str) -> Callable[..., Awaitable[Any]]:
        model: type[BaseModel] = SERVER_EVENTS[event][0]

        async def handle(*arguments: Any) -> dict[str, Any] | None:
            body = model.model_validate(arguments[0] if arguments and arguments[0] is not None else {})
            if event == "present":
                return {}
            self._listener(event, body)
            return None

        return handle

    async def _lost(self, *_reason: Any) -> None:
        self._listener("disconnect", None)


async def within(seconds: float, reason: Callable[[], str | None], interval: float = 0.02) -> None:
    """Wait until ``reason`` gives none any more.

    Raises:
        TimeoutError: with the last reason why not yet.
    """
    deadline = asyncio.get_running_loop().time() + seconds
    while why := reason():
        if asyncio.get_running_loop().time() > deadline:
            raise TimeoutError(why)
        await asyncio.sleep(interval)
