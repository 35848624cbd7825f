"""Keys, chat and media: what the server passes on, and what it must not."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from client.exchange import encode
from client.participant import Participant, patient, practitioner
from client.sealing import seal_frames
from client.synthetic import Pattern, Tone
from signaling.protocol.refusals import OFFER_REASONS
from tests.conformance.requirement import expect, requirement
from tests.conformance.world import World, until


def digest() -> str:
    return encode(secrets.token_bytes(32))


@requirement("Handshake", "Key messages reach the others as they were sent, with their sender.")
async def keys_are_passed_on(world: World) -> None:
    them = await world.consult()
    epoch, commitment = them.guest.view["keys"]["epoch"], digest()
    committed = {"epoch": epoch, "version": 2, "commitment": commitment}
    revealed = {"epoch": epoch, "key": "B" * 87, "nonce": commitment, "last": [commitment], "withheld": 2}
    for event, sent in (("key-commit", committed), ("key-reveal", revealed)):
        await them.guest.do(event, sent)
        await until(partial(them.doctor.events, event), f"no `{event}`")
        expect(them.doctor.events(event) == [sent | {"sender": them.guest.id}], f"another `{event}`")
    wrapped = encode(secrets.token_bytes(60))
    await them.doctor.do("key-wrap", {"epoch": epoch, "to": them.guest.id, "wrapped": wrapped})
    await until(lambda: them.guest.events("key-wrap"), "no `key-wrap`")
    expect(them.guest.events("key-wrap")[0]["sender"] == them.doctor.id, "another sender")
    expect(not them.doctor.events("key-wrap"), "a `key-wrap` comes back to its sender")


@requirement("Handshake", "A commitment without a version reaches the other as version 1, for the other to refuse.")
async def the_version_is_the_clients(world: World) -> None:
    them = await world.consult()
    epoch = them.guest.view["keys"]["epoch"]
    await them.guest.do("key-commit", {"epoch": epoch, "commitment": digest()})
    await until(lambda: them.doctor.events("key-commit"), "no `key-commit`")
    expect(them.doctor.events("key-commit")[0]["version"] == 1, "another version")


@requirement("Handshake", "`keys.members` are exactly the people shown who are admitted, each in the same role.")
async def members_are_shown(world: World) -> None:
    them = await world.consult()
    for page in (them.doctor, them.guest):
        shown = [page.view["me"], *(one for one in page.view["others"] if one["state"] == "admitted")]
        people = {one["participant"]: one["role"] for one in shown}
        members = {one["participant"]: one["role"] for one in page.view["keys"]["members"]}
        expect(members == people and len(page.view["keys"]["members"]) == len(people), "other members")


@requirement("Handshake", "`key-restart` begins the next epoch, for both.")
async def key_restart(world: World) -> None:
    them = await world.consult()
    epoch = them.guest.view["keys"]["epoch"]
    await them.guest.do("key-restart", {"epoch": epoch})
    both = (them.doctor, them.guest)
    await until(lambda: all(page.view["keys"]["epoch"] > epoch for page in both), "the epoch does not rise")


@requirement("Events from a client", "A chat message reaches the others unchanged, or the one that it is for.")
async def chat_is_passed_on(world: World) -> None:
    them = await world.consult()
    ciphertext = encode(secrets.token_bytes(400))
    await them.guest.do("chat", {"ciphertext": ciphertext})
    await until(lambda: them.doctor.events("chat"), "no `chat`")
    expect(not them.guest.events("chat"), "a message comes back to its sender")
    await them.doctor.do("chat", {"ciphertext": ciphertext, "to": them.guest.id})
    await until(lambda: them.guest.events("chat"), "no `chat` to the one it is for")
    sent = {"sender": them.guest.id, "ciphertext": ciphertext}
    expect(them.doctor.events("chat") == [sent], "another message, or the same twice")


@requirement("Models", "A chat message has at most 65,536 characters.")
async def chat_has_a_bound(world: World) -> None:
    them = await world.consult()
    await them.guest.do("chat", {"ciphertext": "A" * 65_536})
    await them.guest.refused("invalid", "chat", {"ciphertext": "A" * 65_537})


@requirement(
    "Events from a client", "An offer that is none is `sdp_invalid`, with a reason; of another fence, `bad_state`."
)
async def bad_offers(world: World) -> None:
    them = await world.consult()
    await until(lambda: them.guest.view["media"] and them.guest.view["media"]["ready"], "no media")
    fence = them.guest.view["media"]["fence"]
    lines = [{"mid": "0", "use": "microphone"}]
    reply = await them.guest.ask("offer", {"fence": fence, "sdp": "no description", "lines": lines})
    error = reply.get("error", {})
    got = error.get("code"), error.get("reason"), error.get("message")
    expect(got == ("sdp_invalid", "not_sdp", OFFER_REASONS["not_sdp"]), f"an offer that is none gets {got[:2]}")
    await them.guest.refused("bad_state", "offer", {"fence": fence - 1, "sdp": "v=0\r\n", "lines": lines})


@requirement("Events from a client", "`report` and `indicate` are acknowledged.")
async def small_events(world: World) -> None:
    them = await world.consult()
    await them.guest.do("report", {"at": 0, "candidate": "host", "transport": "udp", "rtt_ms": 12})
    await them.guest.do("indicate", {"microphone": True, "camera": False, "screen": False})


@asynccontextmanager
async def people(world: World) -> AsyncIterator[tuple[Participant, Participant]]:
    """Two whole clients, in a consult with sound and pictures."""
    appointment, link = await world.appointment()
    doctor = practitioner(world.desk, appointment, {"microphone": Tone(400), "camera": Pattern(60)})
    guest = await patient(world.visitor, link, {"microphone": Tone(700), "camera": Pattern(200)})
    async with doctor, guest:
        await doctor.watch()
        await guest.arrive()
        await until(lambda: doctor.desk and doctor.desk.waiting, "the desk shows nobody")
        await doctor.admit(guest.id)
        yield doctor, guest


def decoded(viewer: Participant, other: Participant, source: str) -> int:
    place = viewer.receiving(other.id, "camera" if source == "camera" else "microphone")
    return place.decoded if place else 0


@requirement("Frame", "Sound and pictures go both ways, encrypted from end to end, under one code.")
async def media_both_ways(world: World) -> None:
    async with people(world) as both:
        for viewer, other in (both, both[::-1]):
            for source in ("camera", "microphone"):
                await until(partial(decoded, viewer, other, source), f"no {source} to the {viewer.role}", 12)
        await until(lambda: both[0].keys.code and both[0].keys.code == both[1].keys.code, "two codes")
        expect([one.keys.people for one in both] == [2, 2], "another number of people")
        await both[0].send_chat("goedendag")
        await until(lambda: both[1].chat, "no chat")


@requirement("Events from the server", "A source without encryption is not forwarded, and its sender is told.")
async def clear_frames_stop(world: World) -> None:
    async with people(world) as (doctor, guest):
        await until(lambda: decoded(doctor, guest, "microphone"), "no sound", 12)
        assert guest.media
        seal_frames(guest.media.sending["camera"].transceiver.sender, lambda frame: frame)
        await until(lambda: "camera" in guest.unencrypted, "the sender is not told", 12)
        place = doctor.receiving(guest.id, "camera")
        expect(place and place.refused < 30, "frames in clear are forwarded")


@requirement("From link to talk", "A lost connection comes back by itself, and the picture goes on meanwhile.")
async def lost_and_found(world: World) -> None:
    async with people(world) as (doctor, guest):
        await until(lambda: decoded(doctor, guest, "camera"), "no picture", 12)
        code, before = doctor.keys.code, decoded(doctor, guest, "camera")
        await guest.lose_signaling()
        await until(lambda: guest.returns == 1, "the page does not come back", 10)
        await until(lambda: decoded(doctor, guest, "camera") > before + 5, "the picture stops")
        expect(doctor.keys.code == code, "another code after a reconnect")


@requirement("Groups", "In a consult of two nobody says who speaks.")
async def a_pair_is_no_group(world: World) -> None:
    them = await world.consult()
    for page in (them.doctor, them.guest):
        expect(page.view.get("capacity", 2) == 2, "another capacity")
        await page.refused("bad_state", "speak", {"speaking": True})


@requirement("Groups", "Whoever does not lead locks nothing, removes nobody, puts nobody back and hands nothing over.")
async def only_who_leads(world: World) -> None:
    them = await world.consult()
    other = {"participant": them.doctor.id}
    for event, body in (("lock", {"locked": True}), ("remove", other), ("hand-over", other), ("put-back", other)):
        await them.guest.refused("forbidden", event, body)
