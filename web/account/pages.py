"""The pages of one's own account."""

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import Field

from practice.accounts.model import Language, Practitioner
from practice.accounts.store import PASSWORD_LENGTH
from practice.notices.model import News
from practice.organisation.rights import Right, allowed
from signaling.gate import SIGNALING
from signaling.protocol.errors import UserError
from signaling.rest import account
from signaling.rest.endpoint import Call
from signaling.rest.entries import own
from signaling.typedefs import STORE
from vault.audit import Act, Draft, practitioner
from web.account.data import DATA, DESTROY
from web.forms import Fields, Form, Page, Secret, Wrong
from web.locale import NAMES
from web.practice.menu import menu


class Name(Fields):
    """What others read, in the version that the page showed."""

    display_name: Annotated[str, Field(min_length=1, max_length=200)]
    language: Language
    version: int


class Which(Fields):
    """One of the sessions."""

    session: Annotated[str, Field(max_length=64)]


class Password(Fields):
    """The one that is, and another one twice."""

    old: Annotated[Secret, Field(min_length=1, max_length=1024)]
    new: Annotated[Secret, Field(min_length=PASSWORD_LENGTH.start, max_length=PASSWORD_LENGTH.stop - 1)]
    again: Annotated[Secret, Field(min_length=1, max_length=1024)]


class Nothing(Fields):
    """A button."""


async def show(call: Call) -> Mapping[str, object]:
    """The account as it is, and where somebody is signed in to it."""
    app = call.request.app
    return {
        "person": await app[STORE].practitioners.get(call.scope),
        "names": list(NAMES.items()),
        "sessions": await app[STORE].sessions.of(call.scope),
        "here": call.session,
        "apps": await app[SIGNALING].refresh.apps(call.practitioner),
        "menu": menu(call),
        "planner": allowed(Right.AGENDA, call.scope.roles),
        "assisted": allowed(Right.OWN_ASSISTANTS, call.scope.roles),
        "presets": allowed(Right.AGENDA, call.scope.roles),
        "desk": "/desk" if allowed(Right.CONSULT, call.scope.roles) else "/served",
        "news": await app[STORE].sights.unseen(call.scope),
    }


async def end_session(call: Call) -> int:
    """Another one, with its sockets and tickets; this one ends by signing out."""
    app, one = call.request.app, call.body.session
    if one not in await others(call):
        raise UserError("not_found")
    await app[SIGNALING].sign_out_session(call.practitioner, one)
    await app[STORE].sessions.end_of(call.scope, [one])
    return 1


async def end_others(call: Call) -> int:
    """All but this one, and all apps."""
    app, others_now = call.request.app, await others(call)
    await app[SIGNALING].sign_out_others(call.practitioner, str(call.session), others_now)
    await app[STORE].sessions.end_of(call.scope, others_now)
    return len(others_now)


async def show_password(call: Call) -> Mapping[str, object]:
    """Nothing but whose it is, for what keeps passwords in a browser."""
    return {"person": await call.request.app[STORE].practitioners.get(call.scope)}


async def change_password(call: Call) -> None:
    """Another one; whoever else was signed in is not any more, for they may know the old one."""
    old, new, again = (one.get_secret_value() for one in (call.body.old, call.body.new, call.body.again))
    if new != again:
        raise Wrong({"again": "differs"})
    await account.confirmed(call, old)
    store = call.request.app[STORE]
    person = await store.practitioners.get(call.scope)
    told = store.notices.of(person.id, News("password-changed", person.mail, person.language))
    await store.practitioners.set_password(call.scope, new, told)
    await end_others(call)


async def others(call: Call) -> list[str]:
    """The sessions that are not this one."""
    found = await call.request.app[STORE].sessions.of(call.scope)
    return [one.reference for one in found if one.reference != call.session]


async def rename(call: Call) -> Practitioner:
    """Another name or language (S-42)."""
    name: Name = call.body
    practitioners = call.request.app[STORE].practitioners
    return await practitioners.rename(call.scope, name.display_name, name.language, name.version)


def ended(call: Call, number: int) -> Draft:
    return Draft(Act.SESSIONS_ENDED, practitioner(call.practitioner), detail=str(number))


RENAMED: Final = own(Act.ACCOUNT_CHANGED)
PASSWORD_CHANGED: Final = own(Act.PASSWORD_CHANGED)
ACCOUNT: Final = Page("/account", "account/account.html", show, right=Right.ACCOUNT)
PASSWORD: Final = Page("/account/password", "account/password.html", show_password, right=Right.ACCOUNT)

PAGES: Final = (ACCOUNT, PASSWORD, DATA)
FORMS: Final = (
    Form("/account/name", ACCOUNT, Name, rename, done="saved", entered=RENAMED),
    Form("/account/session", ACCOUNT, Which, end_session, done="session-ended", entered=ended),
    Form("/account/others", ACCOUNT, Nothing, end_others, done="others-ended", entered=ended),
    Form(
        "/account/password",
        PASSWORD,
        Password,
        change_password,
        done="password",
        entered=PASSWORD_CHANGED,
        goes="/account",
        says={"sign_in_refused": ("old", "password.wrong"), "password_common": ("new", "error.password_common")},
    ),
    DESTROY,
    Form("/account/sign-out", ACCOUNT, Nothing, account.sign_out, done="signed-out", goes="/signin"),
)
