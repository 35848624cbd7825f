"""Requests: filed once, owned by who was asked, told to nobody unproven, answered by a person, and gone in time."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from practice.requests import clock
from practice.requests import store as stores
from practice.requests.model import KEPT, Filing, Request, What
from practice.requests.records import REQUESTS
from practice.requests.store import Tell, nobody
from practice.storage import Store
from tests.people import START, Time, plan
from tests.practice.asking import TEXT, House, house, sqlite_store, store
from tests.practice.outcomes import outcome
from vault.errors import DomainError
from vault.records.scope import SERVER, Scope

__all__ = ["house", "sqlite_store", "store"]


# --- whose it is ------------------------------------------------------------------------------------------------------


async def test_it_is_of_whose_practice_was_asked_and_else_of_the_operators(house: House) -> None:
    filed = await house.dashboard()
    assert (filed.request.owner, filed.request.proven, filed.request.mail) == (
        house.practice, "account", "doctor@example.org",
    )  # fmt: skip
    assert (await house.form()).request.owner == house.host
    assert [one.way for one in await house.queue(house.theirs)] == ["dashboard"]
    assert [one.way for one in await house.queue(house.officer)] == ["form"]


async def test_by_a_link_it_is_of_the_practitioners_and_told_where_the_appointment_is(house: House) -> None:
    one = await plan(house.store, house.doctor)
    told = await house.store.appointments.create(
        await house.scope(house.doctor), "Jan", START + timedelta(hours=3), 30, "nl", mail="jan@example.org"
    )
    for planned, mail in ((one, ""), (told, "jan@example.org")):
        filing = Filing("erasure", "link", "nl", "Weg ermee", mail="else@example.org", secret=planned.secret)
        filed = (await house.store.requests.file(Scope.guest(planned.id), filing)).request
        assert (filed.owner, filed.account, filed.proven, filed.mail) == (
            house.practice, house.doctor.id, "link", mail,
        ), "what was typed is not where it is told"  # fmt: skip
        wrong = replace(filing, secret="x" * 22)
        assert await outcome(house.store.requests.file(Scope.guest(planned.id), wrong)) == "not_found"


async def test_nothing_of_an_appointment_stands_in_it(house: House) -> None:
    """So its destruction needs to know of no request."""
    one = await plan(house.store, house.doctor)
    filing = Filing("access", "link", "nl", TEXT, secret=one.secret)
    filed = (await house.store.requests.file(Scope.guest(one.id), filing)).request
    assert one.id not in repr([getattr(filed, name) for name in filed.__slots__])
    assert one.secret not in repr([getattr(filed, name) for name in filed.__slots__])
    await house.store.retention.destroy(await house.scope(house.doctor), one.id)
    assert await outcome(house.store.requests.file(Scope.guest(one.id), filing)) == "not_found", "there is no such link"
    assert [one.id for one in await house.queue(house.theirs)] == [filed.id]


@pytest.mark.duty("S-03")
async def test_the_officers_key_opens_no_appointment_and_their_right_gives_none(house: House) -> None:
    one, filed = await plan(house.store, house.doctor), await house.dashboard()
    scope = await house.scope(house.theirs)
    assert (await house.store.decisions.get(scope, filed.request.id)).text == TEXT
    assert await outcome(house.store.appointments.get(scope, one.id)) == "not_found"
    with pytest.raises(DomainError, match="not_found"):
        await house.store.appointments.agenda(scope.looking(house.doctor.id), START.date(), START.date())
    keys = house.store.keys
    assert (await keys.get(house.practice, one.id))[1] is False, "it does not hang on the organisation's key"
    assert (await keys.get(house.practice, filed.request.id))[1] is True


@pytest.mark.duty("S-03")
@pytest.mark.parametrize("role", ["owner", "administrator", "practitioner", "auditor", "support", "assistant"])
async def test_nobody_but_an_officer_reads_the_queue(house: House, role: str) -> None:
    filed = await house.dashboard()
    scope = replace(await house.scope(house.theirs), roles=frozenset({role}))
    decisions = house.store.decisions
    assert await outcome(decisions.queue(scope)) == "not_found"
    assert await outcome(decisions.get(scope, filed.request.id)) == "not_found"
    assert await outcome(decisions.decide(scope, filed.request.id, "granted", "Ja")) == "not_found"


# --- filed ------------------------------------------------------------------------------------------------------------


async def test_the_same_twice_is_one_whoever_is_fast(house: House) -> None:
    together = await asyncio.gather(*(house.form() for _ in range(5)))
    assert len({one.request.id for one in together}) == 1
    assert sum(one.new for one in together) == 1
    assert len({one.token for one in together}) == 1
    again = await house.form(f"  {TEXT} \r\n")
    assert not again.new
    assert (await house.form("Iets anders")).new, "another question is another request"
    assert (await house.form(what="erasure")).new
    assert (await house.form(mail="els@example.org")).new, "somebody else asks the same"
    answered = await house.decide(house.officer, again.request)
    assert answered.phase == "answered"
    assert (await house.form()).new, "whoever asks once more after an answer has another one"


async def test_a_form_without_an_address_is_one_by_what_the_form_holds(house: House) -> None:
    first = await house.form(mail="", once="a")
    assert not (await house.form(mail="", once="a")).new
    assert (await house.form(mail="", once="b")).new, "a stranger with the same words is somebody else"
    assert first.request.proven == ""


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"what": "applause"}, "what"),
        ({"way": "pigeon"}, "way"),
        ({"language": "tlh"}, "language"),
        ({"text": "x" * 4001}, "text"),
        ({"text": "a\x00b"}, "text"),
        ({"mail": "nobody"}, "mail"),
        ({"mail": f"{'a' * 250}@example.org"}, "mail"),
        ({"purpose": "statistics"}, "purpose"),
        ({"what": "objection"}, "purpose"),
        ({"what": "objection", "purpose": "fun"}, "purpose"),
    ],
)
async def test_bad_input_files_nothing(house: House, changes: dict[str, Any], field: str) -> None:
    filing = replace(Filing("access", "form", "nl", TEXT, mail="jan@example.org"), **changes)
    with pytest.raises(DomainError) as caught:
        await house.store.requests.file(SERVER, filing)
    assert (caught.value.code, caught.value.field) == ("invalid", field)
    assert await house.queue(house.officer) == []


@pytest.mark.duty("S-47")
async def test_without_a_subject_is_fine_and_may_be_asked_back_once(house: House) -> None:
    filed = await house.form("", what="complaint")
    scope = await house.scope(house.officer)
    asked = await house.store.decisions.ask_back(scope, filed.request.id, "Waarover gaat het?")
    assert (asked.phase, asked.due) == ("asked", filed.request.due), "its time goes on"
    assert await outcome(house.store.decisions.ask_back(scope, asked.id, "En nog iets?")) == "conflict"
    assert await outcome(house.store.requests.reply(filed.token, "  ")) == "invalid"
    replied = await house.store.requests.reply(filed.token, "Over de rekening")
    assert (replied.phase, replied.reply) == ("open", "Over de rekening")
    assert await outcome(house.store.requests.reply(filed.token, "En nog iets")) == "conflict"


async def test_a_wrong_link_leads_nowhere(house: House) -> None:
    await house.form()
    for call in (house.store.requests.of_link, house.store.requests.confirm):
        assert await outcome(call("x" * 43)) == "link_invalid"
    assert await outcome(house.store.requests.reply("x" * 43, "Ja")) == "link_invalid"


async def test_pressing_behind_what_was_mailed_proves_the_address(house: House) -> None:
    filed = await house.form()
    assert not filed.request.tellable
    confirmed = await house.store.requests.confirm(filed.token)
    assert (confirmed.proven, confirmed.tellable) == ("confirmed", True)
    assert await house.store.requests.confirm(filed.token) == confirmed, "once more changes nothing"
    nowhere = await house.form(mail="", once="a")
    assert not (await house.store.requests.confirm(nowhere.token)).proven, "there is no address to prove"


async def test_ones_own_are_ones_own(house: House) -> None:
    await house.dashboard()
    assert [one.what for one in (await house.store.requests.mine(await house.scope(house.doctor))).requests] == [
        "access"
    ]
    assert (await house.store.requests.mine(await house.scope(house.theirs))).requests == ()


# --- decided ----------------------------------------------------------------------------------------------------------


@pytest.mark.duty("S-49")
async def test_nothing_is_answered_by_itself_whatever_day_it_is(house: House, time: Time) -> None:
    filed = await house.form()
    for _ in range(40):
        time.pass_(days=1)
        await house.store.requests.bury()
        for one, day in await house.store.requests.to_be_reminded():
            await house.store.requests.reminded(one, day)
        await house.store.retention.sweep()
    (late,) = await house.queue(house.officer)
    assert (late.decided, late.answer, late.overdue(time.now())) == (None, "", True)
    assert await outcome(house.decide(house.officer, filed.request, text="   ")) == "invalid"
    assert (await house.queue(house.officer))[0].decided is None, "without a text nothing is closed"


async def test_what_is_no_request_ends_at_once_and_of_who_is_known_there_is_none(house: House) -> None:
    scope = await house.scope(house.officer)
    filed = await house.form("Koop nu!")
    ended = await house.store.decisions.discard(scope, filed.request.id)
    assert (ended.outcome, ended.decider, ended.until) == ("none", house.officer.id, ended.decided)
    assert await outcome(house.store.decisions.discard(scope, filed.request.id)) == "conflict"
    assert await house.store.requests.bury() == 1
    confirmed = await house.form()
    await house.store.requests.confirm(confirmed.token)
    assert await outcome(house.store.decisions.discard(scope, confirmed.request.id)) == "bad_state"
    known = await house.dashboard()
    assert (
        await outcome(house.store.decisions.discard(await house.scope(house.theirs), known.request.id)) == "bad_state"
    )
    assert await outcome(house.store.decisions.discard(scope, known.request.id)) == "not_found"


async def test_what_takes_a_consent_back_is_never_called_no_request(house: House) -> None:
    scope = await house.scope(house.officer)
    filed = await house.form(what="objection", purpose="newsletter")
    assert await outcome(house.store.decisions.discard(scope, filed.request.id)) == "bad_state"
    assert await house.store.requests.paused("newsletter", ["jan@example.org"]) == {"jan@example.org"}


@pytest.mark.duty("S-45")
async def test_a_granted_objection_goes_with_the_account_to_another_address(house: House) -> None:
    doctor, store = house.doctor, house.store
    filed = await house.form(what="objection", purpose="newsletter", mail=doctor.mail)
    scope = await house.scope(house.officer)
    await store.decisions.decide(scope, filed.request.id, "granted", "Gedaan.", whose=doctor.id)
    assert await store.requests.paused("newsletter", [doctor.id, "elsewhere@example.org"]) == {doctor.id}
    assert (await store.requests.mine(await house.scope(doctor))).requests == (), "anybody may have typed it"


async def test_an_answer_is_one_and_says_who(house: House) -> None:
    filed = await house.dashboard()
    answered = await house.decide(house.theirs, filed.request, "refused", "Nee, want …")
    assert (answered.outcome, answered.decider, answered.answer) == ("refused", house.theirs.id, "Nee, want …")
    assert await outcome(house.decide(house.theirs, filed.request)) == "conflict"
    scope = await house.scope(house.theirs)
    assert await outcome(house.store.decisions.ask_back(scope, filed.request.id, "Hoezo?")) == "conflict"


async def test_two_who_answer_at_once_are_one(house: House) -> None:
    filed = await house.dashboard()
    calls = (outcome(house.decide(house.theirs, filed.request, "granted", text)) for text in ("Een", "Twee"))
    ended = await asyncio.gather(*calls)
    assert sorted("conflict" if one == "conflict" else "answered" for one in ended) == ["answered", "conflict"]


async def test_an_answered_one_is_destroyed_after_thirty_days(house: House, time: Time) -> None:
    filed = await house.dashboard()
    time.pass_(days=3)
    await house.decide(house.theirs, filed.request)
    time.pass_(days=29, hours=23)
    assert await house.store.requests.bury() == 0
    time.pass_(hours=1)
    assert await house.store.requests.bury() == 1
    await house.store.retention.sweep()
    assert await outcome(house.store.requests.of_link(filed.token)) == "link_invalid"
    assert filed.request.id not in await house.store.keys.ids()
    assert timedelta(days=30) == KEPT


# --- the clock --------------------------------------------------------------------------------------------------------


async def test_all_that_wait_are_looked_at_however_many(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "WAITING", stores.WAITING.limit(2))
    wait = {(await house.form(str(number))).request.id for number in range(5)}
    found = await house.store.requests.to_be_reminded()
    assert ({one.id for one, _ in found}, len(found)) == (wait, 5)


@pytest.mark.duty("S-49")
async def test_reminders_on_days_7_14_21_26_and_a_last_one_when_late(house: House, time: Time) -> None:
    """In the first hour of each day in Amsterdam, which in UTC is of the day before; of the 28th, when that is over."""
    await house.form()
    given = []
    for _ in range(24 * 35):
        time.pass_(hours=1)
        for one, day in await house.store.requests.to_be_reminded():
            assert await house.store.requests.reminded(one, day)
            assert not await house.store.requests.reminded(one, day), "another server did"
            given.append((day, time.now().strftime("%m-%d %H")))
    assert given == [
        (0, "03-01 10"),
        (7, "03-07 23"),
        (14, "03-14 23"),
        (21, "03-21 23"),
        (26, "03-26 23"),
        (clock.LATE, "03-29 22"),
    ]


async def reminded_on(store: Store, time: Time, days: int) -> list[int]:
    """Of one request, looked for once a day."""
    given = []
    for _ in range(days):
        for one, day in await store.requests.to_be_reminded():
            assert await store.requests.reminded(one, day)
            given.append(day)
        time.pass_(days=1)
    return given


@pytest.mark.duty("S-52")
@pytest.mark.parametrize("what", ["breach", "minor"])
async def test_of_a_leak_or_a_child_somebody_is_reminded_every_day(house: House, time: Time, what: What) -> None:
    filed = await house.form(what=what)
    assert await reminded_on(house.store, time, 4) == [0, 1, 2, 3]
    await house.decide(house.officer, filed.request)
    assert await reminded_on(house.store, time, 4) == []


@pytest.mark.duty("S-49")
async def test_after_an_extension_there_are_reminders_too(house: House, time: Time) -> None:
    filed, scope = await house.dashboard(), await house.scope(house.theirs)
    asked = await house.store.decisions.extend(scope, filed.request.id, "Veel bladen", nobody)
    assert await house.store.requests.extension_sent(asked.seed, time.now())
    assert await reminded_on(house.store, time, 100) == [0, 42, 56, 70, 84, clock.LATE]


@pytest.mark.duty("S-49")
async def test_only_a_reason_that_was_sent_before_day_28_extends(house: House, time: Time) -> None:
    filed, scope = await house.dashboard(), await house.scope(house.theirs)
    extend = house.store.decisions.extend
    assert await outcome(extend(scope, filed.request.id, " ", nobody)) == "invalid"
    asked = await extend(scope, filed.request.id, "Veel bladen", nobody)
    assert asked.due == filed.request.due, "not before its mail went out"
    late = datetime(2027, 3, 29, tzinfo=UTC)
    assert not await house.store.requests.extension_sent(asked.seed, late), "day 28 had begun"
    sent = datetime(2027, 3, 28, 21, 59, tzinfo=UTC)
    assert await house.store.requests.extension_sent(asked.seed, sent)
    (one,) = await house.queue(house.theirs)
    assert one.due == datetime(2027, 5, 29, 22, tzinfo=UTC), "the end of 29 May in Amsterdam"
    assert not await house.store.requests.extension_sent(asked.seed, sent), "once"
    assert await outcome(extend(scope, one.id, "Nog meer", nobody)) == "conflict"


async def test_nothing_is_extended_on_day_28_or_without_a_proven_address(house: House, time: Time) -> None:
    unproven = await house.form()
    scope = await house.scope(house.officer)
    assert await outcome(house.store.decisions.extend(scope, unproven.request.id, "Veel", nobody)) == "bad_state"
    await house.store.requests.confirm(unproven.token)
    time.pass_(days=28)
    assert await outcome(house.store.decisions.extend(scope, unproven.request.id, "Veel", nobody)) == "bad_state"


@pytest.mark.duty("S-49")
async def test_the_backlog_says_how_many_and_how_old_and_nothing_else(house: House, time: Time) -> None:
    assert (await house.store.requests.backlog()).waiting == 0
    await house.form()
    time.pass_(days=30)
    await house.dashboard()
    found = await house.store.requests.backlog()
    assert (found.waiting, found.overdue, found.oldest) == (2, 1, timedelta(days=30).total_seconds())


async def test_what_is_filed_is_filed_with_its_mail_or_not_at_all(house: House) -> None:
    def failing(_: Request) -> object:
        async def along(_: object) -> bool:
            raise DomainError("try_again")

        return along

    tell: Tell = failing  # type: ignore[assignment]
    with pytest.raises(DomainError, match="try_again"):
        await house.store.requests.file(SERVER, Filing("access", "form", "nl", TEXT), tell)
    assert await house.queue(house.officer) == []
    assert REQUESTS.name == "requests"
