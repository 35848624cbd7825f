"""For who comes without being invited, where the operator allows it: a page that asks for an address, and those behind
the link that was mailed to it, which make the account.
"""

from base64 import urlsafe_b64decode
from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, Final

from pydantic import Field

from practice.accounts.store import MAX_MAIL
from practice.factors import passkeys
from practice.factors.passkeys import Registration, RelyingParty
from practice.lookalikes import mixes_scripts
from practice.names import named
from practice.organisation.model import Profile
from practice.registrations.model import Opened, Registered
from practice.registrations.store import Where
from signaling.addresses import client_network, public_origin
from signaling.limiter import REGISTERED_NETWORK, REGISTERING_NETWORK
from signaling.news import tell
from signaling.protocol.errors import UserError
from signaling.registering import Wish
from signaling.rest.endpoint import Call
from signaling.scopes import of_server
from signaling.typedefs import CHALLENGES, LIMITER, NOW, REGISTERING, SETTINGS, STORE
from vault.audit import Act, Draft, practitioner
from vault.errors import DomainError
from vault.records.content import new_id
from web.account.invited import WithPasskey, WithPassword, begin, sign_in
from web.account.passkeys import MAX_NAME
from web.account.security import shown_once
from web.forms import Fields, Form, Page, Shown, Wrong
from web.locale import NAMES
from web.render import spoken


class Address(Fields):
    """To which a link is mailed."""

    mail: Annotated[str, Field(min_length=3, max_length=MAX_MAIL)]


class Own(Fields):
    """What an organisation of one's own is called, and where it is."""

    organisation: Annotated[str, Field(min_length=1, max_length=200)]
    address: Annotated[str, Field(max_length=400)]
    phone: Annotated[str, Field(max_length=40)]
    zone: Annotated[str, Field(min_length=1, max_length=64)]


class OwnWithPassword(Own, WithPassword):
    """Both."""


class OwnWithPasskey(Own, WithPasskey):
    """Both."""


# --- the address -----------------------------------------------------------------------------------------------------


async def show(call: Call) -> Mapping[str, object]:
    """The question, or that nobody comes uninvited here."""
    return {"open": bool(call.request.app[STORE].registrations.ways)}


async def ask(call: Call) -> None:
    """Answered alike whatever the address is: whose it is, is looked up when the answer has left."""
    app = call.request.app
    if not app[STORE].registrations.ways:
        raise UserError("not_found")
    await app[LIMITER].count(REGISTERING_NETWORK, client_network(call.request))
    language: Any = spoken(call.request)[0]
    app[REGISTERING].put(Wish(call.body.mail, language))


# --- the link --------------------------------------------------------------------------------------------------------


async def opened(call: Call) -> Opened:
    """What the link is for. A look uses nothing up: programs that read mail open links too.

    Errors: ``link_invalid``, ``rate_limited`` for a network that tries many that are none.
    """
    app = call.request.app
    try:
        return await app[STORE].registrations.opened(call.path["token"])
    except DomainError as error:
        if error.code == "link_invalid":
            await app[LIMITER].count(REGISTERED_NETWORK, client_network(call.request))
        raise


async def show_ways(call: Call) -> Mapping[str, object]:
    """In which organisations an account can be made by it."""
    return {"opened": await opened(call), "here": f"/register/{call.path['token']}"}


async def show_making(call: Call) -> Mapping[str, object]:
    """The form, for one of them or for an organisation of one's own."""
    found, organisation = await opened(call), call.path.get("organisation")
    host = next((one for one in found.hosts if one.organisation == organisation), None)
    if host is None and (organisation is not None or not found.founding):
        raise UserError("not_found")
    here = f"/register/{call.path['token']}"
    return {
        "welcome": {"organisation": host.name if host else "", "mail": found.mail, "language": found.language},
        "names": list(NAMES.items()),
        "here": f"{here}/in/{organisation}" if host else f"{here}/own",
        "by_passkey": True,
        "words": "registering" if host else "registering.own",
        "waits": host is not None and host.approval,
        "own": host is None,
    }


async def show_passkey(call: Call) -> Mapping[str, object]:
    """The same with what a browser makes a passkey with, for an account of an id that is chosen now."""
    app, shown = call.request.app, await show_making(call)
    try:
        party = RelyingParty.of(public_origin(app[SETTINGS]))
    except DomainError:
        return {**shown, "party": None}
    account = new_id()
    challenge = await app[CHALLENGES].begin_passkey("registering", account)
    return {**shown, "party": party.id, "challenge": challenge, "user": passkeys.handle(account)}


