"""A series over REST: all of it or none, asked about at once, each with a link of its own."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from practice.agenda.store import Appointments
from tests.opening import of
from tests.signaling.conftest import Answer, Server
from tests.signaling.test_entries import acts
from vault.errors import DomainError


def first(server: Server) -> datetime:
    return (server.time.now() + timedelta(days=2)).replace(microsecond=0)


async def repeat(server: Server, weeks: int, **more: Any) -> Answer:
    begins = first(server)
    body = {"patient": "Jan", "starts_at": begins.isoformat(), "minutes": 30, "weeks": weeks}
    body |= {"until": str((begins + timedelta(weeks=6)).date())} | more
    return await server.call("POST", "/api/v1/appointments/series", body, who="alice")


async def planned(server: Server) -> list[datetime]:
    day = first(server).date()
    last = day + timedelta(days=90)
    return [one.starts_at for one in await server.store.appointments.list(of(server.alice.id), day, last)]


async def test_each_has_a_link_and_an_entry_of_its_own(server: Server) -> None:
    await server.sign_in("alice")
    answer = await repeat(server, 2)
    assert answer.status == 201, answer.body
    found = answer.body["appointments"]
    assert [datetime.fromisoformat(one["starts_at"]) for one in found] == await planned(server)
    assert len(found) == len({one["link"] for one in found}) == 4
    assert [act for act, *_ in await acts(server)].count("appointment-created") == 4


async def test_what_is_taken_is_asked_about_for_all_at_once(server: Server) -> None:
    await server.sign_in("alice")
    taken = [first(server) + timedelta(weeks=n) for n in (1, 3)]
    for one in taken:
        await server.store.appointments.create(of(server.alice.id), "Piet", one, 30, "nl")
    answer = await repeat(server, 1)
    assert (answer.status, answer.code, answer.body["error"]["doubts"]) == (409, "doubtful", ["double"])
    assert [datetime.fromisoformat(one["starts_at"]) for one in answer.body["error"]["taken"]] == taken
    assert await planned(server) == taken
    assert (await repeat(server, 1, anyway=True)).status == 201
    assert len(await planned(server)) == 9


async def test_what_makes_none_or_is_too_far_away_is_refused_with_its_field(server: Server) -> None:
    await server.sign_in("alice")
    for more, field in (
        ({"until": "2020-01-01"}, "until"),
        ({"until": "2099-01-01"}, "until"),
        ({"weeks": 13}, "weeks"),
    ):
        answer = await repeat(server, **{"weeks": 1} | more)
        assert (answer.status, answer.body["error"]["field"]) == (400, field), more
    assert await planned(server) == []


async def test_where_one_fails_none_stays(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    await server.sign_in("alice")
    create = Appointments.create
    made: list[Any] = []

    async def failing(self: Appointments, *arguments: Any, **more: Any) -> Any:
        if len(made) == 3:
            raise DomainError("try_again")
        made.append(await create(self, *arguments, **more))
        return made[-1]

    monkeypatch.setattr(Appointments, "create", failing)
    assert (await repeat(server, 1)).code == "try_again"
    assert len(made) == 3
    assert await planned(server) == []
