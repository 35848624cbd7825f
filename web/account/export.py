"""All of one's own, taken along (S-46): made ready, and put together while it is fetched, once and within a day.

The archive's password is shown when it is ready and never again. Between the two nothing of it exists: neither a copy
on a disk nor the password, and what is destroyed before somebody fetches it is not in it.
"""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Final, get_args

from pydantic import Field

from practice.accounts.model import Practitioner
from practice.accounts.store import MAX_MAIL
from practice.factors import codes
from practice.mailboxes import mailbox
from practice.notices.model import News
from practice.organisation.oversight import TrailLine
from practice.organisation.rights import Right
from practice.portability.file import Pack
from signaling import sessions
from signaling.addresses import client_network
from signaling.exports import EXPORTS, Way
from signaling.gate import SIGNALING
from signaling.limiter import EXPORTS_SENT, TAKING_NETWORK
from signaling.protocol.errors import UserError
from signaling.rest import account, factors
from signaling.rest.appointments import receipt_view
from signaling.rest.endpoint import Call
from signaling.scopes import of_practitioner
from signaling.typedefs import LIMITER, NOW, STORE, ZONE
from vault.audit import Act, Draft, practitioner
from vault.records.content import new_id
from vault.records.scope import Scope
from vault.records.writing import always
from web.account.data import DATA
from web.forms import NOT_ASKED, PROOF, Fields, Form, Page, Password, Secret, Shown, Streamed, Wrong

ZIP: Final = "application/zip"


class Confirmed(Fields):
    """The password once more: the file holds what others wrote down nowhere."""

    password: Password = NOT_ASKED


class Fetch(Fields):
    """What the page of the one that is ready holds."""

    token: Annotated[Secret, Field(min_length=44, max_length=44)]


class Which(Fields):
    """One of both ways."""

    way: Way


class To(Fields):
    """Whom a link is mailed to, and that it is really who is signed in."""

    mail: Annotated[str, Field(min_length=3, max_length=MAX_MAIL)]
    password: Password = NOT_ASKED
    code: Annotated[str, Field(max_length=codes.LONGEST)] = ""


class Digits(Fields):
    """The code that came another way than the link."""

    code: Annotated[str, Field(min_length=1, max_length=20)]


@dataclass(frozen=True)
class Whose:
    """An account whose records leave."""

    scope: Scope
    person: Practitioner


async def ready(call: Call) -> Shown:
    """One may be fetched from here on; it and its password are shown once."""
    await account.confirmed(call, call.body.password.get_secret_value())
    call.request.app[STORE].reserve.require()
    of = await whose(call)
    token = await call.request.app[EXPORTS].make(of.person.id, await packed(call, of).total())
    secret = {"form_token": sessions.form_token(call.request), "action": "/account/export/fetch"}
    return Shown("account/export_ready.html", shown(call, token) | secret)


def shown(call: Call, token: str) -> dict[str, object]:
    """What a page of one that is ready says of it."""
    return {"token": token, "password": call.request.app[EXPORTS].password(token)}


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
    """The file that this link is good for once, as long as nobody withdraws it. Errors: ``link_invalid``."""
    app = call.request.app
    await app[EXPORTS].begin(token, way)
    say = partial(app[EXPORTS].told, of.person.id, way, token)

    async def still(done: int) -> None:
        if not await say(done):
            raise UserError("link_invalid")

    parts = told(packed(call, of, about_them, still), app[EXPORTS].password(token), say)
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


def packed(call: Call, of: Whose, about_them: Mapping[str, Any] | None = None, say: Any = None) -> Pack:
    """What leaves of this account; without ``say`` to be counted only."""
    app = call.request.app
    return Pack(app[STORE].exports, of.scope, of.person, about_them or {}, app[NOW](), app[ZONE](), say)


async def about(call: Call, of: Whose) -> dict[str, Any]:
    """The account, its sign-ins, the receipts of what is gone, and what the trail says."""
    store, person, scope = call.request.app[STORE], of.person, of.scope
    change = await store.mail_changes.pending(scope)
    return account_of(person) | {
        "roles": sorted(scope.roles),
        "mail_change": change.mail if change else None,
        "sessions": [
            {"began": one.began.isoformat(), "used": one.used.isoformat()} for one in await store.sessions.of(scope)
        ],
        "apps": await call.request.app[SIGNALING].refresh.apps(person.id),
        "receipts": [receipt_view(one).model_dump() for one in await store.appointments.receipts(scope)],
        "trail": [entry_view(one) for one in await store.oversight.of_oneself(scope)],
    }


def account_of(person: Practitioner) -> dict[str, Any]:
    """What the account itself is."""
    return {
        "account": {
            "mail": person.mail,
            "display_name": person.display_name,
            "language": person.language,
            "retention": person.retention,
        }
    }


