"""What is seldom meant is asked about, by name; what is meant anyway is planned. Days are those of the practice."""

from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest

from practice.doubts import DOUBTS
from signaling.protocol.errors import Doubt
from signaling.settings import SignalingSettings
from tests.opening import of
from tests.signaling.conftest import Answer, Server

ZONES = [
    ZoneInfo(name)
    for name in ("Europe/Amsterdam", "Pacific/Auckland", "America/St_Johns", "Africa/Cairo", "America/Santiago")
]


async def plan(server: Server, minutes_from_now: float, length: int = 30, **more: Any) -> Answer:
    starts_at = (server.time.now() + timedelta(minutes=minutes_from_now)).isoformat(timespec="seconds")
    body = {"patient": "Jan", "starts_at": starts_at, "minutes": length} | more
    return await server.call("POST", "/api/v1/appointments", body, who="alice")


def doubts(answer: Answer) -> list[str]:
    assert (answer.status, answer.code) == (409, "doubtful")
    found: list[str] = answer.body["error"]["doubts"]
    return found


@pytest.mark.parametrize("ago", [61, 24 * 60, 200 * 24 * 60])
async def test_what_nobody_can_come_to_any_more_is_asked_about(server: Server, ago: int) -> None:
    await server.sign_in("alice")
    await server.store.practitioners.set_retention(of(server.alice.id), "manual")
    assert doubts(await plan(server, -ago)) == ["past"]
    assert (await plan(server, -ago, anyway=True)).status == 201


async def test_what_begins_now_or_has_just_begun_is_no_question(server: Server) -> None:
    await server.sign_in("alice")
    for minutes in (0, -29):
        answer = await plan(server, minutes, 10)
        assert answer.status == 201, answer.body


@pytest.mark.parametrize(
    ("minutes", "length", "asked"), [(60, 30, 1), (75, 15, 1), (30, 31, 1), (45, 90, 1), (30, 30, 0), (90, 30, 0)]
)
async def test_a_time_at_which_there_is_another_is_asked_about(
    server: Server, minutes: int, length: int, asked: int
) -> None:
    await server.sign_in("alice")
    await server.appoint(server.bob, 60)
    begins = server.time.now().replace(microsecond=0) + timedelta(hours=1)
    first = {"patient": "Jan", "starts_at": begins.isoformat(), "minutes": 30}
    assert (await server.call("POST", "/api/v1/appointments", first, who="alice")).status == 201
    other = (begins + timedelta(minutes=minutes - 60)).isoformat()
    body = {"patient": "Piet", "starts_at": other, "minutes": length}
    answer = await server.call("POST", "/api/v1/appointments", body, who="alice")
    if asked:
        assert doubts(answer) == ["double"]
        assert answer.body["error"]["taken"] == [{"starts_at": begins.isoformat(), "minutes": 30}]
        assert (await server.call("POST", "/api/v1/appointments", body | {"anyway": True}, who="alice")).status == 201
    else:
        assert answer.status == 201


async def test_both_are_said_at_once_and_what_ended_is_no_other(server: Server) -> None:
    await server.sign_in("alice")
    made = (await plan(server, -65, anyway=True)).body["appointment"]
    assert doubts(await plan(server, -65)) == ["past", "double"]
    await server.call("POST", f"/api/v1/appointments/{made}/end", {}, who="alice")
    assert doubts(await plan(server, -65)) == ["past"]
    today = (await server.call("GET", "/api/v1/appointments?first=2020-01-01&last=2020-12-31", who="alice")).body
    assert today["appointments"] == []


@pytest.mark.duty("S-13")
async def test_a_label_that_says_more_than_whom_to_expect_is_asked_about(server: Server) -> None:
    await server.sign_in("alice")
    assert doubts(await plan(server, -500, patient="85.07.30-033.28, depressie")) == [
        "past",
        "citizen-be",
        "medical",
    ]
    made = await plan(server, 60, patient="Jan, depressie", anyway=True)
    assert (made.status, made.body["patient"]) == (201, "Jan, depressie")


def test_what_is_asked_about_in_a_text_is_told_to_apps() -> None:
    assert get_args(Doubt) == ("past", "double", *DOUBTS)


async def test_what_is_asked_about_changes_nothing(server: Server) -> None:
    await server.sign_in("alice")
    await plan(server, -500)
    day = (server.time.now() - timedelta(minutes=500)).date()
    found = await server.call("GET", f"/api/v1/appointments?first={day}&last={day}", who="alice")
    assert found.body["appointments"] == []


def starts(zone: ZoneInfo) -> list[datetime]:
    """The first and the last minute of each day around a change of the clock, and of some other days, 2026 to 2028."""
    days = [date(2026, 1, 1) + timedelta(days=n) for n in range(3 * 365)]
    at_noon = [datetime(day.year, day.month, day.day, 12, tzinfo=zone).utcoffset() for day in days]
    turns = {n for n in range(1, len(days)) if at_noon[n] != at_noon[n - 1]}
    assert turns
    wanted = sorted({n + by for n in turns for by in (-1, 0, 1)} | set(range(0, len(days), 97)))
    return [datetime(days[n].year, days[n].month, days[n].day, 0, 30, tzinfo=zone) for n in wanted if n < len(days)]


@pytest.mark.parametrize("server_settings", [SignalingSettings(second_factor="offered")], ids=["offered"])
@pytest.mark.parametrize("server_zone", ZONES, ids=str)
async def test_today_is_the_practices_day_whatever_the_zone_it_was_planned_in(
    server: Server, server_zone: tzinfo
) -> None:
    assert isinstance(server_zone, ZoneInfo)
    coming = [one for one in starts(server_zone) if one > datetime.now(UTC)]
    for moment in coming[::5]:
        server.time.ahead = moment.astimezone(UTC) - datetime.now(UTC)
        await server.sign_in("alice")
        made = []
        for there in (server_zone, UTC, ZoneInfo("Pacific/Kiritimati"), ZoneInfo("Pacific/Pago_Pago")):
            body = {"patient": "Jan", "starts_at": moment.astimezone(there).isoformat(), "minutes": 30, "anyway": True}
            answer = await server.call("POST", "/api/v1/appointments", body, who="alice")
            assert answer.status == 201, (moment, answer.body)
            made.append(answer.body["appointment"])
        day = moment.astimezone(server_zone).date()
        for query in ("", f"?first={day}&last={day}"):
            found = await server.call("GET", f"/api/v1/appointments{query}", who="alice")
            assert {one["appointment"] for one in found.body["appointments"]} >= set(made), (moment, query)
        before = day - timedelta(days=1)
        found = await server.call("GET", f"/api/v1/appointments?first={before}&last={before}", who="alice")
        assert not {one["appointment"] for one in found.body["appointments"]} & set(made), moment


@pytest.mark.parametrize("zone", ZONES, ids=str)
def test_an_hour_that_the_clock_skips_is_a_moment_like_any_other(zone: ZoneInfo) -> None:
    """A client that counts by the offset before the change names the moment after it (RFC 5545 3.3.5)."""
    for start in starts(zone):
        for hour in range(24):
            wall = start.replace(hour=hour, minute=30)
            said = datetime.fromisoformat(wall.isoformat())
            there = said.astimezone(zone)
            assert there.date() >= wall.date() and there.replace(tzinfo=None) >= wall.replace(tzinfo=None)
