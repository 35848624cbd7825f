"""All of one's own, taken along (S-46): made ready, and put together while it is fetched, once and within a day.

The archive's password is shown when it is ready and never again. Between the two nothing of it exists: neither a copy
on a disk nor the password, and what is destroyed before somebody fetches it is not in it.
"""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Final

from pydantic import Field

from practice.accounts.model import Practitioner
from practice.organisation.oversight import TrailLine
from practice.organisation.rights import Right
from practice.portability.file import Pack
from signaling import sessions
from signaling.exports import EXPORTS, Way
from signaling.gate import SIGNALING
from signaling.protocol.errors import UserError
from signaling.rest import account
from signaling.rest.appointments import receipt_view
from signaling.rest.endpoint import Call
from signaling.typedefs import NOW, STORE, ZONE
from vault.audit import Act, Draft, practitioner
from vault.records.scope import Scope
from web.account.data import DATA
from web.forms import NOT_ASKED, Fields, Form, Page, Password, Secret, Shown, Streamed

ZIP: Final = "application/zip"


class Confirmed(Fields):
    """The password once more: the file holds what others wrote down nowhere."""

    password: Password = NOT_ASKED


class Fetch(Fields):
    """What the page of the one that is ready holds."""

    token: Annotated[Secret, Field(min_length=44, max_length=44)]


class Nothing(Fields):
    """A button."""


@dataclass(frozen=True)
class Whose:
    """An account whose records leave."""

    scope: Scope
    person: Practitioner


async def ready(call: Call) -> Shown:
    """One may be fetched from here on; it and its password are shown once."""
    await account.confirmed(call, call.body.password.get_secret_value())
    call.request.app[STORE].reserve.require()
    token = await made(call, await whose(call), "own")
    secret = {"form_token": sessions.form_token(call.request), "action": "/account/export/fetch"}
    return Shown("account/export_ready.html", shown(call, token) | secret)


def shown(call: Call, token: str) -> dict[str, object]:
    """What a page of one that is ready says of it."""
    return {"token": token, "password": call.request.app[EXPORTS].password(token)}


async def made(call: Call, of: Whose, way: Way) -> str:
    """The secret of another one, which takes the place of the one before."""
    pack = await packed(call, of, {}, "", way)
    return await call.request.app[EXPORTS].make(of.person.id, way, await pack.total())


async def whose(call: Call) -> Whose:
    """Who is signed in."""
    return Whose(call.scope, await call.request.app[STORE].practitioners.get(call.scope))


async def fetch(call: Call) -> Streamed:
    """The file, from now on to nobody else. Errors: ``link_invalid``, ``try_again`` with nothing begun."""
    app, token, of = call.request.app, call.body.token.get_secret_value(), await whose(call)
    if await app[EXPORTS].ready(token, "own") != of.person.id:
        raise UserError("link_invalid")
    about_them = await about(call, of)
    await app[STORE].audit.record(Act.DATA_EXPORTED, practitioner(of.person.id))
    return await streamed(call, of, about_them, token, "own")


async def streamed(call: Call, of: Whose, about_them: Mapping[str, Any], token: str, way: Way) -> Streamed:
    """The file that this link is good for once. Errors: ``link_invalid``."""
    app = call.request.app
    await app[EXPORTS].begin(token, way)
    pack = await packed(call, of, about_them, token, way)
    parts = told(pack, app[EXPORTS].password(token), partial(app[EXPORTS].told, token, way))
    return Streamed(f"spreekkamer-{app[NOW]():%Y-%m-%d}.zip", ZIP, parts)


async def told(pack: Pack, password: str, say: Any) -> AsyncGenerator[bytes, None]:
    """Its pieces; how it ended is said in any case."""
    whole, total = False, await pack.total()
    try:
        async for piece in pack.pieces(password):
            yield piece
        whole = True
    finally:
        await (say(total, "fetched") if whole else say(0, "broken"))


async def packed(call: Call, of: Whose, about_them: Mapping[str, Any], token: str, way: Way) -> Pack:
    app = call.request.app
    say = partial(app[EXPORTS].told, token, way)
    return Pack(app[STORE].exports, of.scope, of.person, about_them, app[NOW](), app[ZONE](), say)


async def about(call: Call, of: Whose) -> dict[str, Any]:
    """The account, its sign-ins, the receipts of what is gone, and what the trail says."""
    store, person, scope = call.request.app[STORE], of.person, of.scope
    change = await store.mail_changes.pending(scope)
    return {
        "account": {
            "mail": person.mail,
            "display_name": person.display_name,
            "language": person.language,
            "retention": person.retention,
        },
        "roles": sorted(scope.roles),
        "mail_change": change.mail if change else None,
        "sessions": [
            {"began": one.began.isoformat(), "used": one.used.isoformat()} for one in await store.sessions.of(scope)
        ],
        "apps": await call.request.app[SIGNALING].refresh.apps(person.id),
        "receipts": [receipt_view(one).model_dump() for one in await store.appointments.receipts(scope)],
        "trail": [entry_view(one) for one in await store.oversight.of_oneself(scope)],
    }


def entry_view(line: TrailLine) -> dict[str, str | None]:
    """A line of the trail, of which who asks is one party; of the other it says what, not who."""
    entry = line.entry
    by, on = ("self" if one else kind for one, kind in ((line.by, entry.actor), (line.on, entry.subject)))
    return {"at": entry.moment.isoformat(), "act": entry.act, "by": by, "on": on, "detail": entry.detail}


async def show(call: Call) -> Mapping[str, object]:
    """How far the newest is."""
    return {"export": await call.request.app[EXPORTS].of(call.practitioner, "own")}


async def withdraw(call: Call) -> None:
    """Nobody fetches it any more."""
    await call.request.app[EXPORTS].withdraw(call.practitioner, "own")


def withdrawn(call: Call, _reply: object) -> Draft:
    return Draft(Act.DATA_EXPORTED, practitioner(call.practitioner), detail="withdrawn")


EXPORTING: Final = Page("/account/export", "account/export.html", show, right=Right.ACCOUNT)

PAGES: Final = (EXPORTING,)
FORMS: Final = (
    Form("/account/export", DATA, Confirmed, ready, says={"sign_in_refused": ("password", "password.wrong")}),
    Form("/account/export/fetch", EXPORTING, Fetch, fetch, says={"link_invalid": ("", "export.spent")}),
    Form("/account/export/withdraw", EXPORTING, Nothing, withdraw, done="export-withdrawn", entered=withdrawn),
)
"""``pages`` has each page and each form."""
