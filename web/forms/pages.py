"""The way of a form: who is signed in, what was sent, what is done, and what is shown."""

import hmac
import logging
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from aiohttp import web
from redis.exceptions import RedisError
from yarl import URL

from practice.organisation.rights import Right
from signaling import sessions
from signaling.middlewares import hung_up, route_pattern
from signaling.protocol.errors import CATALOGUE, ProtocolError, SpreekkamerError, to_wire
from signaling.rest.endpoint import Call, received
from signaling.typedefs import INTAKE, STORE
from vault.audit import Draft
from vault.errors import DomainError
from web.forms import multipart
from web.forms.fields import Fields, Sent, Wrong, is_file, parse, parse_parts
from web.forms.state import State
from web.render import form_page, translated

logger = logging.getLogger(__name__)

URLENCODED: Final = "application/x-www-form-urlencoded"
SIGN_IN: Final = "/signin"
SIGNED_OUT: Final = ("unauthenticated", "token_invalid")
FAULTS: Final = (SpreekkamerError, DomainError, RedisError)
UNPROCESSABLE: Final = 422
VARIABLE: Final = re.compile(r"\{(\w+)\}")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Entry = Callable[[Call, Any], Draft]


@dataclass(frozen=True)
class Page:
    """What a GET shows: ``template``, with what ``show`` gives and ``form('name')`` for each of its forms.

    A page has the ``right`` that who is signed in must have, for its forms too where these name none of their own.
    ``public`` ones are for whoever has a link, signed in or not; what stands in their address is theirs to check.
    Errors: ValueError for one that is neither, or both.
    """

    path: str
    template: str
    show: Callable[[Call], Awaitable[Mapping[str, object]]]
    entered: Entry | None = None
    """What the audit trail says of it, on disk before the page leaves."""
    right: Right | None = None
    public: bool = False
    who: Callable[[web.Request], Awaitable[sessions.Caller]] = sessions.caller
    """Who may open it. Errors: ``unauthenticated``."""

    def __post_init__(self) -> None:
        if self.public == (self.right is not None):
            raise ValueError(f"{self.path}: public, or for whom?")


@dataclass(frozen=True)
class Shown:
    """An answer that is shown at once, and once: what nobody may get a second time by its address."""

    template: str
    context: Mapping[str, object] = field(repr=False)


@dataclass(frozen=True)
class Download:
    """An answer that becomes a file, or is shown in the browser's window (``inline``)."""

    name: str
    content_type: str
    body: bytes = field(repr=False)
    inline: bool = False

    def response(self) -> web.Response:
        """Kept by no cache, and not compressed."""
        how = "inline" if self.inline else "attachment"
        headers = {"Content-Disposition": f'{how}; filename="{self.name}"', "Referrer-Policy": "strict-origin"}
        return web.Response(body=self.body, content_type=self.content_type, headers=headers)


@dataclass(frozen=True)
class Streamed:
    """An answer that becomes a file and is made while it leaves. What fails on the way breaks it off: whoever fetches
    it sees that it is not whole.
    """

    name: str
    content_type: str
    parts: AsyncGenerator[bytes, None] = field(repr=False)

    async def sent(self, request: web.Request) -> web.StreamResponse:
        """All of it, as fast as it is read; never raises."""
        headers = {"Content-Disposition": f'attachment; filename="{self.name}"', "Referrer-Policy": "strict-origin"}
        response = web.StreamResponse(headers=headers)
        response.content_type = self.content_type
        try:
            await response.prepare(request)
            async for part in self.parts:
                await response.write(part)
            await response.write_eof()
        except Exception as error:
            if not hung_up(error, request.transport):
                logger.exception("a file broke off", extra={"route": route_pattern(request)})
            if request.transport is not None:
                request.transport.abort()
        finally:
            await self.parts.aclose()
        return response


@dataclass(frozen=True)
class Form:
    """What a POST does. Afterwards the browser goes to ``goes``, else back to ``page``; both say ``done.<done>``.

    ``act`` gets the checked fields as ``call.body``. With an error the page comes back with what was typed. ``says``
    puts an error's code beside a field, in words of its own: code → (field, key of the text).
    """

    path: str
    page: Page
    fields: type[Fields]
    act: Callable[[Call], Awaitable[object]]
    done: str = ""
    entered: Entry | None = None
    goes: str | None = None
    says: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    right: Right | None = None
    most: int | None = None
    """Bytes of a file that it takes, where that is no picture."""

    @property
    def name(self) -> str:
        """As its template and its ids have it."""
        return self.path.rpartition("/")[2]

    @property
    def takes_file(self) -> bool:
        """Whether one of its fields is a file."""
        return any(is_file(self.fields, name) for name in self.fields.model_fields)