async def accept(call: Call) -> Shown | None:
    """The account; who need not wait is signed in."""
    said = call.body
    where = await checked(call)
    made = await call.request.app[STORE].registrations.accept(
        call.path["token"], where, said.display_name, said.language, said.password.get_secret_value()
    )
    await enter(call, made)
    if made.waits:
        await tell_deciders(call, made)
        return waiting(made)
    call.after.append(partial(sign_in, call, made.person))
    return None


async def accept_by_passkey(call: Call) -> Shown:
    """The account without a password, which its owner may choose later as who forgot theirs."""
    app, said = call.request.app, call.body
    where, name = await checked(call), named(said.name, "name", MAX_NAME)
    challenge = await app[CHALLENGES].open(said.challenge, "registering")
    await app[CHALLENGES].spend(challenge)
    party, expected = RelyingParty.of(public_origin(app[SETTINGS])), urlsafe_b64decode(challenge.about["bytes"] + "=")
    registration = Registration(said.credential, said.client_data, said.attestation)
    passkey = passkeys.registered(party, expected, registration, name, app[NOW]())
    made = await app[STORE].registrations.accept_by_passkey(
        call.path["token"], where, challenge.practitioner, said.display_name, said.language, passkey
    )
    await enter(call, made, Draft(Act.FACTOR_ADDED, practitioner(made.person.id), detail="passkey"))
    if made.waits:
        await tell_deciders(call, made)
        return waiting(made)
    call.after.append(partial(begin, call, made.person, "passkey"))
    return shown_once(made.codes)


async def checked(call: Call) -> Where:
    """Where the account is made. Errors: ``link_invalid``; Wrong: a name that looks like what it is not."""
    said, organisation, wrong = call.body, call.path.get("organisation"), {}
    await opened(call)
    if mixes_scripts(said.display_name):
        wrong["display_name"] = "mixed"
    if organisation is None and mixes_scripts(said.organisation):
        wrong["organisation"] = "mixed"
    elif organisation is None and await call.request.app[STORE].registrations.resembles(said.organisation):
        wrong["organisation"] = "resembles"
    if wrong:
        raise Wrong(wrong)
    if organisation is not None:
        return organisation
    return Profile(said.organisation, said.address, said.phone, said.language, said.zone)


async def enter(call: Call, made: Registered, *more: Draft) -> None:
    """In the trail."""
    who = practitioner(made.person.id)
    founded = [Draft(Act.ORGANISATION_FOUNDED, who)] if "organisation" not in call.path else []
    added = Draft(Act.ACCOUNT_ADDED, who, who, "registered")
    await call.request.app[STORE].audit.record_all([added, *founded, *more])


async def tell_deciders(call: Call, made: Registered) -> None:
    """Who could let them in reads of it by mail; the list of people says it in any case."""
    app = call.request.app
    for account in await app[STORE].arrivals.deciders(of_server(), made.organisation):
        await tell(app, account, "arrival")


def waiting(made: Registered) -> Shown:
    """Somebody else has to let them in; what is seen once is."""
    shown: Any = shown_once(made.codes).context["codes"]
    return Shown("account/registered.html", {"codes": shown})


ASKING: Final = Page("/register", "account/register.html", show, public=True)
WAYS: Final = Page("/register/{token}", "account/register_link.html", show_ways, public=True)
JOINING: Final = Page("/register/{token}/in/{organisation}", "account/invited.html", show_making, public=True)
JOINING_PASSKEY: Final = Page(
    "/register/{token}/in/{organisation}/passkey", "account/invited_passkey.html", show_passkey, public=True
)
FOUNDING: Final = Page("/register/{token}/own", "account/invited.html", show_making, public=True)
FOUNDING_PASSKEY: Final = Page(
    "/register/{token}/own/passkey", "account/invited_passkey.html", show_passkey, public=True
)

CONFLICT: Final = {"conflict": ("", "registering.conflict")}
COMMON: Final = {"password_common": ("password", "error.password_common"), **CONFLICT}
SECURITY: Final = "/account/security"

PAGES: Final = (ASKING, WAYS, JOINING, JOINING_PASSKEY, FOUNDING, FOUNDING_PASSKEY)
FORMS: Final = (
    Form("/register", ASKING, Address, ask, done="register"),
    Form(f"{JOINING.path}/accept", JOINING, WithPassword, accept, done="joined", goes=SECURITY, says=COMMON),
    Form(f"{JOINING_PASSKEY.path}/make", JOINING_PASSKEY, WithPasskey, accept_by_passkey, says=CONFLICT),
    Form(f"{FOUNDING.path}/accept", FOUNDING, OwnWithPassword, accept, done="joined", goes=SECURITY, says=COMMON),
    Form(f"{FOUNDING_PASSKEY.path}/make", FOUNDING_PASSKEY, OwnWithPasskey, accept_by_passkey, says=CONFLICT),
)
"""``pages`` has each page and each form."""
