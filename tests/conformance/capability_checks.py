"""Capabilities: what both sides have, numbered events, repeats."""

import json
import secrets

from client.exchange import encode
from signaling.protocol.capabilities import CAPABILITIES
from tests.conformance.recorded import FILE, Player
from tests.conformance.requirement import expect, requirement
from tests.conformance.world import Page, World, until

REPLAY = {"capabilities": ["replay"]}


def text() -> str:
    return encode(secrets.token_bytes(60))


def said(page: Page) -> list[str]:
    return [body["ciphertext"] for body in page.events("chat")]


@requirement("Versions and capabilities", "Who names capabilities gets `welcome` first; what nobody knows is ignored.")
async def welcome_comes_first(world: World) -> None:
    for named in ([], ["no-such-thing"], [*CAPABILITIES, "no-such-thing"]):
        them = await world.waiting(capabilities=named)
        first = them.guest.heard[0] if them.guest.heard else ("nothing", {})
        expect(first[0] == "welcome", f"the first event is {first[0]}")
        both = set(first[1]["capabilities"])
        expect(both <= set(named) & set(CAPABILITIES), f"{sorted(both)} is not what both sides named")
        expect(first[1]["version"] == 1, f"version {first[1]['version']}")


@requirement("Versions and capabilities", "Who names none sees the protocol without additions.")
async def nothing_is_added(world: World) -> None:
    them = await world.consult()
    await them.doctor.do("chat", {"ciphertext": text()})
    await until(lambda: said(them.guest), "no `chat`")
    expect(not them.guest.events("welcome"), "a `welcome` to who named nothing")
    expect(not them.guest.beside, "a number to who did not ask for it")


@requirement("Numbers and replay", "What was missed while a socket was away follows, in order and once.")
async def missed_events_follow(world: World) -> None:
    them = await world.consult(**REPLAY)
    await until(lambda: them.guest.events("replay"), "no `replay` after `arrive`")
    texts = [text() for _ in range(4)]
    await them.doctor.do("chat", {"ciphertext": texts[0]})
    await until(lambda: said(them.guest) == texts[:1], "no `chat`")
    [seen] = them.guest.numbers("chat")
    expect(seen > them.guest.events("replay")[-1]["seq"], "the number does not rise")
    await them.guest.drop()
    for one in texts[1:]:
        await them.doctor.do("chat", {"ciphertext": one})
    back = await world.returning(them.guest, same=True, **REPLAY)
    await back.arrive(seen=seen)
    await until(lambda: len(said(back)) >= 3, "what was missed does not follow")
    expect(said(back) == texts[1:], "other messages, or in another order")
    numbers = back.numbers("chat")
    expect(numbers == sorted(set(numbers)) and numbers[0] > seen, f"numbers {numbers} after {seen}")
    expect(back.events("replay")[0]["complete"], "incomplete, though nothing is lost")
    expect(back.events("replay")[0]["seq"] < numbers[0], "`replay` is beyond what follows it")


@requirement("Numbers and replay", "A page that has seen everything is sent nothing again.")
async def nothing_comes_twice(world: World) -> None:
    them = await world.consult(**REPLAY)
    await them.doctor.do("chat", {"ciphertext": text()})
    await until(lambda: said(them.guest), "no `chat`")
    await them.guest.drop()
    back = await world.returning(them.guest, same=True, **REPLAY)
    await back.arrive(seen=them.guest.numbers("chat")[-1])
    await them.doctor.do("chat", {"ciphertext": "after"})
    await until(lambda: said(back), "no `chat` after coming back")
    expect(said(back) == ["after"], "a message comes twice")


@requirement("Repeats", "A repeat with the same id is acknowledged and not carried out again.")
async def repeats_are_done_once(world: World) -> None:
    them = await world.consult(capabilities=["once"])
    body, beside = {"ciphertext": text()}, {"id": secrets.token_urlsafe(16)}
    for _ in range(3):
        reply = await them.guest.ask("chat", body, beside)
        expect(reply["ok"], "a repeat is refused")
    await them.guest.drop()
    back = await world.returning(them.guest, same=True, capabilities=["once"])
    await back.arrive()
    expect((await back.ask("chat", body, beside))["ok"], "a repeat on another socket is refused")
    await back.do("chat", {"ciphertext": "another"})
    await until(lambda: "another" in said(them.doctor), "no `chat`")
    expect(said(them.doctor) == [body["ciphertext"], "another"], "a repeat is carried out")


@requirement("Versions and capabilities", "A client of this version holds a whole consult as it was once recorded.")
async def recorded_session(world: World) -> None:
    await Player(world).play(json.loads(FILE.read_text())["steps"])
