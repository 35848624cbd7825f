"""Whether a password is enough, and until when."""

from datetime import datetime, timedelta

from aiohttp import web

from practice.accounts.model import Practitioner
from practice.factors.model import Factors
from signaling.challenges import Purpose
from signaling.protocol.errors import FactorKind, FactorNeeded
from signaling.scopes import of_practitioner
from signaling.settings import SignalingSettings
from signaling.typedefs import CHALLENGES, NOW, SETTINGS, STORE


async def demand(app: web.Application, person: Practitioner, purpose: Purpose) -> Factors:
    """A password was right: what the account has beside it, where that is enough.

    Errors: ``factor_needed``, ``factor_set_up_needed``.
    """
    settings, scope = app[SETTINGS], of_practitioner(person.id)
    factors = app[STORE].factors
    held = await (factors.begin(scope) if settings.second_factor == "demanded" else factors.of(scope))
    if held.any:
        raise FactorNeeded("factor_needed", await app[CHALLENGES].begin(purpose, person.id), kinds(held))
    until = set_up_by(settings, held)
    if until is not None and until <= app[NOW]():
        challenge = await app[CHALLENGES].begin("set-up", person.id) if purpose == "browser" else None
        raise FactorNeeded("factor_set_up_needed", challenge)
    return held


def kinds(held: Factors) -> list[FactorKind]:
    """With what the second step can be taken."""
    there: dict[FactorKind, bool] = {
        "totp": held.secret is not None,
        "recovery": bool(held.codes),
        "passkey": bool(held.passkeys),
    }
    return [kind for kind, is_there in there.items() if is_there]


def set_up_by(settings: SignalingSettings, held: Factors) -> datetime | None:
    """When signing in begins to lead to setting one up and to nothing else; None where it does not.

    Whose second factor was taken away has no time: until there is another, the password would be all that is asked for.
    """
    if settings.second_factor != "demanded" or held.any or held.since is None:
        return None
    return held.since + timedelta(days=0 if held.lifted else settings.second_factor_grace_days)
