"""The passkeys of one's own account. Making one needs a script: it is the browser that makes it."""

from base64 import urlsafe_b64decode
from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import Field

from practice.factors import passkeys
from practice.factors.passkeys import Registration, RelyingParty
from practice.names import named
from practice.organisation.rights import Right
from signaling import sessions
from signaling.addresses import public_origin
from signaling.protocol.errors import UserError
from signaling.rest import account
from signaling.rest.endpoint import Call
from signaling.rest.entries import own
from signaling.typedefs import CHALLENGES, NOW, SETTINGS, STORE
from vault.audit import Act
from vault.errors import DomainError
from web.account.security import SECURITY, WRONG, Confirmed, end_others_of, news, told
from web.forms import Form, Page

MAX_NAME: Final = 60

Part = Annotated[str, Field(max_length=4096)]


class NewPasskey(Confirmed):
    """What the browser made, under a name; without a script the rest stays empty."""

    name: Annotated[str, Field(min_length=1, max_length=MAX_NAME)]
    challenge: Part
    credential: Part
    client_data: Part
    attestation: Part


class Which(Confirmed):
    """One of them."""

    passkey: Annotated[str, Field(min_length=1, max_length=2048)]


async def show(call: Call) -> Mapping[str, object]:
    """What a browser makes one with; nothing at a bare IP address."""
    app = call.request.app
    try:
        party = RelyingParty.of(public_origin(app[SETTINGS]))
    except DomainError:
        return {"party": None}
    person, held = await app[STORE].practitioners.get(call.scope), await app[STORE].factors.of(call.scope)
    challenge = await app[CHALLENGES].begin_passkey("registration", call.practitioner)
    return {
        "party": party.id,
        "challenge": challenge,
        "user": passkeys.handle(call.practitioner),
        "person": person,
        "known": " ".join(one.id for one in held.passkeys),
    }


async def add(call: Call) -> object:
    """From now on somebody can sign in with it."""
    app, body = call.request.app, call.body
    name = named(body.name, "name", MAX_NAME)
    challenge = await app[CHALLENGES].open(body.challenge, "registration")
    person = await account.confirmed(call, body.password.get_secret_value())
    if challenge.practitioner != person.id:
        raise UserError("challenge_invalid")
    await app[CHALLENGES].spend(challenge)
    party, expected = RelyingParty.of(public_origin(app[SETTINGS])), urlsafe_b64decode(challenge.about["bytes"] + "=")
    made = Registration(body.credential, body.client_data, body.attestation)
    passkey = passkeys.registered(party, expected, made, name, app[NOW]())
    codes = await app[STORE].factors.add_passkey(call.scope, passkey, news(call, person, "passkey-added"))
    await end_others_of(call, person)
    return told(codes)


async def remove(call: Call) -> None:
    """It opens nothing any more."""
    app = call.request.app
    person = await account.confirmed(call, call.body.password.get_secret_value())
    demanded = app[SETTINGS].second_factor == "demanded"
    gone = news(call, person, "passkey-removed")
    await app[STORE].factors.remove(call.scope, call.body.passkey, demanded=demanded, along=gone)
    await end_others_of(call, person)


PASSKEY: Final = Page(
    "/account/security/passkey", "account/passkey.html", show, right=Right.ACCOUNT, who=sessions.setting_up
)

PAGES: Final = (PASSKEY,)
FORMS: Final = (
    Form("/account/security/passkey/add", PASSKEY, NewPasskey, add, done="passkey", goes="/account/security",
         says=WRONG, entered=own(Act.FACTOR_ADDED, "passkey")),
    Form("/account/security/remove-passkey", SECURITY, Which, remove, done="removed", says=WRONG,
         entered=own(Act.FACTOR_REMOVED, "passkey")),
)  # fmt: skip
