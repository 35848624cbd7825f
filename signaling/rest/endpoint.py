"""One row of the table of REST routes, and the one way from an HTTP request to a handler and back."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web
from pydantic import TypeAdapter, ValidationError

from signaling import sessions
from signaling.protocol.errors import ProtocolError, wrong_field
from signaling.protocol.model import API, Empty, Message
from signaling.scopes import of_practitioner
from signaling.typedefs import STORE
from vault.audit import Draft
from vault.records.scope import Scope

BODY_BYTES: Final = 16_384
BODY_SECONDS: Final = 10.0

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Call:
    """A checked request. ``practitioner`` is the id of who is signed in, empty where nobody needs to be; ``family``
    that of the app it is by, ``session`` the reference of the browser's session.

    ``after`` is called with the response before it goes out, for cookies.
    """

    request: web.Request
    body: Any
    practitioner: str = ""
    family: str | None = None
    session: str | None = None
    after: list[Callable[[web.StreamResponse], Awaitable[None]]] = field(default_factory=list)

    @property
    def scope(self) -> Scope:
        """Of who is signed in."""
        return of_practitioner(self.practitioner)

    @property
    def path(self) -> dict[str, str]:
        """The variable parts of the address."""
        return dict(self.request.match_info)


@dataclass(frozen=True)
class Endpoint:
    """A route, from which the aiohttp route and its OpenAPI description are made."""

    method: str
    route: str
    """The address below ``API``."""
    handler: Callable[[Call], Awaitable[Message | None]]
    summary: str
    body: type[Message] | None = None
    reply: type[Message] | None = None
    public: bool = False
    status: int = 200
    query: Mapping[str, Any] = field(default_factory=dict)
    """Its optional parameters, with their types."""
    codes: tuple[str, ...] = ()
    entered: Callable[[Call, Any], Draft] | None = None
    """What the audit trail says of it, on disk before the answer leaves."""

    @property
    def path(self) -> str:
        """The whole address, with its variable parts in braces."""
        return API + self.route


def aiohttp_handler(endpoint: Endpoint) -> Handler:
    """Sign-in first, then the body, then the handler; errors go through ``signaling.middlewares``."""

    async def handle(request: web.Request) -> web.StreamResponse:
        who = sessions.Caller("") if endpoint.public else await sessions.caller(request)
        check_query(request, endpoint.query)
        call = Call(request, await read(request, endpoint.body), who.practitioner, who.family, who.session)
        reply = await endpoint.handler(call)
        if endpoint.entered is not None:
            await request.app[STORE].audit.record_all([endpoint.entered(call, reply)])
        response = web.Response(status=204) if reply is None else answer(reply, endpoint.status)
        for step in call.after:
            await step(response)
        return response

    return handle


def check_query(request: web.Request, known: Mapping[str, Any]) -> None:
    """Each parameter at most once, of its type, and no other."""
    for name in set(request.query):
        given = request.query.getall(name)
        if name not in known:
            raise ProtocolError("invalid")
        try:
            TypeAdapter(known[name]).validate_python(given[0])
        except ValidationError:
            raise ProtocolError("invalid", field=name) from None
        if len(given) > 1:
            raise ProtocolError("invalid", field=name)


def answer(reply: Message, status: int = 200) -> web.Response:
    """A model as JSON that no cache keeps."""
    return web.Response(
        text=reply.model_dump_json(),
        status=status,
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


async def read(request: web.Request, model: type[Message] | None) -> Message:
    """The body as its model. A route without one accepts none, or ``{}``."""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            data = await request.content.read(BODY_BYTES + 1) if request.can_read_body else b""
            while len(data) <= BODY_BYTES and not request.content.at_eof():
                data += await request.content.read(BODY_BYTES + 1 - len(data))
    except TimeoutError:
        raise ProtocolError("invalid") from None
    if len(data) > BODY_BYTES or (request.content_length or 0) > BODY_BYTES:
        raise ProtocolError("too_large")
    if model is None and not data:
        return Empty()
    if request.content_type != "application/json":
        raise ProtocolError("invalid")
    try:
        return (model or Empty).model_validate_json(data)
    except ValidationError as error:
        raise ProtocolError("invalid", field=wrong_field(error)) from None
