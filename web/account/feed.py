"""The calendar feed: when one is busy, for one's own calendar program; its address is shown once."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from practice.calendars import Busy, written
from practice.organisation.rights import Right
from signaling.addresses import client_network, public_origin
from signaling.limiter import FEED_NETWORK
from signaling.rest.endpoint import Call
from signaling.scopes import of_feed, of_practitioner
from signaling.typedefs import LIMITER, NOW, SETTINGS, STORE, ZONE
from vault.audit import Act, Draft, practitioner
from vault.errors import DomainError
from web.account.pages import Nothing
from web.forms import Form, Page, Shown
from web.locale import CATALOGUES

PATH: Final = "/calendar"
BEFORE, AHEAD = timedelta(days=31), timedelta(days=366)
REFRESH: Final = timedelta(hours=1)


async def show(call: Call) -> Mapping[str, object]:
    """Since when there is one."""
    found = await call.request.app[STORE].feeds.of(call.scope)
    return {"since": found and found.since}


async def make(call: Call) -> Shown:
    """A new address, seen this once; what read the old one reads nothing any more."""
    app = call.request.app
    _, token = await app[STORE].feeds.make(call.scope)
    return Shown("account/feed_made.html", {"address": f"{public_origin(app[SETTINGS])}{PATH}/{token}.ics"})


async def end(call: Call) -> bool:
    """None any more."""
    return await call.request.app[STORE].feeds.end(call.scope)


def made(call: Call, _shown: object) -> Draft:
    return Draft(Act.FEED_CHANGED, practitioner(call.practitioner), detail="set")


def ended(call: Call, _done: object) -> Draft:
    return Draft(Act.FEED_CHANGED, practitioner(call.practitioner), detail="removed")


async def serve(request: web.Request) -> web.Response:
    """The times of whoever's feed it is: no name, no id, nothing by which an appointment could be reached. 404 for
    any other address, also when the account is deactivated.
    """
    app, store = request.app, request.app[STORE]
    owner = await store.feeds.whose(request.match_info["token"])
    standing = owner and await store.organisation.standing(owner)
    if not owner or not standing:
        await app[LIMITER].count(FEED_NETWORK, client_network(request))
        raise web.HTTPNotFound
    now, zone = app[NOW](), app[ZONE]()
    first, last = ((now - BEFORE).astimezone(zone).date(), (now + AHEAD).astimezone(zone).date())
    found, _ = await store.appointments.glimpses(of_feed(owner), first, last, zone)
    try:
        person = await store.practitioners.get(of_practitioner(owner))
    except DomainError:
        raise web.HTTPNotFound from None
    busy, origin = CATALOGUES[person.language].text("feed.busy"), public_origin(app[SETTINGS])
    marks = [sha256(f"{owner} {one.starts_at.isoformat()} {number}".encode()) for number, one in enumerate(found)]
    entries = [
        Busy(
            f"{mark.hexdigest()[:32]}@{urlsplit(origin).hostname}",
            one.starts_at,
            one.minutes,
            busy,
            url=f"{origin}/desk",
        )
        for mark, one in zip(marks, found, strict=True)
    ]
    headers = {"Cache-Control": "private, no-store", "X-Robots-Tag": "noindex"}
    body = await asyncio.to_thread(written, entries, now, busy, REFRESH)  # zones are files
    return web.Response(body=body, content_type="text/calendar", charset="utf-8", headers=headers)


FEED: Final = Page("/account/feed", "account/feed.html", show, right=Right.AGENDA)

PAGES: Final = (FEED,)
FORMS: Final = (
    Form("/account/feed/make", FEED, Nothing, make, entered=made),
    Form("/account/feed/end", FEED, Nothing, end, done="removed", entered=ended),
)
"""``pages`` has each page and each form."""