class Stale(SpreekkamerError):  # noqa: N818 -- a state, not a mistake
    """It was made for another session, or by somebody else."""

    def __init__(self) -> None:
        super().__init__("origin_refused")


def attach(app: web.Application, pages: Collection[Page], forms: Collection[Form]) -> None:
    """Add their addresses to ``app``."""
    for page in pages:
        told = frozenset(form.done for form in forms if form.done and (form.goes or form.page.path) == page.path)
        app.router.add_get(page.path, showing(page, [form for form in forms if form.page is page], told))
    shown = {page.path for page in pages}
    for form in forms:
        app.router.add_post(form.path, sending(form, [one for one in forms if one.page is form.page]))
        if form.path not in shown:
            app.router.add_get(form.path, leading_back(form.page))


def whatever_happens(page: Page, handler: Handler) -> Handler:
    """``handler``, and a page for people where it has none to give."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except Exception as error:  # noqa: BLE001 -- what is none of a page's errors is raised again
            return refused(request, page, code_of(error, request))

    return handle


def showing(page: Page, forms: Collection[Form], told: frozenset[str]) -> Handler:
    """A request handler for a page; ``told`` is what forms that lead to it may have done."""

    async def handle(request: web.Request) -> web.StreamResponse:
        done = request.query.get("done", "")
        return await view(await call_of(request, page), page, forms, done=done if done in told else "")

    return whatever_happens(page, handle)


def leading_back(page: Page) -> Handler:
    """A request handler for a form's address, where it came back and somebody chose another language or went back."""

    async def handle(request: web.Request) -> web.StreamResponse:
        return see_other(address(page.path, request.match_info).with_query(request.query))

    return handle


def sending(form: Form, forms: Collection[Form]) -> Handler:
    """A request handler for a form; ``forms`` are all of its page's."""

    async def handle(request: web.Request) -> web.StreamResponse:
        sent = Sent()
        try:
            call = await call_of(request, form.page, form.right)
            sent = await read(request, form)
            demand(sent.token, call, form)
            return await carried_out(replace(call, body=sent.checked(form.fields)), form)
        except FAULTS as error:
            if (code := code_of(error, request)) in SIGNED_OUT:
                raise
            return await returned(request, coming_back(error, code, form, sent, request), forms, error)

    return whatever_happens(form.page, handle)


async def carried_out(call: Call, form: Form) -> web.StreamResponse:
    """Done, entered, and told."""
    result = await form.act(call)
    if form.entered is not None:
        await call.request.app[STORE].audit.record_all([form.entered(call, result)])
    if isinstance(result, Shown):
        response = form_page(call.request, result.template, result.context)
    elif isinstance(result, Streamed):
        return await result.sent(call.request)
    elif isinstance(result, Download):
        response = result.response()
    else:
        path = address(form.goes or form.page.path, call.path)
        response = see_other(path.with_query(done=form.done) if form.done else path)
    for step in call.after:
        await step(response)
    return response


@dataclass(frozen=True)
class Back:
    """A form that comes back: with what was typed, and what is said of it by field."""

    form: Form
    code: str
    typed: Mapping[str, Any] = field(repr=False)
    problems: Mapping[str, str]
    words: Mapping[str, str]


async def returned(request: web.Request, back: Back, forms: Collection[Form], error: Exception) -> web.StreamResponse:
    """The page once more."""
    page = back.form.page
    status = UNPROCESSABLE if back.code == "invalid" else CATALOGUE[back.code][1]
    response = await view(await call_of(request, page), page, forms, back, status)
    if wait := to_wire(error).retry_after:
        response.headers["Retry-After"] = str(wait)
    return response


async def view(
    call: Call, page: Page, forms: Collection[Form], back: Back | None = None, status: int = 200, done: str = ""
) -> web.Response:
    """The page, and in it ``back``, or what was done."""
    shown = await page.show(call)
    if page.entered is not None:
        await call.request.app[STORE].audit.record_all([page.entered(call, shown)])
    states = {form.name: state(call, form, back) for form in forms}
    of_every_page = {
        "form": states.__getitem__,
        "back": states[back.form.name] if back else None,
        "done": done,
        "signed_in_by_passkey": call.session is not None and await sessions.by_passkey(call.request),
    }
    if taken := of_every_page.keys() & shown.keys():
        raise TypeError(f"{page.path} shows what every page has: {', '.join(sorted(taken))}")
    return form_page(call.request, page.template, {**shown, **of_every_page}, status=status)


