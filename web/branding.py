"""What a practice's pages look like, for browsers: each file at an address that says what is in it, kept for good.

A server that is asked for what it does not know looks whether another one has changed it, at most once a second:
whoever asks may be anybody.
"""

from typing import Final

from aiohttp import web

from signaling.typedefs import STORE
from web.assets import FOR_GOOD
from web.naming import PRACTICE

AGAIN_SECONDS: Final = 1.0


async def serve(request: web.Request) -> web.Response:
    """A file of the practice's. What is none of these is nowhere, whatever the address says."""
    practice = request.app[PRACTICE]
    if (asset := practice.files.get(request.path)) is None and STORE in request.app:
        await practice.look_once_more(request.app, AGAIN_SECONDS)
        asset = practice.files.get(request.path)
    if asset is None:
        raise web.HTTPNotFound
    response = asset.response(request)
    response.headers["Cache-Control"] = FOR_GOOD
    return response
