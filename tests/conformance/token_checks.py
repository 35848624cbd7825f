"""The join ticket, and the tokens of an app."""

from functools import partial

from client.errors import Refusal
from client.rest import Rest
from signaling.protocol.capabilities import CAPABILITIES
from signaling.protocol.model import PROTOCOL_VERSION
from tests.conformance.requirement import Untried, Violation, expect, requirement
from tests.conformance.world import Page, Refused, World, until


def gone(page: Page) -> bool:
    return not page.connected


async def refused(world: World, refresh_token: str, *codes: str) -> None:
    try:
        await world.visitor.refresh(refresh_token)
    except Refusal as refusal:
        expect(refusal.code in codes, f"a refresh token gets {refusal.code}, not {' or '.join(codes)}")
    else:
        raise Violation("a refresh token that is worthless gets another")


async def family(world: World) -> tuple[str, str, str]:
    """Of a patient's app: its appointment, its link and the first refresh token."""
    appointment, link = await world.appointment()
    joined = await world.visitor.join(link, refresh=True)
    expect(joined.refresh_token, "no refresh token, though it was asked for")
    return appointment, link, str(joined.refresh_token)


@requirement("One call to join", "A join says all that is needed to connect, and no TURN credentials to who waits.")
async def join_says_everything(world: World) -> None:
    appointment, link = await world.appointment()
    joined = await world.visitor.join(link)
    expect(not joined.ice_servers, "TURN servers for who only has a link")
    expect(joined.refresh_token is None, "a refresh token that nobody asked for")
    versions = joined.protocol.supported
    expect(versions.oldest <= PROTOCOL_VERSION <= versions.newest, f"versions {versions}")
    expect(set(joined.protocol.capabilities) <= set(CAPABILITIES), "capabilities of another protocol")
    own = await world.desk.enter(appointment)
    expect((own.role, own.appointment) == ("practitioner", appointment), "a ticket for something else")
    doctor = await world.page(appointment).connect(own.access_token)
    view = await doctor.arrive()
    expect(view["me"]["role"] == "practitioner", f"the role is {view['me']['role']}")


@requirement("One call to join", "Nobody joins another's appointment as its practitioner.")
async def join_needs_the_owner(world: World) -> None:
    appointment, _ = await world.appointment()
    for rest, wanted, code in ((world.visitor, appointment, "unauthenticated"), (world.desk, "A" * 22, "not_found")):
        try:
            await rest.enter(wanted)
        except Refusal as refusal:
            expect(refusal.code == code, f"it gets {refusal.code}, not {code}")
        else:
            raise Violation("it gets in")


@requirement("Tokens of an app", "A refresh token gives the next two, and the access token opens Socket.IO.")
async def refreshing(world: World) -> None:
    appointment, _, first = await family(world)
    second = await world.visitor.refresh(first)
    third = await world.visitor.refresh(second.refresh_token)
    expect(len({first, second.refresh_token, third.refresh_token}) == 3, "a refresh token comes again")
    expect(third.refresh_expires_in <= second.refresh_expires_in, "refreshing makes the family live longer")
    guest = await world.page(appointment).connect(third.access_token)
    await guest.arrive()


@requirement("Tokens of an app", "Who did not get the answer may ask again with the token that was just replaced.")
async def lost_answer(world: World) -> None:
    _, _, first = await family(world)
    await world.visitor.refresh(first)
    again = await world.visitor.refresh(first)
    await world.visitor.refresh(again.refresh_token)


@requirement("Tokens of an app", "A refresh token in two hands ends its family: `token_reused`.")
async def reuse_ends_the_family(world: World) -> None:
    _, _, first = await family(world)
    second = await world.visitor.refresh(first)
    third = await world.visitor.refresh(second.refresh_token)
    await refused(world, first, "token_reused")
    await refused(world, third.refresh_token, "token_reused", "token_invalid")


@requirement("Tokens of an app", "A socket of a family that ends is told why, with `signed-out`, and closed.")
async def socket_of_an_ended_family(world: World) -> None:
    for code in ("token_reused", "token_invalid"):
        appointment, _, first = await family(world)
        second = await world.visitor.refresh(first)
        third = await world.visitor.refresh(second.refresh_token)
        guest = await world.page(appointment).connect(third.access_token)
        await guest.arrive()
        if code == "token_reused":
            await refused(world, first, code)
        else:
            await world.visitor.revoke(third.refresh_token)
        await until(partial(gone, guest), "its socket stays open")
        expect(guest.events("signed-out") == [{"code": code}], f"it is told {guest.events('signed-out')}")
        try:
            await world.returning(guest)
        except Refused as refusal:
            expect(refusal.code in ("token_invalid", "token_reused"), f"its ticket gets {refusal.code}")
        else:
            raise Violation("its resume ticket opens a socket")


@requirement("Tokens of an app", "Revoking ends a family, and so does the end of the appointment.")
async def revoking(world: World) -> None:
    _, _, revoked = await family(world)
    await world.visitor.revoke(revoked)
    await refused(world, revoked, "token_invalid", "token_reused")
    appointment, _, ended = await family(world)
    await world.desk.call("POST", f"/appointments/{appointment}/end", {})
    await refused(world, ended, "token_invalid", "token_reused", "ended", "link_invalid")


@requirement("Tokens of an app", "A practitioner's app signs in without a cookie, and calls with its access token.")
async def app_signs_in(world: World) -> None:
    if not world.account.mail:
        raise Untried("a demo's practitioner has a link and no password")
    async with Rest(world.url, tls=world.tls) as app:
        tokens = await app.sign_in_app(world.account.mail, world.account.password)
        status, _ = await app.fetch("GET", "/api/v1/me")
        expect(status == 401, f"a cookie was set: {status}")
        status, _ = await app.fetch("GET", "/api/v1/me", bearer=tokens.access_token)
        expect(status == 200, f"with the access token: {status}")
        await app.revoke(tokens.refresh_token)
