"""Socket.IO: the handshake, bodies, roles, limits."""

import asyncio
from typing import Any

import aiohttp

from signaling.protocol.events import CLIENT_EVENTS
from tests.conformance.bodies import GOOD, INSIDE
from tests.conformance.requirement import Violation, expect, requirement
from tests.conformance.world import Page, Refused, World, until


async def not_let_in(page: Page, code: str, token: str, **options: Any) -> Refused:
    try:
        await page.connect(token, **options)
    except Refused as refused:
        expect(refused.code == code, f"CONNECT gets {refused.code}, not {code}")
        return refused
    raise Violation(f"CONNECT is accepted; it should be {code}")


@requirement("From link to talk", "Only a WebSocket opens a session.")
async def websocket_only(world: World) -> None:
    status, text = await world.visitor.fetch("GET", "/socket.io/?EIO=4&transport=polling")
    expect(status >= 400, f"long polling gets {status}: {text[:40]}")


@requirement("From link to talk", "A token that is none gets `token_invalid`.")
async def bad_token(world: World) -> None:
    appointment, link = await world.appointment()
    good = (await world.visitor.join(link)).access_token
    for token in ("x", "a.b.c", good[:-4] + ("AAAA" if good[-4:] != "AAAA" else "BBBB"), good + "x"):
        await not_let_in(world.page(appointment), "token_invalid", token)


@requirement("Versions and capabilities", "A version that the server does not speak gets `version_unsupported`.")
async def wrong_version(world: World) -> None:
    appointment, link = await world.appointment()
    token = (await world.visitor.join(link)).access_token
    for version in (0, 999):
        refused = await not_let_in(world.page(appointment), "version_unsupported", token, version=version)
        supported = refused.error.get("supported")
        expect(isinstance(supported, dict), "the refusal does not say which versions there are")
        expect(supported and supported["oldest"] <= 1 <= supported["newest"], f"supported is {supported}")


@requirement("From link to talk", "Another origin does not get in.")
async def other_origin(world: World) -> None:
    appointment, link = await world.appointment()
    token = (await world.visitor.join(link)).access_token
    for origin in ("https://another.example", "null", f"{world.url}.example"):
        try:
            await world.page(appointment).connect(token, origin=origin)
        except Refused:
            continue
        raise Violation(f"the origin {origin} gets in")


@requirement("From link to talk", "Who does not authenticate within 5 s is closed.")
async def silence_is_closed(world: World) -> None:
    url = f"{world.url}/socket.io/?EIO=4&transport=websocket"
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(url, headers={"Origin": world.url}, ssl=world.tls or True) as socket,
    ):
        try:
            async with asyncio.timeout(8):
                while (await socket.receive()).type is aiohttp.WSMsgType.TEXT:
                    pass
        except TimeoutError:
            raise Violation("still open after 8 s") from None


@requirement("Events from a client", "An event that does not exist, or is Socket.IO's own, is `unknown_event`.")
async def unknown_event(world: World) -> None:
    them = await world.waiting()
    for event in ("no-such-event", "room", "present", "disconnect", "connect", "__proto__"):
        await them.guest.refused("unknown_event", event, {})
    expect(them.guest.connected, "an unknown event ended the connection")


@requirement("Models", "A body with a missing, wrong or unknown field is `invalid` and does nothing.")
async def bad_bodies(world: World) -> None:
    them = await world.waiting()
    for event, registered in CLIENT_EVENTS.items():
        if "patient" not in registered.roles:
            continue
        good, fields = GOOD[event], registered.body.model_fields
        await them.guest.refused("invalid", event, good | {"unexpected": 1})
        if needed := [name for name, field in fields.items() if field.is_required()]:
            await them.guest.refused("invalid", event, {})
            await them.guest.refused("invalid", event, good | {needed[0]: [[]]})
        # A refusal a time, so that the limit of refusals in a row is not reached.
        await them.guest.do("snapshot")
    expect(them.guest.view["me"]["state"] == "waiting", "a bad body changed the state")


@requirement("From link to talk", "Binary attachments are refused.")
async def attachments(world: World) -> None:
    them = await world.waiting()
    try:
        async with asyncio.timeout(3):
            reply = await them.guest.socket.call("chat", {"ciphertext": b"\x00\x01"}, timeout=2)
    except Exception as error:  # noqa: BLE001 -- a closed connection is a refusal too, however the library says so
        await until(lambda: not them.guest.connected, f"no answer and no end: {type(error).__name__}")
    else:
        expect(not reply.get("ok"), "an attachment is taken")


@requirement("Events from a client", "What is the practitioner's is `forbidden` to a patient.")
async def roles(world: World) -> None:
    them = await world.waiting()
    for event, registered in CLIENT_EVENTS.items():
        if "patient" not in registered.roles:
            await them.guest.refused("forbidden", event, GOOD[event])


@requirement("From link to talk", "Who waits may not do what those inside do.")
async def waiting_does_nothing(world: World) -> None:
    them = await world.waiting()
    for event in INSIDE:
        await them.guest.refused("forbidden", event, GOOD[event])


@requirement("Events from a client", "Who has no place in a room gets `bad_state`.")
async def no_place(world: World) -> None:
    appointment, _ = await world.appointment()
    doctor = await world.doctor(appointment)
    for event in (*INSIDE, "snapshot", "indicate", "report", "leave"):
        await doctor.refused("bad_state", event, GOOD[event])


@requirement("From link to talk", "A link's token is good for its own appointment only.")
async def own_appointment_only(world: World) -> None:
    other, _ = await world.appointment()
    _, link = await world.appointment()
    guest = await world.guest(link)
    await guest.refused("not_found", "arrive", {"appointment": other, "participant": guest.id})


@requirement("Limits", "Too many events at once are `rate_limited`; a moment later it goes on.")
async def flood(world: World) -> None:
    them = await world.waiting()
    limits = (await world.visitor.join(them.link)).limits
    await asyncio.sleep(1)  # what it took to arrive is given back
    count = limits.events_burst + int(limits.events_per_second * 2)
    replies = await asyncio.gather(*(them.guest.ask("snapshot") for _ in range(count)))
    codes = {reply["error"]["code"] for reply in replies if not reply["ok"]}
    expect(codes == {"rate_limited"}, f"{count} events at once get {codes or 'no refusal'}")
    done = sum(reply["ok"] for reply in replies)
    expect(done >= limits.events_burst, f"{done} of {limits.events_burst} events that may come at once")
    await asyncio.sleep(1)
    await them.guest.do("snapshot")


@requirement("Limits", "Who goes on although it is `rate_limited` is closed, and nobody else.")
async def strikes(world: World) -> None:
    them = await world.waiting()
    count = (await world.visitor.join(them.link)).limits.events_burst * 5
    for _ in range(count):
        await them.guest.socket.emit("snapshot", {})
        if not them.guest.connected:
            break
    await until(lambda: not them.guest.connected, f"{count} events at once, and still there")
    await them.doctor.do("watch")


@requirement("Limits", "A message that is too large ends its connection, and nobody else's.")
async def huge_message(world: World) -> None:
    them = await world.waiting()
    size = (await world.visitor.join(them.link)).limits.message_bytes * 2
    await them.guest.socket.emit("chat", {"ciphertext": "A" * size})
    await until(lambda: not them.guest.connected, f"{size} characters are taken")
    await them.doctor.do("watch")
