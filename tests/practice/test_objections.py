"""What an objection pauses, and what an organisation's key opens."""

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as settings_of
from hypothesis import strategies as st
from sqlalchemy import select, update

from practice.agenda.records import APPOINTMENTS
from practice.requests.model import KEPT, Filing
from practice.requests.purposes import Purpose
from practice.requests.records import REQUESTS, requests
from practice.statistics.records import statistics
from tests.people import Time, plan
from tests.practice.asking import House, house, sqlite_store, store
from tests.practice.outcomes import outcome
from vault.errors import Unreadable
from vault.records.scope import SERVER, Scope

__all__ = ["house", "sqlite_store", "store"]


# --- objections -------------------------------------------------------------------------------------------------------


@pytest.mark.duty("S-45")
async def test_an_objection_pauses_its_purpose_at_once_until_a_person_decides(house: House) -> None:
    doctor, paused = house.doctor.id, house.store.requests.paused
    assert await paused("statistics", [doctor]) == frozenset()
    filed = await house.dashboard("objection", "statistics")
    assert await paused("statistics", [doctor, house.officer.id]) == {doctor}
    assert await paused("newsletter", [doctor]) == frozenset(), "no other purpose"
    await house.decide(house.theirs, filed.request, "refused", "Er wordt niemand geteld.")
    assert await paused("statistics", [doctor]) == frozenset()


@pytest.mark.duty("S-45")
async def test_who_objected_is_not_counted_in_statistics(house: House) -> None:
    async def numbers() -> list[int]:
        return [row.number for row in await house.store.database.ask(select(statistics))]

    await house.store.statistics.count(SERVER, "consults", {house.doctor.id: 2})
    await house.dashboard("objection", "statistics")
    await house.store.statistics.count(SERVER, "consults", {house.doctor.id: 5})
    assert await numbers() == [2]
    await house.store.statistics.count(SERVER, "consults", {house.doctor.id: 5, house.theirs.id: 1})
    assert await numbers() == [3], "a colleague is"


async def test_a_granted_one_holds_for_as_long_as_the_account(house: House, time: Time) -> None:
    filed = await house.dashboard("objection", "statistics")
    await house.decide(house.theirs, filed.request)
    time.pass_(days=400)
    assert await house.store.requests.bury() == 0
    assert await house.store.requests.paused("statistics", [house.doctor.id]) == {house.doctor.id}
    await house.store.retention.close(await house.scope(house.doctor))
    assert await house.store.requests.bury() == 1
    await house.store.retention.sweep()
    assert filed.request.id not in await house.store.keys.ids()


@pytest.mark.parametrize("purpose", ["newsletter", "contact"])
async def test_a_granted_one_by_a_form_holds_for_as_long_as_the_account_of_its_address(
    house: House, time: Time, purpose: Purpose
) -> None:
    store, mail = house.store, house.doctor.mail
    filed = await house.form(what="objection", purpose=purpose, mail=mail)
    whose = await store.practitioners.id_by_mail(SERVER, mail)
    scope = await house.scope(house.officer)
    await store.decisions.decide(scope, filed.request.id, "granted", "Gedaan.", whose=whose)
    time.pass_(days=400)
    assert await store.requests.bury() == 0
    assert await store.requests.paused(purpose, [house.doctor.id, mail]) == {house.doctor.id}
    await store.retention.close(await house.scope(house.doctor))
    assert await store.requests.bury() == 1


async def test_what_pauses_nothing_says_so_and_is_not_kept_longer(house: House) -> None:
    """Being counted is of accounts, and no purpose is asked for a patient's link."""
    one = await plan(house.store, house.doctor)
    filing = Filing("objection", "link", "nl", "Nee", "contact", secret=one.secret)
    linked = (await house.store.requests.file(Scope.guest(one.id), filing)).request
    form = (await house.form(what="objection", purpose="statistics", mail=house.doctor.mail)).request
    assert await house.store.requests.paused("statistics", [house.doctor.id, house.doctor.mail]) == frozenset()
    assert (linked.pauses, form.pauses) == (False, False)
    decided = await house.decide(house.theirs, linked)
    assert decided.decided is not None and decided.until == decided.decided + KEPT
    assert (await house.decide(house.officer, form)).until is not None


@pytest.mark.duty("S-45")
async def test_to_object_to_what_rests_on_consent_is_to_withdraw_it(house: House) -> None:
    filed = await house.form(what="objection", purpose="newsletter")
    assert await house.store.requests.paused("newsletter", ["Jan@Example.org"]) == {"Jan@Example.org"}
    assert await outcome(house.decide(house.officer, filed.request, "refused", "Nee")) == "invalid"
    assert (await house.decide(house.officer, filed.request, "granted", "Ja")).outcome == "granted"


async def test_who_only_writes_to_the_database_resumes_nothing(house: House) -> None:
    await house.dashboard("objection", "statistics")
    async with house.store.database.write() as connection:
        await connection.execute(update(requests).values(content=b"x", decided=1, until=None))
    assert await house.store.requests.paused("statistics", [house.doctor.id]) == {house.doctor.id}


# --- the organisation's key -------------------------------------------------------------------------------------------


@pytest.mark.duty("S-03")
@settings_of(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.sampled_from(["plan", "end", "ask", "answer", "link"]), min_size=1, max_size=8))
async def test_an_organisations_key_and_the_whole_database_open_requests_and_no_appointment(
    house: House, steps: list[str]
) -> None:
    """Whoever has an organisation's own key unwraps what hangs on it: every request, and nothing of an appointment."""
    store, doctor = house.store, await house.scope(house.doctor)
    for number, step in enumerate(steps):
        one = await plan(store, house.doctor, f"Jan {number}")
        if step == "end":
            await store.appointments.end(doctor, one.id)
        elif step == "link":
            filing = Filing("access", "link", "nl", f"{number}", secret=one.secret)
            await store.requests.file(Scope.guest(one.id), filing)
        elif step in ("ask", "answer"):
            filed = await house.dashboard(text=f"{step} {number} {one.id[:4]}")
            if step == "answer":
                await house.decide(house.theirs, filed.request)
    for kind, opens in ((REQUESTS, True), (APPOINTMENTS, False)):
        for row in await store.database.ask(select(kind.table)):
            for owner in (house.practice, house.host):
                key, there = await store.keys.get(owner, row.id)
                assert there == (opens and row.owner == owner)
                if not there:
                    with pytest.raises(Unreadable):
                        kind.open(key, row)
