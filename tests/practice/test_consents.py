"""Consents: who agrees to what before the waiting room, at which age, to which version of which text."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from practice.accounts.model import Language
from practice.agenda.ages import Age, Band, band_at, checked
from practice.agenda.guests import Invitee
from practice.agenda.model import Appointment, Guest
from practice.agenda.visit import Visit
from practice.consents.texts import WRITTEN
from practice.storage import Store
from tests.opening import Elsewhere, of
from tests.organisations import found as found_organisation
from tests.organisations import scope_of
from tests.people import START, Time, alice
from vault.destruction.deadline import at_once
from vault.errors import DomainError
from vault.records.scope import Scope

RELEASED = {
    "video": ("5EBpajgKNwhcSbv6HYYgxg", "KmdSIyw_BUnZ4cFduqYxcw", "pw-RBTVQSB7LUh8FL-6zdg", "1H0zq9ZxUSXjvxwafK7nlw"),
    "child": ("-Ylp6hUibBP6LHyO2_PiFQ", "ZnBx3wvmSzznCWmF8xq2BQ", "3PikKG5Ow3GZCm_8yUxm2A", "JsHO8GAN-yUZJUz06Sjfcw"),
}
CHILD, TEEN, GROWN = Age("under-12"), Age("12-15"), Age("16")


async def planned(store: Store, owner: str, age: Age = Age()) -> Appointment:  # noqa: B008 -- immutable
    at = START + timedelta(days=2)
    return await store.appointments.create(of(owner), "Jan", at, 30, "nl", age=age)


async def visit(store: Store, one: Appointment, guest: Guest | None = None) -> Visit:
    found = await store.appointments.by_link(Scope.guest(one.id), guest.secret if guest else one.secret)
    assert found is not None
    return found


async def missing(store: Store, one: Appointment, guest: Guest | None = None) -> str | None:
    return await store.consents.missing(Scope.guest(one.id), await visit(store, one, guest))


async def asked(store: Store, one: Appointment, guest: Guest | None = None, language: Language = "nl") -> Sequence[Any]:
    return (await store.consents.reading(Scope.guest(one.id), await visit(store, one, guest), language)).texts


async def give(store: Store, one: Appointment, guest: Guest | None = None, language: Language = "nl") -> Appointment:
    versions = [text.version for text in await asked(store, one, guest, language)]
    secret = guest.secret if guest else one.secret
    return await store.consents.give(Scope.guest(one.id), secret, versions, await visit(store, one, guest))


async def guardian(store: Store, one: Appointment) -> Guest:
    after = await store.guests.add(of(one.owner), one.id, Invitee("Moeder", "guardian", "nl"))
    return after.guests[-1]


async def test_nothing_is_asked_of_who_was_not_to_be_asked(sqlite_store: Store) -> None:
    store, me = sqlite_store, (await alice(sqlite_store)).id
    one = await planned(store, me)
    assert await missing(store, one) is None and await asked(store, one) == []
    with pytest.raises(DomainError, match="invalid"):
        await give(store, one)
    with pytest.raises(DomainError, match="bad_state"):
        await store.consents.withdraw(Scope.guest(one.id), one.secret, await visit(store, one))


@pytest.mark.parametrize(
    ("age", "patients", "guardians"),
    [
        (CHILD, [], ["child"]),
        (TEEN, ["video"], ["child"]),
        (GROWN, [], []),
        (Age("12-15", (START + timedelta(days=2)).date()), [], []),
        (Age("12-15", (START + timedelta(days=3)).date()), ["video"], ["child"]),
    ],
    ids=["under 12", "12 to 15", "16", "16 on the day", "16 the day after"],
)
@pytest.mark.duty("S-16")
async def test_who_agrees_follows_the_age_at_the_begin(
    sqlite_store: Store, age: Age, patients: list[str], guardians: list[str]
) -> None:
    store, me = sqlite_store, (await alice(sqlite_store)).id
    one = await planned(store, me, age)
    other = await guardian(store, one)
    assert [text.purpose for text in await asked(store, one)] == patients
    assert [text.purpose for text in await asked(store, one, other)] == guardians
    if guardians:
        assert await missing(store, one, other) == "consent_needed"
    if patients:
        assert await missing(store, one) == "consent_needed"
        await give(store, one)
    assert await missing(store, one) == ("guardian_needed" if guardians else None)
    if guardians:
        await give(store, one, other)
        assert await missing(store, one, other) is None
    assert await missing(store, one) is None


@pytest.mark.duty("S-16")
async def test_an_emergency_lifts_the_guardian_and_never_the_child(sqlite_store: Store) -> None:
    store, me = sqlite_store, (await alice(sqlite_store)).id
    teen, grown = await planned(store, me, TEEN), await planned(store, me, GROWN)
    for reason, note, field in (("bored", "", "reason"), ("otherwise", " ", "note"), ("emergency", "n" * 301, "note")):
        with pytest.raises(DomainError, match="invalid") as refused:
            await store.consents.lift(of(me), teen.id, reason, note)  # type: ignore[arg-type]
        assert refused.value.field == field
    with pytest.raises(DomainError, match="bad_state"):
        await store.consents.lift(of(me), grown.id, "emergency", "")
    after = await store.consents.lift(of(me), teen.id, "otherwise", "Oma belt mee.")
    assert after.lifted and (after.lifted.reason, after.lifted.note) == ("otherwise", "Oma belt mee.")
    assert await missing(store, teen) == "consent_needed"
    await give(store, teen)
    assert await missing(store, teen) is None
    again = await store.consents.say_age(of(me), teen.id, CHILD)
    assert again.lifted is None, "another age is another question"
    assert await missing(store, teen) == "guardian_needed"


@pytest.mark.duty("S-07")
@pytest.mark.parametrize(
    ("age", "field"),
    [
        (Age("16", date(2027, 3, 2)), "sixteen"),
        (Age(None, date(2027, 3, 2)), "sixteen"),
        (Age("under-12", date(2027, 3, 2)), "sixteen"),
        (Age("12-15", date(2000, 1, 1)), "sixteen"),
        (Age("12-15", START.date() - timedelta(days=1)), "sixteen"),
        (Age("12-15", START.date() + timedelta(days=34)), "sixteen"),
        (Age("17"), "band"),  # type: ignore[arg-type]
    ],
    ids=str,
)
def test_a_birthday_that_decides_nothing_is_not_kept(age: Age, field: str) -> None:
    with pytest.raises(DomainError, match="invalid") as refused:
        checked(age, START, START + timedelta(days=2))
    assert refused.value.field == field


@pytest.mark.parametrize(("days", "band"), [(0, "12-15"), (1, "16"), (2, "16"), (-1, "12-15")])
@pytest.mark.duty("S-16")
def test_a_birthday_between_booking_and_consult_counts_at_its_begin(days: int, band: Band) -> None:
    age = Age("12-15", date(2028, 2, 29))
    at = START.replace(year=2028, month=2, day=28) + timedelta(days=days)
    assert band_at(age, at) == band


@pytest.mark.duty("S-44")
async def test_a_new_version_asks_again_and_the_old_one_stays_readable(sqlite_store: Store) -> None:
    store, person = sqlite_store, await alice(sqlite_store)
    await found_organisation(store, person.id, {"owner", "practitioner"})
    house = await scope_of(store, person.id)
    with pytest.raises(DomainError, match="invalid"):
        await store.consents.ask_in_house(house, ["house"], {"nl": " "}, 0)
    await store.consents.ask_in_house(house, ["house"], {"nl": "Ik ken de\nhuisregels."}, 0)
    await store.consents.ask(of(person.id), ["video"], 0)
    one = await planned(store, person.id)
    assert one.asks == ("video", "house")
    texts = await asked(store, one, language="fr")
    assert [(text.purpose, text.language) for text in texts] == [("video", "fr"), ("house", "nl")]
    stale = [text.version for text in texts]
    read = await give(store, one, language="fr")
    assert [given.language for given in read.consents] == ["fr", "nl"], "that of each text, as it was read"
    assert await missing(store, one) is None
    await store.consents.ask_in_house(house, ["house"], {"nl": "Ik ken de nieuwe huisregels."}, 1)
    assert await missing(store, one) == "consent_needed"
    found = await store.consents.reading(Scope.guest(one.id), await visit(store, one), "nl")
    assert [text.text for text in found.texts] == ["Ik ken de nieuwe huisregels."]
    assert [text.text for _, text in found.given if text] == [found.given[0][1].text, "Ik ken de huisregels."]  # type: ignore[union-attr]
    with pytest.raises(DomainError, match="conflict"):
        await store.consents.give(Scope.guest(one.id), one.secret, stale, await visit(store, one))
    after = await give(store, one)
    assert [given.purpose for given in after.consents] == ["video", "house"]
    assert await missing(store, one) is None
    with pytest.raises(DomainError, match="conflict"):
        await store.consents.ask_in_house(house, [], {}, 1)


async def test_consent_is_of_the_link_that_it_was_given_by(sqlite_store: Store) -> None:
    store, me = sqlite_store, (await alice(sqlite_store)).id
    one = await planned(store, me, TEEN)
    other = await guardian(store, one)
    await give(store, one)
    await give(store, one, other)
    renewed = (await store.guests.renew(of(me), one.id, other.id)).guests[0]
    assert await missing(store, one) == "guardian_needed" and await missing(store, one, renewed) == "consent_needed"
    await give(store, one, renewed)
    anew = await store.appointments.invite(of(me), one.id, new_link=True)
    assert await missing(store, anew) == "consent_needed"
    await store.guests.remove(of(me), one.id, renewed.id)
    await give(store, anew)
    assert await missing(store, anew) == "guardian_needed"


@pytest.mark.duty("S-44")
async def test_withdrawing_makes_it_due_at_once_also_while_its_consult_runs(sqlite_store: Store) -> None:
    store, me = sqlite_store, (await alice(sqlite_store)).id
    one = await planned(store, me, CHILD)
    other = await guardian(store, one)
    await give(store, one, other)
    found = await visit(store, one, other)
    with pytest.raises(DomainError, match="bad_state"):
        await store.consents.withdraw(Scope.guest(one.id), one.secret, await visit(store, one))
    after = await store.consents.withdraw(Scope.guest(one.id), other.secret, found)
    assert after.withdrawn_at is not None and after.due == after.withdrawn_at and at_once(after)
    assert [given.withdrawn for given in after.consents] == [after.withdrawn_at]
    assert await store.appointments.by_link(Scope.guest(one.id), one.secret) is None
    with pytest.raises(DomainError, match="gone"):
        await store.appointments.get(of(me), one.id)
    assert await store.retention.sweep() == 1
    assert len(await store.appointments.receipts(of(me))) == 1


@pytest.mark.duty("S-44")
async def test_a_consult_that_runs_past_its_due_time_keeps_nothing_that_was_given_or_withdrawn_from_being_written(
    sqlite_store: Store, elsewhere: Elsewhere, time: Time
) -> None:
    async def runs(_: str) -> bool:
        return True

    elsewhere.in_progress, store, me = runs, sqlite_store, await alice(sqlite_store)
    await store.practitioners.set_retention(of(me.id), "end")
    one = await planned(store, me.id, TEEN)
    other = await guardian(store, one)
    await give(store, one)
    time.pass_(days=2, hours=3)
    assert [given.seat for given in (await give(store, one, other)).consents] == ["patient", other.id]
    kept = await store.appointments.get(of(me.id), one.id)
    assert kept.due is not None and kept.due < time.now() and await missing(store, one) is None
    await store.consents.withdraw(Scope.guest(one.id), other.secret, await visit(store, one, other))
    with pytest.raises(DomainError, match="gone"):
        await store.appointments.get(of(me.id), one.id)
    assert await store.retention.sweep() == 1


async def test_what_a_newer_program_keeps_beside_consents_survives(sqlite_store: Store) -> None:
    store, me = sqlite_store, (await alice(sqlite_store)).id
    one = await planned(store, me, TEEN)
    row = await store.appointments.turning.covered(of(me), one.id)
    await store.appointments.turning.turn(row, lambda it: replace(it, patient="Piet", unknown={"later": 1}))
    await give(store, one)
    kept = await store.appointments.get(of(me), one.id)
    assert kept.unknown == {"later": 1} and [given.purpose for given in kept.consents] == ["video"]


def test_a_text_that_was_released_is_never_another() -> None:
    versions = {text.version: text.purpose for text in WRITTEN}
    assert len(versions) == len(WRITTEN)
    for purpose, known in RELEASED.items():
        assert {versions.get(version) for version in known} == {purpose}
