"""REST: links, sign-in, errors, documents."""

import json
from typing import Any

import aiohttp
from pydantic import ValidationError

from client.errors import Refusal
from client.rest import Rest
from signaling.protocol.errors import CATALOGUE, WireError
from signaling.protocol.events import CLIENT_EVENTS, SERVER_EVENTS
from signaling.protocol.model import API
from signaling.protocol.rest import Failure, Join
from tests.conformance.requirement import Violation, expect, requirement
from tests.conformance.world import World

NOBODY = "A" * 44


async def failure(rest: Rest, code: str, method: str, path: str, body: Any = None) -> WireError:
    """The error of a call that has to fail so, with its status."""
    status, text = await rest.fetch(method, path, body)
    try:
        error = Failure.model_validate_json(text).error
    except ValidationError:
        raise Violation(f"{method} {path} answers {status} without an error of this protocol") from None
    expect(error.code == code, f"{method} {path} answers {error.code}, not {code}")
    category, right, _ = CATALOGUE[code]
    expect((error.category, status) == (category, right), f"{code} comes as {error.category} with status {status}")
    return error


@requirement("From link to talk", "A link opens the waiting room, as often as it is asked.")
async def link_opens(world: World) -> None:
    appointment, link = await world.appointment()
    for _ in range(2):
        status, text = await world.visitor.fetch("POST", f"{API}/join", {"link": link})
        expect(status == 200, f"join answers {status}")
        joined = Join.model_validate_json(text)
        expect(joined.appointment == appointment, "join names another appointment")
        expect(joined.role == "patient", f"join gives the role {joined.role}")


@requirement("From link to talk", "A link that is wrong, malformed, of somebody else or ended gets `link_invalid`.")
async def wrong_link_opens_nothing(world: World) -> None:
    appointment, link = await world.appointment()
    other, other_link = await world.appointment()
    await world.desk.call("POST", f"/appointments/{other}/end", {})
    for wrong in (NOBODY, link[:22] + NOBODY[:22], link[:22] + other_link[22:], other_link, link[::-1]):
        error = await failure(world.visitor, "link_invalid", "POST", f"{API}/join", {"link": wrong})
        expect(error.retry_after is None, "a wrong link says when to try again")
    await world.desk.destroy_appointment(appointment)
    await failure(world.visitor, "link_invalid", "POST", f"{API}/join", {"link": link})


@requirement("REST", "What needs a session says `unauthenticated` without one.")
async def session_is_needed(world: World) -> None:
    for method, path in (("GET", "me"), ("GET", "appointments"), ("POST", "desk/ticket"), ("GET", "receipts")):
        await failure(world.visitor, "unauthenticated", method, f"{API}/{path}", {} if method == "POST" else None)


@requirement("REST", "Another's appointment, and one that never was, are `not_found`; a destroyed one is gone.")
async def others_do_not_exist(world: World) -> None:
    appointment, _ = await world.appointment()
    await failure(world.desk, "not_found", "GET", f"{API}/appointments/{'A' * 22}")
    receipt = await world.desk.destroy_appointment(appointment)
    expect(receipt.receipt, "no receipt")
    try:
        await world.desk.call("GET", f"/appointments/{appointment}")
    except Refusal as refusal:
        expect(refusal.code in ("gone", "not_found"), f"a destroyed appointment answers {refusal.code}")
    else:
        raise Violation("a destroyed appointment can be read")


@requirement("REST", "A body with a missing, wrong or unknown field is `invalid`.")
async def bad_body_is_invalid(world: World) -> None:
    good = {"patient": "x", "starts_at": "2030-01-01T10:00:00+00:00", "minutes": 30}
    bad: list[Any] = [{}, [], "x", good | {"more": 1}, good | {"minutes": "30"}, good | {"minutes": 4}]
    for body in [*bad, good | {"patient": ""}, good | {"starts_at": "tomorrow"}, good | {"language": "xx"}]:
        await failure(world.desk, "invalid", "POST", f"{API}/appointments", body)


@requirement("REST", "An address that does not exist is `unknown_route`, a wrong method `method_not_allowed`.")
async def unknown_route(world: World) -> None:
    await failure(world.visitor, "unknown_route", "GET", f"{API}/nothing-here")
    await failure(world.visitor, "method_not_allowed", "GET", f"{API}/join")


@requirement("REST", "A body that is too large is `too_large`.")
async def large_body_is_refused(world: World) -> None:
    await failure(world.visitor, "too_large", "POST", f"{API}/join", {"link": "x" * 1_000_000})


@requirement("REST", "A request from another site is `origin_refused`.")
async def other_site_is_refused(world: World) -> None:
    async with aiohttp.ClientSession() as session:
        headers = {"Origin": "https://another.example"}
        url = f"{world.url}{API}/join"
        async with session.post(url, json={"link": NOBODY}, headers=headers, ssl=world.tls or True) as answer:
            error = Failure.model_validate_json(await answer.text()).error
            expect((error.code, answer.status) == ("origin_refused", 403), f"{answer.status} {error.code}")


@requirement("REST", "A wrong password is `sign_in_refused`, the same for an account that does not exist.")
async def wrong_password(world: World) -> None:
    for mail in {world.account.mail or "nobody@example.org", "nobody@example.org"}:
        body = {"mail": mail, "password": "surely not this one"}
        await failure(world.visitor, "sign_in_refused", "POST", f"{API}/sign-in", body)


@requirement("REST", "A second step without a genuine challenge is `challenge_invalid`.")
async def challenge_is_needed(world: World) -> None:
    for path in ("sign-in/factor", "tokens/factor"):
        for challenge in ("nonsense", NOBODY * 8):
            body = {"challenge": challenge, "code": "123456"}
            await failure(world.visitor, "challenge_invalid", "POST", f"{API}/{path}", body)


@requirement("Seats, takeovers, tickets", "Signing out closes the practitioner's sockets and voids their tickets.")
async def signing_out_closes(world: World) -> None:
    from tests.conformance.world import Refused, until

    them = await world.consult()
    await world.desk.sign_out()
    try:
        await until(lambda: not them.doctor.connected, "the practitioner's socket stays open")
        try:
            await world.returning(them.doctor)
        except Refused as refused:
            expect(refused.code == "token_invalid", f"the resume ticket gets {refused.code}")
        else:
            raise Violation("the resume ticket still works")
        await failure(world.desk, "unauthenticated", "GET", f"{API}/me")
    finally:
        await world.sign_in()


@requirement("Limits", "Who tries many wrong links is `rate_limited`, and a right link still opens.", exhausts=True)
async def wrong_links_are_limited(world: World) -> None:
    _, link = await world.appointment()
    for _ in range(200):
        try:
            await world.visitor.join(NOBODY)
        except Refusal as refusal:
            if refusal.code == "rate_limited":
                break
            expect(refusal.code == "link_invalid", f"a wrong link gets {refusal.code}")
    else:
        raise Violation("200 wrong links, and no end")
    await world.visitor.join(link)


@requirement("The wire protocol", "OpenAPI and AsyncAPI are served, and name the events of this registry.")
async def documents_are_served(world: World) -> None:
    for name, field in (("openapi", "openapi"), ("asyncapi", "asyncapi")):
        status, text = await world.visitor.fetch("GET", f"/api/{name}.json")
        expect(status == 200, f"/api/{name}.json answers {status}")
        document = json.loads(text)
        expect(field in document, f"/api/{name}.json is no {name} document")
    for event in (*CLIENT_EVENTS, *SERVER_EVENTS):
        expect(f'"{event}"' in text, f"AsyncAPI does not name {event}")
