"""An archive of ours, taken back into an account: all of it or nothing (S-46)."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Annotated, Final

from pydantic import Field

from practice.organisation.rights import Right
from practice.portability.opened import MOST, NotTaken
from signaling.gate import SIGNALING
from signaling.limiter import IMPORTS
from signaling.rest.endpoint import Call
from signaling.typedefs import LIMITER, NOW, STORE
from vault.audit import Act, Draft, practitioner
from web.forms import Fields, Form, Page, Secret, Shown, Wrong


class Archived(Fields):
    """The archive, and the password that was shown with it."""

    archive: Annotated[bytes, Field(min_length=1, max_length=MOST)]
    secret: Annotated[Secret, Field(min_length=1, max_length=200)]


async def show(_call: Call) -> Mapping[str, object]:
    """What is taken, and what is not."""
    return {}


async def take(call: Call) -> Shown:
    """New appointments with new links, told to nobody. Errors: ``Wrong`` for an archive that is not taken, which says
    why; ``rate_limited`` for the same archive within a day, ``try_again`` while the disk is nearly full.
    """
    app, said = call.request.app, call.body
    try:
        secret = said.secret.get_secret_value().strip()
        taken = await app[STORE].imports.reading.opened(said.archive, secret, app[NOW]())
    except NotTaken as refused:
        where = "secret" if refused.problem == "password" else "archive"
        raise Wrong({where: f"archive_{refused.problem}"}) from None
    once = (call.practitioner, sha256(said.archive).hexdigest())
    await app[LIMITER].take(IMPORTS, *once)
    try:
        done = await app[STORE].imports.take(call.scope, taken)
    except Exception:
        await app[LIMITER].give_back(IMPORTS, *once)
        raise
    drafted = Draft(Act.DATA_IMPORTED, practitioner(call.practitioner), detail=str(done.appointments))
    await app[STORE].audit.record_all([drafted])
    await app[SIGNALING].told(call.practitioner)
    return Shown("account/imported.html", {"added": done.appointments, "past": done.past})


IMPORTING: Final = Page("/account/import", "account/import.html", show, right=Right.AGENDA)

NOT_TAKEN: Final = {
    "too_large": ("archive", "form.problem.archive_large"),
    "rate_limited": ("archive", "form.problem.archive_again"),
}

PAGES: Final = (IMPORTING,)
FORMS: Final = (Form("/account/import", IMPORTING, Archived, take, most=MOST, says=NOT_TAKEN),)
"""``pages`` has each page and each form."""
