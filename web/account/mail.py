"""Another mail address: asked for by who is signed in, confirmed behind the links that both addresses are mailed."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Final

from aiohttp import web
from pydantic import Field

from practice.accounts.model import MailChange, Practitioner, Side
from practice.factors import codes
from practice.mailboxes import canonical, mailbox
from practice.notices.model import News
from practice.organisation.rights import Right
from signaling.addresses import client_network
from signaling.gate import SIGNALING
from signaling.limiter import MAIL_CHANGES, RESET_NETWORK
from signaling.protocol.errors import UserError
from signaling.rest import factors
from signaling.rest.endpoint import Call
from signaling.rest.entries import own
from signaling.scopes import of_practitioner
from signaling.typedefs import DEVICES, LIMITER, NOW, POSTMAN, STORE
from vault.audit import Act, practitioner
from vault.records.writing import Along
from web.forms import NOT_ASKED, PROOF, Fields, Form, Page, Password, Shown, Wrong


class Asked(Fields):
    """The new address, and that it is who is signed in who asks."""

    mail: Annotated[str, Field(min_length=3, max_length=254)]
    password: Password = NOT_ASKED
    code: Annotated[str, Field(max_length=codes.LONGEST)] = ""


class Nothing(Fields):
    """A button."""


async def show(call: Call) -> Mapping[str, object]:
    """The address that is, and the one that was asked for."""
    app = call.request.app
    change = await app[STORE].mail_changes.pending(call.scope)
    return {
        "person": await app[STORE].practitioners.get(call.scope),
        "change": change,
        "ascii": spelt(change),
        "asks": await factors.asks_for_code(call),
        "mail": app[POSTMAN] is not None,
    }


async def ask(call: Call) -> None:
    """Both addresses get a link. That the new one may be somebody else's is neither looked up nor told."""
    app, said = call.request.app, call.body
    if app[POSTMAN] is None:
        raise UserError("not_found")
    person = await factors.confirmed(call, said.password.get_secret_value(), said.code)
    if canonical(said.mail) == canonical(person.mail):
        raise Wrong({"mail": "same"})
    await app[LIMITER].count(MAIL_CHANGES, person.id)
    await app[STORE].mail_changes.ask(call.scope, said.mail, str(call.session), partial(_tell, call, said.mail.strip()))


def _tell(call: Call, new: str, person: Practitioner, seeds: Mapping[Side, str]) -> Along:
    asked = News("mail-asked", person.mail, person.language, {"mail": seeds["old"]})
    confirm = News("mail-confirm", new, person.language, {"mail": seeds["new"]})
    return call.request.app[STORE].notices.of(person.id, asked, confirm)


async def withdraw(call: Call) -> None:
    """It is not wanted after all."""
    await call.request.app[STORE].mail_changes.withdraw(call.scope)


async def show_link(call: Call) -> Mapping[str, object]:
    """What the link confirms or stops. A look does neither: programs that read mail open links too."""
    change = await of_link(call)
    return {"change": change, "ascii": spelt(change)}


async def confirm(call: Call) -> Shown:
    """One address agrees; with the second one it is done."""
    app, token = call.request.app, call.path["token"]
    await of_link(call)
    store = app[STORE]
    change = await store.mail_changes.confirm(token)
    if change is None:
        raise UserError("link_invalid")
    owner = practitioner(change.practitioner)
    await store.audit.record(Act.MAIL_CONFIRMED, owner, detail=change.side)
    if not change.ready:
        return Shown("account/mail_told.html", {"state": "waits", "side": change.side})
    before = await store.practitioners.get(of_practitioner(change.practitioner))
    changed = [News("mail-changed", to, before.language) for to in (before.mail, change.mail)]
    if not await store.mail_changes.carry_out(token, store.notices.of(before.id, *changed)):
        raise UserError("link_invalid")
    await store.audit.record(Act.MAIL_CHANGED, owner)
    await _end_others(call, change)
    call.after.append(lambda response: _remember(call, response, before.mail, change.mail))
    return Shown("account/mail_told.html", {"state": "done", "side": change.side})


async def _end_others(call: Call, change: MailChange) -> None:
    """Where it was asked for somebody stays signed in, as after another password; all else ends, apps too."""
    app, scope = call.request.app, of_practitioner(change.practitioner)
    others = [one.reference for one in await app[STORE].sessions.of(scope) if one.reference != change.session]
    await app[SIGNALING].sign_out_others(change.practitioner, change.session, others)
    await app[STORE].sessions.end_of(scope, others)


async def _remember(call: Call, response: web.StreamResponse, old: str, new: str) -> None:
    """A browser that was known to the account stays so, by its new address."""
    app = call.request.app
    now = app[NOW]()
    if app[DEVICES].known(call.request, old, now) is not None:
        app[DEVICES].remember(call.request, response, new, now)


async def stop(call: Call) -> Shown:
    """Whoever reads mail at one of the addresses does not want it."""
    store = call.request.app[STORE]
    await of_link(call)
    owner = await store.mail_changes.stop(call.path["token"])
    if owner is None:
        raise UserError("link_invalid")
    await store.audit.record(Act.MAIL_CHANGE_STOPPED, practitioner(owner))
    return Shown("account/mail_told.html", {"state": "stopped", "side": None})


async def of_link(call: Call) -> MailChange:
    """Errors: ``link_invalid``, ``rate_limited`` for a network that tries many that are none."""
    app = call.request.app
    change = await app[STORE].mail_changes.of_link(call.path["token"])
    if change is None or await app[STORE].organisation.standing(change.practitioner) is None:
        await app[LIMITER].count(RESET_NETWORK, client_network(call.request))
        raise UserError("link_invalid")
    return change


def spelt(change: MailChange | None) -> str | None:
    """The new address as the mail servers have it, where its letters may look like others."""
    if change is None or change.mail.isascii():
        return None
    return mailbox(change.mail)


ASKED: Final = own(Act.MAIL_CHANGE_ASKED)
WITHDRAWN: Final = own(Act.MAIL_CHANGE_STOPPED)
MAIL: Final = Page("/account/mail", "account/mail.html", show, right=Right.ACCOUNT)
LINK: Final = Page("/mail/{token}", "account/mail_link.html", show_link, public=True)

PAGES: Final = (MAIL, LINK)
FORMS: Final = (
    Form("/account/mail/ask", MAIL, Asked, ask, done="mail-asked", entered=ASKED, says=PROOF),
    Form("/account/mail/withdraw", MAIL, Nothing, withdraw, done="mail-withdrawn", entered=WITHDRAWN),
    Form("/mail/{token}/confirm", LINK, Nothing, confirm, says={"conflict": ("", "mail.taken")}),
    Form("/mail/{token}/stop", LINK, Nothing, stop),
)
"""``pages`` has each page and each form."""
