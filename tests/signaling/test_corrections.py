"""A correction over REST: asked about, never over somebody else's, and told to whoever waits."""

from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

import pytest

from practice.agenda.model import Appointment
from rooms.consult import new
from rooms.consult_events import Arrive
from signaling.gate import SIGNALING
from tests.opening import of
from tests.signaling.conftest import Answer, Server
from tests.signaling.test_entries import acts
from vault.records.scope import Scope


async def correct(server: Server, one: str, *, who: str = "alice", **told: Any) -> Answer:
    return await server.call("PATCH", f"/api/v1/appointments/{one}", {"seen": 1} | told, who=who)


async def planned(server: Server, minutes: int = 60) -> Appointment:
    await server.sign_in("alice")
    return await server.appoint(server.alice, minutes)


def at(one: Appointment, minutes: int) -> str:
    """So long after its begin."""
    return (one.starts_at + timedelta(minutes=minutes)).isoformat()


async def test_what_is_said_changes_and_the_rest_stays(server: Server) -> None:
    one = await planned(server)
    answer = await correct(server, one.id, patient="Piet", minutes=45)
    assert answer.status == 200, answer.body
    told = {"patient": "Piet", "minutes": 45, "starts_at": one.starts_at.isoformat(), "language": "nl", "version": 2}
    assert answer.body.items() >= told.items()
    assert answer.body["link"].endswith(one.id + one.secret)
    assert (await server.call("GET", f"/api/v1/appointments/{one.id}", who="alice")).body == answer.body
    joined = await server.call("POST", "/api/v1/join", {"link": one.id + one.secret})
    assert joined.body["minutes"] == 45
    assert ("appointment-changed", "practitioner", None) in await acts(server)


@pytest.mark.duty("S-42")
async def test_who_was_overtaken_reads_what_it_is_now(server: Server) -> None:
    one = await planned(server)
    await correct(server, one.id, patient="Piet")
    answer = await correct(server, one.id, patient="Klaas")
    assert (answer.status, answer.code) == (409, "conflict")
    now = {"patient": "Piet", "starts_at": one.starts_at.isoformat(), "minutes": 30, "language": "nl", "version": 2}
    assert answer.body["error"]["current"] == now
    assert (await acts(server))[-1] == ("appointment-read", "practitioner", None), "what it is now was read"


@pytest.mark.parametrize(
    ("told", "doubts"),
    [
        ({"minutes": 61}, ["double"]),
        ({"move": 75}, ["double"]),
        ({"move": -200}, ["past"]),
        ({"move": 15}, []),
        ({"move": 100}, []),
        ({"patient": "Piet"}, []),
        ({"patient": "Piet, zwanger, 111222333"}, ["citizen-nl", "medical"]),
        ({"move": 75, "patient": "Piet, zwanger"}, ["double", "medical"]),
    ],
)
async def test_what_is_seldom_meant_is_asked_about_once(server: Server, told: Any, doubts: list[str]) -> None:
    one = await planned(server)
    await server.appoint(server.alice, 120)
    move = told.pop("move", None)
    told |= {} if move is None else {"starts_at": at(one, move)}
    answer = await correct(server, one.id, **told)
    if doubts:
        assert (answer.status, answer.code, answer.body["error"]["doubts"]) == (409, "doubtful", doubts)
        assert (await server.store.appointments.get(of(server.alice.id), one.id)) == one
        answer = await correct(server, one.id, anyway=True, **told)
    assert answer.status == 200, answer.body


async def test_a_name_is_mended_although_the_time_was_doubtful_before(server: Server) -> None:
    one = await planned(server, -100)
    await server.appoint(server.alice, -100)
    assert (await correct(server, one.id, patient="Piet")).status == 200


async def test_while_it_is_held_only_name_and_length_change(server: Server) -> None:
    one = await planned(server, 0)
    await server.run(one)
    for told in ({"starts_at": at(one, 60)}, {"language": "fr"}):
        answer = await correct(server, one.id, **told)
        assert (answer.status, answer.code) == (409, "bad_state"), told
    assert (await correct(server, one.id, patient="Piet", minutes=60)).status == 200


