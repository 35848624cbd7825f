"""Sight of an agenda: three people, half an hour to be given, an hour to be used, and never in secret."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from practice.accounts.model import Practitioner
from practice.kinds import KINDS
from practice.notices.model import News
from practice.organisation.records import members
from practice.organisation.rights import RIGHTS, Right
from practice.sights.model import Look, Phase, Sight
from practice.sights.records import SIGHTS, sights
from practice.sights.store import TRIES
from practice.storage import Store
from tests.opening import of
from tests.organisations import OPERATOR, PRACTICE, scope_of
from tests.people import Time, plan
from tests.practice.calls import CALLS, Person
from tests.practice.outcomes import outcome
from tests.practice.posting import sqlite_store, store
from tests.practice.test_organisation import joined
from vault.errors import DomainError
from vault.records.content import new_id
from vault.records.scope import Scope
from vault.records.writing import Allowed, always

__all__ = ["sqlite_store", "store"]

LASTS = timedelta(hours=1)
WAITS = timedelta(minutes=30)
KEPT = timedelta(days=90)
AHEAD = timedelta(days=28)
"""As documents and pages say it."""


@dataclass
class Three:
    """An owner who asks, an administrator who gives, and whose agenda it is; another one looks after it too."""

    store: Store
    owner: Practitioner
    administrator: Practitioner
    doctor: Practitioner
    other: Practitioner

    async def scope(self, who: Practitioner) -> Scope:
        return await scope_of(self.store, who.id)

    async def ask(self, who: Practitioner | None = None) -> Sight:
        return await self.store.sights.ask(await self.scope(who or self.owner), self.doctor.id, "unreachable")

    async def give(self, one: Sight, who: Practitioner | None = None) -> Sight:
        told = self.store.notices.of(self.doctor.id, News("sight-given", self.doctor.mail, self.doctor.language))
        return await self.store.sights.approve(await self.scope(who or self.administrator), one.id, told)

    async def look(self, one: Sight, who: Practitioner | None = None) -> Look:
        return await self.store.sights.look(await self.scope(who or self.owner), one.id, UTC)

    async def phase(self, one: Sight) -> Phase:
        found = await self.store.sights.of(await self.scope(self.doctor), self.doctor.id)
        return next(each.phase for each in found if each.sight.id == one.id)

    async def open(self) -> Sight:
        return await self.give(await self.ask())


@pytest.fixture
async def three(store: Store) -> Three:
    await store.organisation.establish(OPERATOR, PRACTICE)
    owner, administrator, doctor, other = [await joined(store, name) for name in ("owner", "noor", "doctor", "other")]
    for one in (administrator, other):
        await store.organisation.set_roles(await scope_of(store, owner.id), one.id, ["administrator"])
    return Three(store, owner, administrator, doctor, other)


async def refused(call: Awaitable[Any], code: str = "not_found") -> None:
    assert await outcome(call) == code


@pytest.mark.duty("S-51")
async def test_who_asked_reads_times_and_labels_for_an_hour_once_another_gave_it(three: Three, time: Time) -> None:
    for name, later in (("Jan Jansen", {"hours": 3}), ("in a month", {"days": AHEAD.days + 1})):
        await plan(three.store, three.doctor, name, **later)
    one = await three.ask()
    assert await three.phase(one) == "waiting"
    await refused(three.look(one))
    time.pass_(minutes=29)
    one = await three.give(one)
    assert await three.phase(one) == "open"
    for minutes in (0, 0, 10):
        time.pass_(minutes=minutes)
        seen = await three.look(one)
        assert [(each.label, each.minutes) for each in seen.glimpses] == [("Jan Jansen", 30)], "four weeks, no more"
    (named,) = await three.store.sights.of(await three.scope(three.doctor), three.doctor.id)
    assert len(named.sight.looks) == 2, "in which minutes"
    assert (named.names[three.owner.id], named.names[three.administrator.id]) == ("owner", "noor")
    time.pass_(minutes=50)
    assert await three.phase(one) == "over"
    await refused(three.look(one))


async def test_three_are_three(three: Three) -> None:
    scope = await three.scope(three.owner)
    await refused(three.store.sights.ask(scope, three.owner.id, "absent"))
    await three.store.organisation.set_roles(scope, three.doctor.id, ["administrator", "practitioner"])
    one = await three.ask()
    for who in (three.owner, three.doctor):
        await refused(three.give(one, who))
    assert [each.sight.id for each in await three.store.sights.waiting(await three.scope(three.other))] == [one.id]
    for who in (three.owner, three.doctor):
        assert await three.store.sights.waiting(await three.scope(who)) == []
    givers = await three.store.sights.givers(scope, three.doctor.id)
    assert {each.id for each in givers} == {three.administrator.id, three.other.id}
    await refused(three.store.sights.end(await three.scope(three.doctor), one.id))
    await three.give(one)
    for who in (three.administrator, three.doctor, three.other):
        await refused(three.look(one, who))
    await three.look(one)


async def test_nobody_else_has_anything_of_it(three: Three) -> None:
    assert RIGHTS[Right.SIGHT] == {"owner", "administrator"}
    stranger = await joined(three.store, "stranger")
    await refused(three.ask(stranger))
    one = await three.ask()
    await refused(three.give(one, stranger))
    await refused(three.store.sights.of(await three.scope(stranger), three.doctor.id))
    await refused(three.store.sights.end(await three.scope(stranger), one.id))
    await three.give(one)
    await refused(three.look(one, stranger))
    for who in (stranger, three.other):
        await refused(three.store.sights.end(await three.scope(who), one.id))
    assert await three.store.sights.unseen(await three.scope(stranger)) == 0


async def test_what_nobody_gives_expires_and_is_asked_for_anew(three: Three, time: Time) -> None:
    asked = await asyncio.gather(*(outcome(three.ask(who)) for who in (three.owner, three.other)))
    assert sorted(isinstance(one, Sight) for one in asked) == [False, True], "one at a time"
    (one,) = [one for one in asked if isinstance(one, Sight)]
    time.pass_(seconds=WAITS.total_seconds())
    assert await three.phase(one) == "expired"
    await refused(three.give(one), "conflict")
    time.jump(days=-1)
    assert await three.phase(one) == "expired", "not by a clock that went back either"
    time.jump(days=1)
    again = await three.open()
    await refused(three.ask(three.other), "conflict")
    time.pass_(seconds=LASTS.total_seconds())
    assert await three.phase(again) == "over"
    await three.ask(three.other)


async def test_it_is_over_with_the_right_of_who_asked_or_gave_and_does_not_come_back(three: Three) -> None:
    owns = await three.scope(three.owner)
    one = await three.give(await three.ask(three.other))
    for change in ("roles", "state"):
        if change == "roles":
            await three.store.organisation.set_roles(owns, three.administrator.id, ["auditor"])
        else:
            await three.store.organisation.set_state(owns, three.administrator.id, "deactivated")
        await refused(three.look(one, three.other))
        await three.store.organisation.set_state(owns, three.administrator.id, "active")
        await three.store.organisation.set_roles(owns, three.administrator.id, ["administrator"])
        await three.look(one, three.other)
    await three.store.organisation.set_roles(owns, three.administrator.id, ["auditor"])
    assert await three.store.sights.lapse(owns, three.administrator.id) == 1
    await three.store.organisation.set_roles(owns, three.administrator.id, ["administrator"])
    await refused(three.look(one, three.other))
    waiting = await three.ask(three.other)
    await three.store.organisation.set_state(owns, three.other.id, "deactivated")
    await refused(three.give(waiting), "conflict")
    assert await three.store.sights.lapse(owns, three.other.id) == 1
    assert await three.phase(waiting) == "refused"


@pytest.mark.parametrize("who", ["owner", "administrator", "doctor"])
async def test_any_of_the_three_ends_it(three: Three, who: str) -> None:
    one, scope = await three.open(), await three.scope(getattr(three, who))
    ended = await three.store.sights.end(scope, one.id)
    assert (ended.ender, await three.phase(one)) == (scope.owner, "over")
    await refused(three.look(one))
    await refused(three.store.sights.end(scope, one.id), "conflict")


async def test_another_refuses_what_waits_and_who_asked_takes_it_back(three: Three) -> None:
    for who in (three.administrator, three.other, three.owner):
        one = await three.ask()
        await three.store.sights.end(await three.scope(who), one.id)
        assert await three.phase(one) == "refused"
        await refused(three.give(one), "conflict")


@pytest.mark.duty("S-29")
async def test_it_delays_no_destruction_and_shows_nothing_that_is_due(three: Three) -> None:
    store, doctor = three.store, three.doctor
    held, coming = await plan(store, doctor, "held", minutes=1), await plan(store, doctor, "coming", hours=2)
    await store.practitioners.set_retention(of(doctor.id), "end")
    one = await three.open()
    assert [each.label for each in (await three.look(one)).glimpses] == ["held", "coming"]
    await store.appointments.end(Scope.consult(held.id, doctor.id), held.id)
    assert [each.label for each in (await three.look(one)).glimpses] == ["coming"], "before any sweep"
    assert await store.retention.sweep() == 1
    await store.retention.destroy(of(doctor.id), coming.id)
    assert (await three.look(one)).glimpses == []
    assert len(await store.appointments.receipts(of(doctor.id))) == 2


async def test_the_mail_is_written_with_it_or_nothing_is_given(three: Three) -> None:
    three.store.notices.on = True
    one = await three.ask()
    assert await three.store.notices.waiting() == [], "of what is asked nobody has mail"

    async def broken(cause: Allowed) -> bool:
        async with three.store.database.write() as connection:
            assert await cause(connection)
            raise DomainError("try_again")

    await refused(three.store.sights.approve(await three.scope(three.administrator), one.id, broken), "try_again")
    assert await three.phase(one) == "waiting"
    await three.give(one)
    (told,) = await three.store.notices.waiting()
    assert (told.owner, told.news.word, told.news.to) == (three.doctor.id, "sight-given", three.doctor.mail)
    assert await three.store.sights.unseen(await three.scope(three.doctor)) == 1
    assert await three.store.sights.see(await three.scope(three.doctor)) == 1
    assert await three.store.sights.unseen(await three.scope(three.doctor)) == 0


async def test_the_scope_of_a_look_gives_times_and_labels_and_nothing_else(three: Three) -> None:
    planned = await plan(three.store, three.doctor)
    looking = (await three.scope(three.owner)).looking(three.doctor.id)
    me = Person(three.doctor.id, three.doctor.mail, *("", "", ""), invitation=new_id(), sight=new_id())
    me.note(planned)
    said = {name: await outcome(call(three.store, looking, planned.id, me)) for name, call in CALLS.items()}
    assert {name for name, one in said.items() if one != "not_found"} == {"appointments.glimpses"}
    ((glimpse,), unreadable) = await three.store.appointments.glimpses(
        looking, planned.starts_at.date(), planned.starts_at.date(), UTC
    )
    assert (glimpse.label, unreadable) == (planned.patient, 0)
    assert set(type(glimpse).__slots__) == {"starts_at", "minutes", "label"}


@pytest.mark.parametrize("how", ["account", "age"])
async def test_it_dies_with_whose_agenda_it_was_and_by_its_age(three: Three, time: Time, how: str) -> None:
    one = await three.open()
    if how == "account":
        await three.store.retention.close(of(three.doctor.id))
    else:
        time.pass_(seconds=KEPT.total_seconds() - 1)
        assert await three.store.sights.bury() == 0
        time.pass_(seconds=1)
        assert await three.store.sights.bury() == 1
    await three.store.retention.sweep()
    assert await three.store.database.ask(select(sights)) == []
    assert await three.store.keys.receipt(one.owner, one.id) is not None


def overtake(three: Three, monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """So many times somebody else writes a sight just before it would be written."""
    writer, store, left = three.store.sights._writer, three.store, iter(range(times))
    real = writer.instead

    async def instead(kind: Any, record: Sight, *how: Any) -> bool:
        if next(left, None) is not None:
            (row,) = await store.database.ask(select(sights).where(sights.c.id == record.id))
            found, _ = await store.reader.one(SIGHTS, row)
            assert await real(SIGHTS, replace(found, version=found.version + 1), always)
        return await real(kind, record, *how)

    monkeypatch.setattr(writer, "instead", instead)


async def test_who_is_overtaken_looks_again_and_not_for_ever(three: Three, monkeypatch: pytest.MonkeyPatch) -> None:
    one, scope = await three.ask(), await three.scope(three.owner)
    for call, phase in (
        (lambda: three.give(one), "open"),
        (lambda: three.look(one), "open"),
        (lambda: three.store.sights.end(scope, one.id), "over"),
    ):
        before = await three.phase(one)
        overtake(three, monkeypatch, TRIES)
        await refused(call(), "try_again")
        assert await three.phase(one) == before
        overtake(three, monkeypatch, TRIES - 1)
        await call()
        assert await three.phase(one) == phase


async def test_of_whom_nobody_can_say_what_they_may_has_given_and_asked_nothing(three: Three) -> None:
    await refused(three.store.sights.ask(await three.scope(three.owner), three.doctor.id, "curious"), "invalid")  # type: ignore[arg-type]  # none of the reasons
    one = await three.ask()
    async with three.store.database.write() as connection:
        await connection.execute(update(members).where(members.c.account == three.owner.id).values(content=b"x" * 64))
    await refused(three.give(one), "conflict")
    assert await three.phase(one) == "waiting"


async def test_where_the_organisation_ends_or_the_account_closes_nobody_asks_for_more(three: Three) -> None:
    await three.store.retention.request_closure(of(three.doctor.id))
    await refused(three.ask())
    await three.store.endings.begin(await three.scope(three.owner))
    await refused(three.store.sights.ask(await three.scope(three.owner), three.other.id, "moving"), "conflict")


async def test_who_only_writes_to_the_database_opens_and_lengthens_nothing(three: Three, time: Time) -> None:
    await plan(three.store, three.other, "not theirs")
    one = await three.open()
    (row,) = await three.store.database.ask(select(sights))
    mine = sights.c.id == one.id
    async with three.store.database.write() as connection:
        await connection.execute(update(sights).where(mine).values(account=three.other.id))
    await refused(three.look(one), "unreadable")
    assert await three.store.sights.of(await three.scope(three.other), three.other.id) == []
    async with three.store.database.write() as connection:
        await connection.execute(update(sights).where(mine).values(account=three.doctor.id))
    await three.store.sights.end(await three.scope(three.doctor), one.id)
    async with three.store.database.write() as connection:
        await connection.execute(update(sights).where(mine).values(content=row.content, version=row.version))
    assert await three.phase(one) == "open", "an older copy brings back what it said"
    time.pass_(seconds=LASTS.total_seconds())
    await refused(three.look(one))


def test_it_is_a_kind_that_ends_with_two() -> None:
    assert SIGHTS in tuple(KINDS) and not SIGHTS.timed and SIGHTS.about is sights.c.account
