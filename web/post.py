"""The page of a sandbox on which all stands that it would have sent. A server that sends has none of it."""

import hmac
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from aiohttp import web

from practice.notices.paper import LINK
from practice.post import Letterbox, Posted
from signaling.protocol.errors import UserError
from signaling.rest.endpoint import Call
from web import forms
from web.headers import LETTER_POLICY

PATH: Final = "/post/{token}"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def attach(app: web.Application, post: Letterbox) -> None:
    """Add its addresses; each holds the token, which the command that runs the sandbox prints."""

    async def show(call: Call) -> Mapping[str, object]:
        if not _is_theirs(call.request, post):
            raise UserError("not_found")
        return {"sent": post.sent, "parted": parted, "path": post.path}

    forms.attach(app, [forms.Page(PATH, "post.html", show, public=True)], ())
    app.router.add_get(f"{PATH}/{{number}}/page", _one(post, page_of))
    app.router.add_get(f"{PATH}/{{number}}/entry.ics", _one(post, entry_of))
    app.router.add_get(f"{PATH}/{{number}}/pictures/{{name}}", _one(post, picture_of))


def parted(text: str) -> list[tuple[str, str]]:
    """A text as what stands before each link, and the link; the last is empty."""
    found, at = [], 0
    for link in LINK.finditer(text):
        found.append((text[at : link.start()], link[0]))
        at = link.end()
    return [*found, (text[at:], "")]


def page_of(request: web.Request, one: Posted) -> web.Response:
    """The form of a letter that most programs show, with its pictures from here."""
    page = one.page
    for name in one.pictures:
        page = page.replace(f"cid:{name}", f"pictures/{name}")
    if not page:
        raise web.HTTPNotFound
    return web.Response(text=page, content_type="text/html", headers={"Content-Security-Policy": LETTER_POLICY})


def entry_of(request: web.Request, one: Posted) -> web.Response:
    """The calendar entry, as a file."""
    if not one.calendar:
        raise web.HTTPNotFound
    headers = {"Content-Disposition": 'attachment; filename="invite.ics"'}
    body = one.calendar.replace("\n", "\r\n").encode()
    return web.Response(body=body, content_type="text/calendar", charset="utf-8", headers=headers)


def picture_of(request: web.Request, one: Posted) -> web.Response:
    """A logo."""
    found = one.pictures.get(request.match_info["name"])
    if found is None:
        raise web.HTTPNotFound
    return web.Response(body=found, content_type="image/png")


def _one(post: Letterbox, shown: Callable[[web.Request, Posted], web.Response]) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        number = request.match_info["number"]
        one = post.get(int(number)) if number.isdecimal() and len(number) < 10 else None
        if one is None or not _is_theirs(request, post):
            raise web.HTTPNotFound
        return shown(request, one)

    return handle


def _is_theirs(request: web.Request, post: Letterbox) -> bool:
    return hmac.compare_digest(request.match_info["token"].encode(), post.token.encode())
