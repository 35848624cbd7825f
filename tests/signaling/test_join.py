"""The patient's link: opens the waiting room again and again, and says nothing about links that do not."""

import json
import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from signaling.limiter import JOIN_ADDRESS, Limit
from signaling.typedefs import TICKETS
from tests.opening import of
from tests.signaling.conftest import Server
from vault.records.scope import Scope


async def test_a_link_opens_the_waiting_room(server: Server) -> None:
    appointment = await server.appoint(server.alice)
    answer = await server.call("POST", "/api/v1/join", {"link": appointment.id + appointment.secret})
    assert answer.status == 200
    assert answer.body["practitioner_name"] == "Alice"
    assert answer.body["window"] == "open"
    assert "patient" not in answer.body
    claims = server.app[TICKETS].verify(answer.body["access_token"])
    assert (claims.kind, claims.role, claims.seat) == ("access", "patient", "patient")
    assert claims.appointment == appointment.id
    assert claims.admitted is False
    assert claims.practitioner is None


async def test_a_visit_never_consumes_the_link(server: Server) -> None:
    appointment = await server.appoint(server.alice)
    body = {"link": appointment.id + appointment.secret}
    assert [(await server.call("POST", "/api/v1/join", body)).status for _ in range(20)] == [200] * 20


@pytest.mark.parametrize(("minutes", "window"), [(0, "open"), (59, "open"), (61, "early"), (-31, "late")])
async def test_it_says_whether_the_patient_is_early_or_late(server: Server, minutes: int, window: str) -> None:
    appointment = await server.appoint(server.alice, minutes)
    answer = await server.call("POST", "/api/v1/join", {"link": appointment.id + appointment.secret})
    assert answer.body["window"] == window


async def test_a_consult_over_its_time_lets_back_in_whoever_reloads(server: Server) -> None:
    appointment = await server.appoint(server.alice, -61)
    body = {"link": appointment.id + appointment.secret}
    assert (await server.call("POST", "/api/v1/join", body)).code == "link_invalid"
    await server.run(appointment)
    answer = await server.call("POST", "/api/v1/join", body)
    assert datetime.fromisoformat(answer.body["closes_at"]) > server.time.now()
    await server.store.appointments.end(Scope.consult(appointment.id, appointment.owner), appointment.id)
    assert (await server.call("POST", "/api/v1/join", body)).code == "link_invalid"


async def broken_links(server: Server) -> dict[str, str]:
    """Links that do not work, by why."""
    good = await server.appoint(server.alice)
    other = await server.appoint(server.bob)
    ended = await server.appoint(server.alice)
    await server.store.appointments.end(Scope.consult(ended.id, ended.owner), ended.id)
    destroyed = await server.appoint(server.alice)
    await server.store.retention.destroy(of(server.alice.id), destroyed.id)
    old = await server.appoint(server.alice, -61)
    return {
        "nobody's": "A" * 44,
        "another secret": good.id + other.secret,
        "ended": ended.id + ended.secret,
        "destroyed": destroyed.id + destroyed.secret,
        "expired": old.id + old.secret,
        "short": good.id,
        "empty": "",
        "shape": "?" * 44,
    }


async def test_every_broken_link_gets_the_same_answer(server: Server) -> None:
    answers = {
        why: await server.call("POST", "/api/v1/join", {"link": link})
        for why, link in (await broken_links(server)).items()
    }
    assert {(answer.status, answer.code) for answer in answers.values()} == {(404, "link_invalid")}
    assert len({str(answer.body) for answer in answers.values()}) == 1


async def test_every_broken_link_takes_the_same_work(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Decryptions are what takes time; clocks say little on a busy machine."""
    monkeypatch.setattr("signaling.rest.join.JOIN_ADDRESS", Limit("join-address", 10_000, "Links."))
    links = await broken_links(server)
    work: list[int] = []

    class Counting:
        def __init__(self, key: bytes) -> None:
            self._cipher = AESGCM(key)

        def decrypt(self, nonce: bytes, data: bytes, aad: bytes) -> bytes:
            work.append(len(data))
            return self._cipher.decrypt(nonce, data, aad)

    await server.store.keys.rotate()  # the server's sweeper would do it meanwhile, and the new epoch is opened once
    await server.call("POST", "/api/v1/join", {"link": links["nobody's"]})  # a decoy is made once
    monkeypatch.setattr("vault.keys.envelope.AESGCM", Counting)
    done: dict[str, list[int]] = {}
    for why, link in links.items():
        work.clear()
        await server.call("POST", "/api/v1/join", {"link": link})
        done[why] = list(work)
    assert len(done["empty"]) > 2
    assert done == dict.fromkeys(done, done["empty"])


async def test_guessing_is_limited_but_a_right_link_always_works(server: Server) -> None:
    for _ in range(JOIN_ADDRESS.tries):
        await server.call("POST", "/api/v1/join", {"link": "A" * 44})
    assert (await server.call("POST", "/api/v1/join", {"link": "A" * 44})).code == "rate_limited"
    appointment = await server.appoint(server.alice)
    assert (await server.call("POST", "/api/v1/join", {"link": appointment.id + appointment.secret})).status == 200


async def test_what_cannot_belong_to_a_link_is_dropped_and_is_no_wrong_try(server: Server) -> None:
    appointment = await server.appoint(server.alice)
    link = appointment.id + appointment.secret
    parts = {"link": link, "head": link[:22], "tail": link[22:], "short": link[:43]}
    cases: dict[str, list[str]] = json.loads((Path(__file__).parents[1] / "links.json").read_text())

    async def answers(kind: str) -> dict[str, int]:
        typed = {
            form: re.sub(r"\{(link|head|tail|short)\}", lambda found: parts[found[1]], form) for form in cases[kind]
        }
        return {
            form: (await server.call("POST", "/api/v1/join", {"link": text})).status for form, text in typed.items()
        }

    # More of them than wrong tries are allowed.
    assert len(cases["good"]) > JOIN_ADDRESS.tries
    assert {form for form, status in (await answers("good")).items() if status != 200} == set()
    assert {form for form, status in (await answers("bad")).items() if status != 404} == set()


async def test_a_link_closes_some_time_after_the_planned_end(server: Server) -> None:
    appointment = await server.appoint(server.alice)
    body = {"link": appointment.id + appointment.secret}
    server.time.ahead = timedelta(minutes=59)
    assert (await server.call("POST", "/api/v1/join", body)).body["window"] == "late"
    server.time.ahead = timedelta(minutes=61)
    assert (await server.call("POST", "/api/v1/join", body)).code == "link_invalid"
