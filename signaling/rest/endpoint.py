"""One row of the table of REST routes, and the one way from an HTTP request to a handler and back."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web
from pydantic import TypeAdapter, ValidationError

from practice.organisation.model import Standing
from practice.organisation.rights import Right
from signaling import sessions
from signaling.protocol.errors import ProtocolError, wrong_field
from signaling.protocol.model import API, Empty, Message
from signaling.scopes import of_standing
from signaling.typedefs import STORE
from vault.audit import Act, Draft, practitioner
from vault.records.scope import Scope

BODY_BYTES: Final = 16_384
BODY_SECONDS: Final = 10.0
WHOM: Final = "practitioner"
"""The parameter that names for whom somebody works; without it what is asked for is one's own."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Call:
    """A checked request. ``standing`` is who is signed in, None where nobody needs to be; ``family`` is that of the app
    it is by, ``session`` the reference of the browser's session.

    ``after`` is called with the response before it goes out, for cookies.
    """

    request: web.Request
    body: Any
    standing: Standing | None = None
    family: str | None = None
    session: str | None = None
    after: list[Callable[[web.StreamResponse], Awaitable[None]]] = field(default_factory=list)

    @property
    def practitioner(self) -> str:
        """The id of who is signed in, empty where nobody needs to be."""
        return self.standing.account if self.standing else ""

    @property
    def scope(self) -> Scope:
        """Of who is signed in."""
        return of_standing(self.standing)

    @property
    def path(self) -> dict[str, str]:
        """The variable parts of the address."""
        return dict(self.request.match_info)

    @property
    def whom(self) -> str:
        """Whose appointments it is about: of who is signed in, or of whom they work for."""
        return self.request.query.get(WHOM, self.practitioner)


@dataclass(frozen=True)
class Endpoint:
    """A route, from which the aiohttp route and its OpenAPI description are made: ``public``, or with the ``right``
    that who is signed in must have. Errors: ValueError for one that is neither, or both.
    """

    method: str
    route: str
    """The address below ``API``."""
    handler: Callable[[Call], Awaitable[Message | None]]
    summary: str
    body: type[Message] | None = None
    reply: type[Message] | None = None
    right: Right | None = None
    public: bool = False
    status: int = 200
    query: Mapping[str, Any] = field(default_factory=dict)
    """Its optional parameters, with their types."""
    codes: tuple[str, ...] = ()
    entered: Callable[[Call, Any], Draft | Sequence[Draft]] | None = None
    """What the audit trail says of it, on disk before the answer leaves."""

    def __post_init__(self) -> None:
        if self.public == (self.right is not None):
            raise ValueError(f"{self.method} {self.route}: public, or for whom?")

    @property
    def path(self) -> str:
        """The whole address, with its variable parts in braces."""
        return API + self.route


def aiohttp_handler(endpoint: Endpoint) -> Handler:
    """Sign-in first, then the body, then the handler; errors go through ``signaling.middlewares``."""

    async def handle(request: web.Request) -> web.StreamResponse:
        who = None if endpoint.right is None else await sessions.caller(request)
        if who is not None and endpoint.right is not None:
            who.demand(endpoint.right)
        check_query(request, endpoint.query)
        by = (None, None, None) if who is None else (who.standing, who.family, who.session)
        call = Call(request, await read(request, endpoint.body), *by)
        reply = await endpoint.handler(call)
        if endpoint.entered is not None:
            await request.app[STORE].audit.record_all(for_whom(call, endpoint.entered(call, reply)))
        response = web.Response(status=204) if reply is None else answer(reply, endpoint.status)
        for step in call.after:
            await step(response)
        return response

    return handle


def for_whom(call: Call, entered: Draft | Sequence[Draft]) -> list[Draft]:
    """What is entered, and behind each for whom somebody did it who works for somebody."""
    drafts = [entered] if isinstance(entered, Draft) else list(entered)
    if call.whom == call.practitioner:
        return drafts
    whom = practitioner(call.whom)
    return [one for draft in drafts for one in (draft, Draft(Act.WORKED_FOR, draft.by, whom, draft.act))]


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


async def received(request: web.Request, most: int = BODY_BYTES, seconds: float = BODY_SECONDS) -> bytes:
    """The body, within bounds of size and time. Errors: ``invalid``, ``too_large``."""
    try:
        async with asyncio.timeout(seconds):
            data = await request.content.read(most + 1) if request.can_read_body else b""
            parts = [data]
            while data and (left := most + 1 - sum(map(len, parts))) > 0 and not request.content.at_eof():
                parts.append(data := await request.content.read(left))
    except TimeoutError:
        raise ProtocolError("invalid") from None
    data = b"".join(parts)
    if len(data) > most or (request.content_length or 0) > most:
        raise ProtocolError("too_large")
    return data


async def read(request: web.Request, model: type[Message] | None) -> Message:
    """The body as its model. A route without one accepts none, or ``{}``."""
    data = await received(request, seconds=BODY_SECONDS)
    if model is None and not data:
        return Empty()
    if request.content_type != "application/json":
        raise ProtocolError("invalid")
    try:
        return (model or Empty).model_validate_json(data)
    except ValidationError as error:
        raise ProtocolError("invalid", field=wrong_field(error)) from None
