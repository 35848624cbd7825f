"""Guests of an appointment: each has a link of their own, which opens it as theirs and dies with it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from practice.agenda.guests import MOST, Invitee
from practice.agenda.model import Appointment, Contact, Guest
from practice.invitations.model import Way
from practice.invitations.parties import plan_all
from practice.storage import Store
from tests.opening import Elsewhere, of
from tests.people import START, Time, alice, charlie, plan
from tests.practice.handing import Cast, cast
from vault.errors import DomainError
from vault.records.scope import Scope

__all__ = ["cast"]

INTERPRETER = Invitee("  Maria Kowalska ", "interpreter", "en")


@pytest.fixture
def store(sqlite_store: Store) -> Store:
    """One database: what is written is what every correction writes."""
    return sqlite_store


async def with_guest(store: Store, invitee: Invitee = INTERPRETER) -> tuple[Appointment, Guest]:
    one = await plan(store, await alice(store))
    added = await store.guests.add(of(one.owner), one.id, invitee)
    return added, added.guests[0]


async def test_a_guests_link_opens_the_appointment_as_theirs(store: Store) -> None:
    one, guest = await with_guest(store)
    assert (guest.name, guest.role, guest.language) == ("Maria Kowalska", "interpreter", "en")
    assert await store.appointments.get(of(one.owner), one.id) == one
    visit = await store.appointments.by_link(Scope.guest(one.id), guest.secret)
    assert visit is not None and visit.guest == guest
    told = visit.appointment
    assert (told.secret, told.language, told.patient, told.guests) == (guest.secret, "en", guest.name, ())
    patients = await store.appointments.by_link(Scope.guest(one.id), one.secret)
    assert patients is not None and patients.guest is None and patients.appointment == one
    assert await store.appointments.by_link(Scope.guest(one.id), guest.id) is None


@pytest.mark.duty("S-43")
async def test_a_guest_is_erased_also_where_the_consult_runs_over_its_time(
    store: Store, elsewhere: Elsewhere, time: Time
) -> None:
    async def runs(_: str) -> bool:
        return True

    elsewhere.in_progress = runs
    one, guest = await with_guest(store)
    await store.practitioners.set_retention(of(one.owner), "end")
    time.pass_(seconds=(one.ends_at - time.now()).total_seconds() + 7200)
    after = await store.guests.erase(of(one.owner), one.id, guest.id)
    assert after.guests == () == (await store.appointments.get(of(one.owner), one.id)).guests
    with pytest.raises(DomainError, match="not_found"):
        await store.guests.erase(of(one.owner), one.id, guest.id)


async def test_another_link_ends_the_one_before_and_who_is_removed_has_none(store: Store) -> None:
    one, guest = await with_guest(store)
    renewed = (await store.guests.renew(of(one.owner), one.id, guest.id)).guests[0]
    assert (renewed.name, renewed.role) == (guest.name, guest.role)
    assert renewed.id != guest.id, "tickets of the link before name another seat"
    assert await store.appointments.by_link(Scope.guest(one.id), guest.secret) is None
    assert await store.appointments.by_link(Scope.guest(one.id), renewed.secret) is not None
    assert (await store.guests.remove(of(one.owner), one.id, renewed.id)).guests == ()
    assert await store.appointments.by_link(Scope.guest(one.id), renewed.secret) is None
    for act in (store.guests.renew, store.guests.remove):
        with pytest.raises(DomainError, match="not_found"):
            await act(of(one.owner), one.id, renewed.id)


async def test_the_patients_new_link_leaves_the_guests_as_they_are(store: Store) -> None:
    one, guest = await with_guest(store)
    renewed = await store.appointments.invite(of(one.owner), one.id, new_link=True)
    assert renewed.secret != one.secret and renewed.guests == (guest,)


async def test_bad_input_changes_nothing(store: Store) -> None:
    one, guest = await with_guest(store)
    for invitee, field in (
        (Invitee(" \u200b", "guest", "nl"), "name"),
        (Invitee("x" * 201, "guest", "nl"), "name"),
        (Invitee("Piet", "patient", "nl"), "role"),  # type: ignore[arg-type]  # what nobody is beside the patient
        (Invitee("Piet", "guest", "tlh"), "language"),  # type: ignore[arg-type]  # a language that no page has
    ):
        with pytest.raises(DomainError, match="invalid") as refused:
            await store.guests.add(of(one.owner), one.id, invitee)
        assert refused.value.field == field
    for number in range(MOST - 1):
        await store.guests.add(of(one.owner), one.id, Invitee(f"Gast {number}", "guest", "nl"))
    with pytest.raises(DomainError, match="guests_full"):
        await store.guests.add(of(one.owner), one.id, INTERPRETER)
    assert len((await store.appointments.get(of(one.owner), one.id)).guests) == MOST
    other = await charlie(store)
    for act in (
        store.guests.add(of(other.id), one.id, INTERPRETER),
        store.guests.renew(of(other.id), one.id, guest.id),
        store.guests.remove(of(other.id), one.id, guest.id),
        store.guests.remove(Scope.guest(one.id), one.id, guest.id),
    ):
        with pytest.raises(DomainError, match="not_found"):
            await act


async def test_nobody_is_added_to_what_is_over(store: Store) -> None:
    one, guest = await with_guest(store)
    await store.appointments.cancel(of(one.owner), one.id, held=False)
    with pytest.raises(DomainError, match="ended"):
        await store.guests.add(of(one.owner), one.id, INTERPRETER)
    await store.appointments.keep(of(one.owner), one.id)
    await store.appointments.end(of(one.owner), one.id)
    for act in (store.guests.renew, store.guests.remove):
        with pytest.raises(DomainError, match="ended"):
            await act(of(one.owner), one.id, guest.id)


@pytest.mark.duty("S-31")
async def test_they_die_with_the_appointment(store: Store, time: Time) -> None:
    one, guest = await with_guest(store)
    await store.appointments.cancel(of(one.owner), one.id, held=False)
    time.pass_(seconds=10)
    assert await store.appointments.by_link(Scope.guest(one.id), guest.secret) is None
    assert await store.retention.sweep() == 1
    with pytest.raises(DomainError, match="gone"):
        await store.guests.remove(of(one.owner), one.id, guest.id)


async def test_they_go_along_when_it_becomes_another_practitioners(cast: Cast) -> None:
    store = cast.store
    one = await plan(store, cast.alice)
    (guest,) = (await store.guests.add(of(one.owner), one.id, INTERPRETER)).guests
    assert await cast.hand_over() == 1
    (moved,) = await cast.agenda(cast.bob)
    assert moved.guests == (guest,)
    visit = await store.appointments.by_link(Scope.guest(one.id), guest.secret)
    assert visit is not None and visit.guest == guest and visit.appointment.owner == cast.bob.id


async def test_who_works_for_them_sees_a_guests_name_as_they_see_the_patients(store: Store) -> None:
    one, guest = await with_guest(store)
    whole = of(one.owner)
    assert (await store.appointments.get(whole, one.id)).guests[0].name == guest.name
    for label, name in (("initials", "M. K."), ("pseudonym", None)):
        scope = whole.assisting(one.owner, label)  # type: ignore[arg-type]  # one of the two
        seen = (await store.appointments.get(scope, one.id)).guests[0].name
        assert seen == name or (name is None and guest.name not in seen and len(seen) == 7)


async def test_who_takes_their_data_along_has_the_names_and_no_link(store: Store) -> None:
    one, guest = await with_guest(store)
    held = [each.records for each in await store.exports.all_of(of(one.owner)) if each.kind.name == "appointments"]
    assert "Maria Kowalska" in str(held) and guest.secret not in str(held)


def test_what_waits_for_who_is_no_guest_any_more_is_taken_back() -> None:
    contact = Contact(mail="maria@example.org", uid="u")
    guest = Guest("g" * 22, "Maria", "interpreter", "en", "s" * 22, contact)
    one = Appointment(
        "a", "o", "Jan", START + timedelta(days=1), 30, "nl", "planned", None, "p", None, 1, guests=(guest,)
    )

    def marks(told: Appointment) -> dict[Way, str]:
        return {"mail": str(told.contact.mail)} if told.contact else {}

    written = plan_all(one, marks, [], START).write
    assert [(each.guest, each.word) for each in written] == [(guest.id, "invitation")]
    assert plan_all(one, marks, written, START).idle
    assert plan_all(replace(one, guests=()), marks, written, START).void == written
