"""Signing in with a passkey, in one step: it counts as two, for it knows its person."""

from base64 import urlsafe_b64decode
from dataclasses import replace

from practice.accounts.model import Practitioner
from practice.factors import passkeys
from practice.factors.model import Factors, Passkey
from practice.factors.passkeys import Asserted, Assertion, RelyingParty
from signaling.addresses import client_network, public_origin
from signaling.protocol.errors import FactorKind, FactorNeeded, UserError
from signaling.protocol.rest import Me, PasskeyOptions
from signaling.rest import account
from signaling.rest.endpoint import Call
from signaling.scopes import of_practitioner
from signaling.second_factor import kinds
from signaling.typedefs import CHALLENGES, PASSWORDS, SETTINGS, STORE
from vault.audit import Act, practitioner
from vault.errors import DomainError


async def options(call: Call) -> PasskeyOptions:
    """What a browser asks its authenticators for: whichever passkey the person takes."""
    app = call.request.app
    party = RelyingParty.of(public_origin(app[SETTINGS]))
    challenge = await app[CHALLENGES].begin_passkey("passkey", "")
    return PasskeyOptions(challenge=challenge.sealed, bytes=challenge.bytes, party=party.id)


async def sign_in(call: Call) -> Me:
    """A session for whose passkey it is, for a browser."""
    app, body = call.request.app, call.body
    party = RelyingParty.of(public_origin(app[SETTINGS]))
    challenge = await app[CHALLENGES].open(body.challenge, "passkey")
    await app[CHALLENGES].spend(challenge)
    made = Assertion(body.id, body.client_data, body.authenticator_data, body.signature)

    async def look() -> tuple[Practitioner, Factors, Passkey, Asserted] | None:
        try:
            scope = of_practitioner(passkeys.owner_of(body.user_handle))
            person, held = await app[STORE].practitioners.get(scope), await app[STORE].factors.of(scope)
            passkey = next((one for one in held.passkeys if one.id == body.id), None)
            expected = urlsafe_b64decode(challenge.about["bytes"] + "=")
            if passkey is None:
                return None
            return person, held, passkey, passkeys.asserted(party, expected, made, passkey)
        except DomainError as error:
            if error.code in ("not_found", "passkey_refused"):
                return None
            raise

    person, held, passkey, said = await app[PASSWORDS].passkey(client_network(call.request), look)
    await _demand(call, person, held, passkey, said)
    return await account.signed_in(call, person, "passkey", held)


async def _demand(call: Call, person: Practitioner, held: Factors, passkey: Passkey, said: Asserted) -> None:
    """That it is the one that was registered, and no copy. Errors: ``passkey_refused``, ``factor_needed``."""
    app, scope = call.request.app, of_practitioner(person.id)
    changed, copied = said.device != passkey.device, passkeys.set_back(passkey, said)
    if not changed and not copied:
        if said.count != passkey.count:
            await app[STORE].factors.used_passkey(scope, replace(passkey, count=said.count))
        return
    await app[STORE].factors.used_passkey(scope, replace(passkey, doubted=True))
    detail = "backup-changed" if changed else "counter-back"
    await app[STORE].audit.record(Act.PASSKEY_REFUSED, practitioner(person.id), detail=detail)
    if changed:
        raise UserError("passkey_refused")
    others: list[FactorKind] = [kind for kind in kinds(held) if kind != "passkey"]
    raise FactorNeeded("factor_needed", await app[CHALLENGES].begin("browser", person.id), others)