def entry_view(line: TrailLine) -> dict[str, str | None]:
    """A line of the trail, of which who asks is one party; of the other it says what, not who."""
    entry = line.entry
    by, on = ("self" if one else kind for one, kind in ((line.by, entry.actor), (line.on, entry.subject)))
    return {"at": entry.moment.isoformat(), "act": entry.act, "by": by, "on": on, "detail": entry.detail}


async def show(call: Call) -> Mapping[str, object]:
    """How far the newest is of each way, and whether a link can be mailed."""
    app = call.request.app
    found = {way: await app[EXPORTS].of(call.practitioner, way) for way in get_args(Way)}
    return {"exports": found, "mails": app[STORE].notices.on, "asks": await factors.asks_for_code(call)}


async def withdraw(call: Call) -> None:
    """Nobody fetches it any more."""
    await call.request.app[EXPORTS].withdraw(call.practitioner, call.body.way)


async def send(call: Call) -> Shown:
    """Somebody else may fetch it by a link that is mailed to them and a code that whoever asks passes on. Both mails,
    to them and to the account's own address, are written in one transaction.

    Errors: ``bad_state`` (there is no second factor), ``not_found`` (no mail goes), ``rate_limited``, those of a proof.
    """
    app, said = call.request.app, call.body
    store = app[STORE]
    if not store.notices.on:
        raise UserError("not_found")
    store.reserve.require()
    try:
        to = mailbox(said.mail)
    except ValueError:
        raise Wrong({"mail": "wrong"}) from None
    person = await factors.proved(call, said.password.get_secret_value(), said.code)
    await app[LIMITER].count(EXPORTS_SENT, person.id)
    seed, of = new_id(), Whose(call.scope, person)
    code = await app[EXPORTS].hand(person.id, store.resets.token(seed), await packed(call, of).total())
    link = News("export-link", to, person.language, {"export": seed})
    await store.notices.along(person.id, [link, News("export-sent", person.mail, person.language)], always)
    return Shown("account/export_sent.html", {"code": code, "mail": to})


async def show_taken(call: Call) -> Mapping[str, object]:
    """Whether the link of somebody else is good. Errors: ``link_invalid``, ``rate_limited``."""
    try:
        await call.request.app[EXPORTS].ready(call.path["token"], "other")
    except UserError:
        await call.request.app[LIMITER].count(TAKING_NETWORK, client_network(call.request))
        raise UserError("not_found") from None
    return {}


async def open_taken(call: Call) -> Shown:
    """The code is right: the password is shown. Errors: ``link_invalid``, ``code_refused``."""
    app, token = call.request.app, call.path["token"]
    await app[EXPORTS].typed(token, call.body.code)
    where = {"token": "", "form_token": "", "code": call.body.code, "action": f"/taken/{token}/fetch"}
    return Shown("account/export_ready.html", {"password": app[EXPORTS].password(token)} | where)


async def fetch_taken(call: Call) -> Streamed:
    """The file: the account and its records, without sign-ins and without what the trail says."""
    app, token = call.request.app, call.path["token"]
    account_id = await app[EXPORTS].typed(token, call.body.code)
    if await app[STORE].organisation.standing(account_id) is None:
        raise UserError("link_invalid")
    scope = of_practitioner(account_id)
    of = Whose(scope, await app[STORE].practitioners.get(scope))
    await app[STORE].audit.record(Act.DATA_EXPORTED, practitioner(account_id), detail="fetched")
    return await streamed(call, of, account_of(of.person), token, "other")


def sent(call: Call, _reply: object) -> Draft:
    return Draft(Act.DATA_EXPORTED, practitioner(call.practitioner), detail="sent")


def withdrawn(call: Call, _reply: object) -> Draft:
    return Draft(Act.DATA_EXPORTED, practitioner(call.practitioner), detail="withdrawn")


EXPORTING: Final = Page("/account/export", "account/export.html", show, right=Right.ACCOUNT)

TAKEN: Final = Page("/taken/{token}", "account/export_taken.html", show_taken, public=True)

PROVED: Final = PROOF | {"bad_state": ("password", "export.factor")}
SPENT: Final = {"link_invalid": ("", "export.spent"), "code_refused": ("code", "error.code_refused")}

PAGES: Final = (EXPORTING, TAKEN)
FORMS: Final = (
    Form("/account/export", DATA, Confirmed, ready, says={"sign_in_refused": ("password", "password.wrong")}),
    Form("/account/export/fetch", EXPORTING, Fetch, fetch, says=SPENT),
    Form("/account/export/send", EXPORTING, To, send, entered=sent, says=PROVED),
    Form("/account/export/withdraw", EXPORTING, Which, withdraw, done="export-withdrawn", entered=withdrawn),
    Form("/taken/{token}/open", TAKEN, Digits, open_taken, says=SPENT),
    Form("/taken/{token}/fetch", TAKEN, Digits, fetch_taken, says=SPENT),
)
"""``pages`` has each page and each form."""