def state(call: Call, form: Form, back: Back | None) -> State:
    """One form as a template has it. It says where it is sent only where its page has all variable parts of that."""
    known = set(VARIABLE.findall(form.path)) <= call.path.keys()
    action = str(address(form.path, call.path)) if known else ""
    token = "" if form.page.public else token_of(call)
    came = back if back is not None and back.form is form else None
    if came is None:
        return State(form.name, action, token, takes_file=form.takes_file)
    return State(form.name, action, token, came.typed, came.problems, came.words, takes_file=form.takes_file)


def address(path: str, parts: Mapping[str, str]) -> URL:
    """A path with its variable parts filled in."""
    return URL.build(path=path.format_map(parts))


async def call_of(request: web.Request, page: Page, more: Right | None = None) -> Call:
    """Who asks. Errors: ``unauthenticated``, also for an app: it has no form that could be somebody else's;
    ``not_found`` without the page's right, or the one that is needed beside it.
    """
    if page.right is None:
        return Call(request, None)
    who = await page.who(request)
    if who.session is None:
        raise ProtocolError("unauthenticated")
    for right in filter(None, (page.right, more)):
        who.demand(right)
    return Call(request, None, who.standing, session=who.session)


def demand(token: str, call: Call, form: Form) -> None:
    """Errors: ``Stale``, where a form of this session was to be sent and something else was."""
    if not form.page.public and not hmac.compare_digest(token.encode(), token_of(call).encode()):
        raise Stale


def token_of(call: Call) -> str:
    """What a form of this session holds."""
    return sessions.form_token(call.request)


async def read(request: web.Request, form: Form) -> Sent:
    """The body. Errors: ``invalid``, ``too_large``."""
    if not form.takes_file:
        body = await received(request)
        if body and request.content_type != URLENCODED:
            raise ProtocolError("invalid")
        return parse(body, form.fields)
    if request.content_type != multipart.TYPE:
        raise ProtocolError("invalid")
    most = request.app[INTAKE].most if form.most is None else form.most
    body = await received(request, most + multipart.BESIDE, multipart.SECONDS)
    return parse_parts(body, request.headers["Content-Type"], form.fields)


def coming_back(error: Exception, code: str, form: Form, sent: Sent, request: web.Request) -> Back:
    """A form that comes back for an error. Of one that came from nobody knows where nothing is repeated."""
    typed = {} if isinstance(error, Stale) else sent.typed(form.fields)
    words = error.problems if isinstance(error, Wrong) else {}
    return Back(form, code, typed, problems_of(error, code, form, translated(request)), words)


def problems_of(error: Exception, code: str, form: Form, t: Callable[..., str]) -> dict[str, str]:
    """What is said of an error: by field, or of the whole."""
    if isinstance(error, Wrong):
        said = {
            name: [t(f"form.problem.{one}", **error.values.get(name, {})) for one in words.split()]
            for name, words in error.problems.items()
        }
        return {name: " ".join(texts) for name, texts in said.items()}
    if isinstance(error, Stale):
        return {"": t("form.stale")}
    if code in form.says:
        beside, key = form.says[code]
        return {beside: t(key)}
    wrong = error.field if isinstance(error, SpreekkamerError | DomainError) else None
    if code == "invalid" and wrong in form.fields.model_fields:
        return {str(wrong): t("form.problem.wrong")}
    return {"": t(f"error.{code}")}


def refused(request: web.Request, page: Page, code: str) -> web.StreamResponse:
    """There is nothing to be shown: whoever is not signed in signs in first, others read why."""
    if code in SIGNED_OUT:
        return see_other(URL.build(path=SIGN_IN).with_query(next=str(address(page.path, request.match_info))))
    if code == "not_found":
        return form_page(request, "lost.html", {}, status=404)
    return form_page(request, "trouble.html", {"code": code}, status=CATALOGUE[code][1])


def code_of(error: Exception, request: web.Request) -> str:
    """The stable code of what went wrong. What is no error of a page's is raised again."""
    if isinstance(error, web.HTTPException) or hung_up(error, request.transport):
        raise error
    if isinstance(error, RedisError):
        return "try_again"
    code = to_wire(error).code
    if code == "internal":
        logger.error("a page failed", extra={"route": route_pattern(request), "method": request.method}, exc_info=error)
    return code


def see_other(where: URL) -> web.Response:
    """The browser goes there, and a reload sends nothing again."""
    return web.Response(status=303, headers={"Location": str(where)})
