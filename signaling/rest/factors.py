"""The second step of signing in, and the same once more before what is delicate."""

from practice.accounts.model import Practitioner
from practice.factors.model import Used
from practice.notices.model import News
from signaling import sessions
from signaling.addresses import client_network
from signaling.challenges import Purpose
from signaling.protocol.errors import UserError
from signaling.protocol.rest import Me, TokenSet
from signaling.rest import account, tokens
from signaling.rest.endpoint import Call
from signaling.scopes import of_practitioner
from signaling.typedefs import CHALLENGES, DEVICES, NOW, PASSWORDS, STORE
from vault.audit import Act, practitioner
from vault.errors import DomainError
from vault.records.writing import Along


async def sign_in(call: Call) -> Me:
    """The code that ``factor_needed`` asked for, for a browser."""
    return await account.signed_in(call, await _proven(call, "browser"), "factors")


async def sign_in_app(call: Call) -> TokenSet:
    """The same for an app."""
    return await tokens.begun(call, await _proven(call, "app"))


async def begin_set_up(call: Call) -> None:
    """Who has to set up a second factor first may do that, in this browser, and nothing else."""
    app = call.request.app
    challenge = await app[CHALLENGES].open(call.body.challenge, "set-up")
    await app[CHALLENGES].spend(challenge)
    await app[STORE].audit.record(Act.SIGNED_IN, practitioner(challenge.practitioner), detail="set-up")
    call.after.append(lambda response: sessions.begin_set_up(call.request, response, challenge.practitioner))


async def confirmed(call: Call, password: str, code: str) -> Practitioner:
    """Who is signed in, by the password and by a second factor that was used just now, where the account has one.

    Whoever signed in with two a moment ago, as by a passkey, needs no code. Errors: ``sign_in_refused``,
    ``factor_refused``, ``rate_limited``; a code is used up by neither a wrong password nor by nothing to do.
    """
    person = await account.confirmed(call, password)
    if await asks_for_code(call):
        await _used(call, person, code)
    return person


async def proved(call: Call, password: str, code: str) -> Practitioner:
    """The same, for what takes a second factor whatever is demanded: of who has none it is refused.

    Errors: ``bad_state`` too (there is none).
    """
    if not (await call.request.app[STORE].factors.of(call.scope)).any:
        raise DomainError("bad_state")
    return await confirmed(call, password, code)


async def asks_for_code(call: Call) -> bool:
    """Whether ``confirmed`` does."""
    held = await call.request.app[STORE].factors.of(call.scope)
    return held.any and not await sessions.just_proved(call.request)


async def _proven(call: Call, purpose: Purpose) -> Practitioner:
    """Whose password was right, and whose code is."""
    app = call.request.app
    challenge = await app[CHALLENGES].open(call.body.challenge, purpose)
    scope = of_practitioner(challenge.practitioner)
    try:
        person = await app[STORE].practitioners.get(scope)
        used = await _tried(call, person, call.body.code)
    except DomainError as error:
        raise UserError("challenge_invalid") if error.code == "not_found" else error from None
    await app[CHALLENGES].spend(challenge)
    await _entered(call, person, used)
    return person


async def _used(call: Call, person: Practitioner, code: str) -> None:
    await _entered(call, person, await _tried(call, person, code))


async def _tried(call: Call, person: Practitioner, code: str) -> Used:
    """What the code was. Errors: ``factor_refused``, ``rate_limited``."""
    app, scope = call.request.app, of_practitioner(person.id)

    def low(left: int) -> Along:
        news = News("codes-low", person.mail, person.language, {"left": str(left)})
        return app[STORE].notices.of(person.id, news)

    return await app[PASSWORDS].factor(
        person.mail,
        client_network(call.request),
        app[DEVICES].known(call.request, person.mail, app[NOW]()),
        lambda: app[STORE].factors.use(scope, code, low),
    )


async def _entered(call: Call, person: Practitioner, used: Used) -> None:
    if used == "recovery":
        store = call.request.app[STORE]
        left = len((await store.factors.of(of_practitioner(person.id))).codes)
        await store.audit.record(Act.RECOVERY_CODE_USED, practitioner(person.id), detail=str(left))
