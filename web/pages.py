"""One handler per page. What a page shows of people it fetches itself, so every page is the same for everybody."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

from aiohttp import web

from practice.statistics.model import SMALLEST
from signaling import typedefs
from signaling.addresses import public_origin
from signaling.settings import SignalingSettings
from vault.inventory import Category, inventory
from web.render import SETTINGS, page
from web.storage import KEPT

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
STORED = [
    (category, [entry for entry in inventory().entry if entry.category == category])
    for category in get_args(Category)
    if category != "nobody"
]
"""What the privacy page says is stored: the inventory, but for what is about nobody."""

FOR_MACHINES = (
    "/api/",
    "/socket.io/",
    "/health/",
    "/metrics",
    "/static/",
    "/branding/",
    "/photographs/",
    "/.well-known/",
)


async def home(request: web.Request) -> web.Response:
    return page(request, "home.html")


async def sign_in(request: web.Request) -> web.Response:
    ways = request.app[typedefs.STORE].registrations.ways if typedefs.STORE in request.app else ()
    return page(request, "signin.html", registers=bool(ways))


async def desk(request: web.Request) -> web.Response:
    return page(request, "desk.html")


async def patient(request: web.Request) -> web.Response:
    return page(request, "patient.html")


async def code(request: web.Request) -> web.Response:
    return page(request, "code.html")


async def privacy(request: web.Request) -> web.Response:
    return page(request, "privacy.html", **statement_context(request.app))


def statement_context(app: web.Application) -> dict[str, Any]:
    """What the privacy page is made of."""
    door = app.get(typedefs.DOOR)
    sms, push = (sorted(door.sms), sorted(door.push)) if door else ([], [])
    bounces, requests = (sorted(door.bounces), sorted(door.requests)) if door else ([], [])
    read = {"bounces": bounces, "requests": requests}
    relay = app[typedefs.TURN].server if typedefs.TURN in app else None
    through = {"mail": sorted(door.hosts) if door else [], "turn": relay and relay[0]}
    recipients = {"sms": sms, "push": push, "read": read, "through": through}
    return {"kept": KEPT, "stored": STORED, "smallest": SMALLEST, **recipients}


async def security_txt(request: web.Request) -> web.Response:
    """RFC 9116. ``Expires`` stays half a year ahead for as long as the server runs."""
    settings = request.app[SETTINGS]
    mail = settings.operator.mail
    origin = public_origin(request.app.get(typedefs.SETTINGS) or SignalingSettings())
    contact = settings.security_contact or (f"mailto:{mail}" if mail else f"{origin}/privacy")
    expires = (datetime.now(UTC) + timedelta(days=180)).replace(hour=0, minute=0, second=0, microsecond=0)
    lines = (
        f"Contact: {contact}",
        f"Contact: {origin}/report",
        f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}",
        "Preferred-Languages: nl, en",
        f"Policy: {origin}/privacy",
    )
    return web.Response(text="\n".join(lines) + "\n", content_type="text/plain", charset="utf-8")


@web.middleware
async def neutral_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A person who asks for an address that does not exist gets a page; machines get what their routes say."""
    try:
        return await handler(request)
    except (web.HTTPNotFound, web.HTTPMethodNotAllowed) as error:
        if request.path.startswith(FOR_MACHINES) or "text/html" not in request.headers.get("Accept", ""):
            raise
        return page(request, "lost.html", status=error.status)
