"""Pictures that come by a form: taken in, and said why not beside the field; and photographs as browsers get them."""

import re
from collections.abc import Mapping
from typing import Final

from aiohttp import web

from practice.pictures.model import TYPES, Picture, Use
from signaling import sessions
from signaling.rest.endpoint import Call
from signaling.scopes import of_server, of_standing
from signaling.typedefs import INTAKE, STORE
from vault.audit import Act, Draft, practitioner
from vault.errors import DomainError

SAYS: Final[Mapping[str, tuple[str, str]]] = {
    "too_large": ("picture", "picture.too_large"),
    **{
        code: ("picture", f"error.{code}")
        for code in ("picture_unreadable", "picture_pixels", "file_infected", "scanner_missing")
    },
}
"""What a form with a picture says beside its field ``picture``."""


PHOTOGRAPHS: Final = "/photographs"
NAME: Final = re.compile(r"([\w-]{22}-\d{1,9})\.jpg", re.ASCII)


def address(photograph: Picture) -> str:
    """Where a photograph is. Nobody guesses it, and it is good for as long as that may be seen."""
    return f"{PHOTOGRAPHS}/{photograph.name}.jpg"


async def serve(request: web.Request) -> web.Response:
    """The photograph of somebody who lets patients see it, or one's own."""
    store, name = request.app[STORE], NAME.fullmatch(request.match_info["name"])
    if name is None:
        raise web.HTTPNotFound
    try:
        found = await store.pictures.named(of_server(), name[1])
    except DomainError as error:
        if error.code != "not_found":
            raise
        found = await store.pictures.named(of_standing((await sessions.caller(request)).standing), name[1])
    headers = {"Cache-Control": "private, max-age=300"}
    return web.Response(body=found.data, content_type=TYPES[found.use], headers=headers)


async def taken(call: Call, data: bytes, use: Use) -> bytes:
    """A picture as it may be kept. In which file the scanner found something is entered, whatever it was.

    Errors: as of ``Intake.take``.
    """
    app = call.request.app
    try:
        return await app[INTAKE].take(data, use)
    except DomainError as error:
        if error.code == "file_infected":
            await app[STORE].audit.record_all([Draft(Act.FILE_REFUSED, practitioner(call.practitioner), detail=use)])
        raise
