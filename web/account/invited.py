"""For who is invited: the pages behind the link, which make their account as a member of the organisation."""

from base64 import urlsafe_b64decode
from collections.abc import Awaitable, Mapping
from functools import partial
from typing import Annotated, Final, TypeVar

from aiohttp import web
from pydantic import Field

from practice.accounts.model import Language, Practitioner
from practice.accounts.sessions import Strength
from practice.accounts.store import PASSWORD_LENGTH
from practice.factors import passkeys
from practice.factors.passkeys import Registration, RelyingParty
from practice.names import named
from signaling import sessions
from signaling.addresses import client_network, public_origin
from signaling.limiter import INVITED_NETWORK
from signaling.protocol.errors import UserError
from signaling.rest.endpoint import Call
from signaling.scopes import of_practitioner
from signaling.second_factor import set_up_by
from signaling.typedefs import CHALLENGES, DEVICES, LIMITER, NOW, POSTMAN, SETTINGS, STORE
from vault.audit import Act, Draft, practitioner
from vault.errors import DomainError
from vault.records.content import new_id
from web.account.passkeys import MAX_NAME, Part
from web.account.security import shown_once
from web.forms import Fields, Form, Page, Secret, Shown
from web.locale import NAMES

T = TypeVar("T")


class Name(Fields):
    """Who somebody is; the address is the invited one."""

    display_name: Annotated[str, Field(min_length=1, max_length=200)]
    language: Language


class WithPassword(Name):
    """Who signs in with a password, and what else they set up."""

    password: Annotated[Secret, Field(min_length=PASSWORD_LENGTH.start, max_length=PASSWORD_LENGTH.stop - 1)]


class WithPasskey(Name):
    """Who signs in with a passkey alone: what the browser made, under a name; without a script the rest stays empty."""

    name: Annotated[str, Field(min_length=1, max_length=MAX_NAME)]
    challenge: Part
    credential: Part
    client_data: Part
    attestation: Part


async def show(call: Call) -> Mapping[str, object]:
    """Who asks, while the link is good. A look uses nothing up: programs that read mail open links too."""
    app = call.request.app
    welcome = await opened(call, app[STORE].invitations.welcome(call.path["token"]))
    return {
        "welcome": welcome,
        "names": list(NAMES.items()),
        "here": f"/invited/{call.path['token']}",
        "by_passkey": app[POSTMAN] is not None,
        "words": "invited",
        "waits": False,
        "own": False,
    }


async def show_passkey(call: Call) -> Mapping[str, object]:
    """The same with what a browser makes a passkey with, for an account of an id that is chosen now."""
    app, shown = call.request.app, await show(call)
    if not shown["by_passkey"]:
        raise UserError("not_found")
    try:
        party = RelyingParty.of(public_origin(app[SETTINGS]))
    except DomainError:
        return {**shown, "party": None}
    account = new_id()
    challenge = await app[CHALLENGES].begin_passkey("invited", account)
    return {**shown, "party": party.id, "challenge": challenge, "user": passkeys.handle(account)}


async def accept(call: Call) -> Practitioner:
    """The account, and whoever made it is signed in."""
    said, invitations = call.body, call.request.app[STORE].invitations
    password = said.password.get_secret_value()
    person = await opened(call, invitations.accept(call.path["token"], said.display_name, said.language, password))
    call.after.append(partial(sign_in, call, person))
    return person


async def accept_by_passkey(call: Call) -> Shown:
    """The account without a password, which its owner may choose later as who forgot theirs: so mail has to work."""
    app, said = call.request.app, call.body
    if app[POSTMAN] is None:
        raise UserError("not_found")
    name = named(said.name, "name", MAX_NAME)
    challenge = await app[CHALLENGES].open(said.challenge, "invited")
    await app[CHALLENGES].spend(challenge)
    party, expected = RelyingParty.of(public_origin(app[SETTINGS])), urlsafe_b64decode(challenge.about["bytes"] + "=")
    made = Registration(said.credential, said.client_data, said.attestation)
    passkey = passkeys.registered(party, expected, made, name, app[NOW]())
    person, codes = await opened(
        call,
        app[STORE].invitations.accept_by_passkey(
            call.path["token"], challenge.practitioner, said.display_name, said.language, passkey
        ),
    )
    who = practitioner(person.id)
    await app[STORE].audit.record_all(
        [Draft(Act.ACCOUNT_ADDED, who, who, "invited"), Draft(Act.FACTOR_ADDED, who, detail="passkey")]
    )
    call.after.append(partial(begin, call, person, "passkey"))
    return shown_once(codes)


async def opened(call: Call, awaited: Awaitable[T]) -> T:
    """What a link gives. Errors: ``rate_limited`` for a network that tries many that are none."""
    try:
        return await awaited
    except DomainError as error:
        if error.code == "link_invalid":
            await call.request.app[LIMITER].count(INVITED_NETWORK, client_network(call.request))
        raise


async def sign_in(call: Call, person: Practitioner, response: web.StreamResponse) -> None:
    """As after a right password: with a second factor to be set up, by a day or before anything else."""
    app, scope = call.request.app, of_practitioner(person.id)
    factors = app[STORE].factors
    demanded = app[SETTINGS].second_factor == "demanded"
    by = set_up_by(app[SETTINGS], await (factors.begin(scope) if demanded else factors.of(scope)))
    if by is not None and by <= app[NOW]():
        await sessions.begin_set_up(call.request, response, person.id)
    else:
        await begin(call, person, "password", response)


async def begin(call: Call, person: Practitioner, strength: Strength, response: web.StreamResponse) -> None:
    """Signed in, in a browser that is known from then on."""
    app = call.request.app
    await sessions.begin_first(call.request, response, person.id, strength)
    app[DEVICES].remember(call.request, response, person.mail, app[NOW]())


def joined(_call: Call, person: Practitioner) -> Draft:
    return Draft(Act.ACCOUNT_ADDED, practitioner(person.id), practitioner(person.id), "invited")


INVITED: Final = Page("/invited/{token}", "account/invited.html", show, public=True)
PASSKEY: Final = Page("/invited/{token}/passkey", "account/invited_passkey.html", show_passkey, public=True)

CONFLICT: Final = {"conflict": ("", "invited.conflict")}

PAGES: Final = (INVITED, PASSKEY)
FORMS: Final = (
    Form(
        "/invited/{token}/accept",
        INVITED,
        WithPassword,
        accept,
        done="joined",
        entered=joined,
        goes="/account/security",
        says={"password_common": ("password", "error.password_common"), **CONFLICT},
    ),
    Form("/invited/{token}/passkey/make", PASSKEY, WithPasskey, accept_by_passkey, says=CONFLICT),
)