async def test_somebody_elses_does_not_exist_and_what_ended_stays(server: Server) -> None:
    one = await planned(server)
    await server.sign_in("bob")
    foreign = await correct(server, one.id, patient="Piet", who="bob")
    assert (foreign.status, foreign.code) == (404, "not_found")
    assert foreign.body == (await correct(server, "A" * 22, patient="Piet", who="bob")).body
    await server.store.appointments.end(Scope.consult(one.id, one.owner), one.id)
    assert (await correct(server, one.id, patient="Piet")).code == "ended"


WRONG: list[dict[str, Any]] = [
    {"seen": 0},
    {"seen": "1"},
    {"patient": "\u2060"},
    {"starts_at": "2027-03-01T09:00:00"},
    {"starts_at": "2206-11-28T10:00:00Z"},
    {"minutes": 4},
    {"language": "xx"},
    {"anyway": "yes"},
    {"link": "A" * 44},
]


async def test_a_wrong_field_of_a_correction_changes_nothing(server: Server) -> None:
    one = await planned(server)
    for told in WRONG:
        answer = await correct(server, one.id, **told)
        assert (answer.status, answer.code) == (400, "invalid"), told
        assert answer.body["error"]["field"] == next(iter(told))
    assert await server.store.appointments.get(of(server.alice.id), one.id) == one


async def test_who_waits_is_told_and_comes_by_the_link_of_before(server: Server) -> None:
    one = await planned(server, 0)
    consults = server.app[SIGNALING].consults
    arrival = Arrive(participant="page", seat="patient", role="patient", socket="a socket", node=consults.node)
    await consults.live.transition(one.id, arrival, absent=new(one.id, one.owner, server.time.now()))
    answer = await correct(server, one.id, starts_at=at(one, 5))
    assert answer.status == 200, answer.body
    document = await consults.live.load(one.id)
    assert document is not None and document.plan == answer.body["version"] == 2
    joined = (await server.call("POST", "/api/v1/join", {"link": one.id + one.secret})).body
    assert datetime.fromisoformat(joined["starts_at"]) == one.starts_at + timedelta(minutes=5)


async def test_what_is_cancelled_takes_no_time_and_goes_by_itself(server: Server) -> None:
    one = await planned(server)
    path = f"/api/v1/appointments/{one.id}"
    answer = await server.call("POST", f"{path}/cancel", {}, who="alice")
    assert (answer.status, answer.body["cancelled"]) == (200, True)
    left = datetime.fromisoformat(answer.body["destroyed_at"]) - server.time.now()
    assert timedelta() < left <= timedelta(seconds=10)
    at_the_same = {"patient": "Piet", "starts_at": at(one, 0), "minutes": 30}
    assert (await server.call("POST", "/api/v1/appointments", at_the_same, who="alice")).status == 201
    kept = await server.call("POST", f"{path}/keep", {}, who="alice")
    assert (kept.status, kept.body["cancelled"]) == (200, False)
    await server.call("POST", f"{path}/cancel", {}, who="alice")
    server.time.ahead = timedelta(seconds=11)
    assert (await server.call("POST", f"{path}/keep", {}, who="alice")).code == "gone"
    assert await server.store.retention.sweep() == 1, "without anybody's page"
    found = [act for act, _ in groupby([act for act, *_ in await acts(server)])]  # two that finish it both say so
    assert found[-4:] == ["appointment-created", "appointment-kept", "appointment-cancelled", "destroyed"]


async def test_a_consult_that_runs_is_not_cancelled(server: Server) -> None:
    one = await planned(server, 0)
    await server.run(one)
    answer = await server.call("POST", f"/api/v1/appointments/{one.id}/cancel", {}, who="alice")
    assert (answer.status, answer.code) == (409, "bad_state")


async def test_whether_it_was_held_is_said_by_hand_once_it_has_begun(server: Server) -> None:
    one = await planned(server, 1)
    path = f"/api/v1/appointments/{one.id}"
    early = await server.call("PUT", f"{path}/attendance", {"attended": "missed"}, who="alice")
    assert (early.status, early.code) == (409, "bad_state")
    wrong = await server.call("PUT", f"{path}/attendance", {"attended": "late"}, who="alice")
    assert (wrong.status, wrong.body["error"]["field"]) == (400, "attended")
    server.time.ahead = timedelta(minutes=2)
    said = await server.call("PUT", f"{path}/attendance", {"attended": "missed"}, who="alice")
    assert (said.status, said.body["attended"]) == (200, "missed")
    assert (await server.call("GET", path, who="alice")).body["attended"] == "missed"
