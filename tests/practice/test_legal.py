"""What a law demands: given out or kept a while longer, by two operators, of what exists; nothing is revived."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyotp
import pytest

from practice.accounts.model import Practitioner
from practice.agenda.model import Appointment
from practice.factors import codes
from practice.legal.model import Demand, Disclosure, Operator
from practice.legal.operators import Proof
from practice.legal.store import Demanded
from practice.storage import Store
from tests.opening import of
from tests.organisations import OPERATOR
from tests.people import START, Time, caught_up, plan
from tests.practice.handing import Cast, whole
from tests.practice.outcomes import outcome
from tests.practice.posting import sqlite_store, store
from vault.records.content import new_id
from vault.records.scope import Scope
from vault.settings import VaultSettings

__all__ = ["sqlite_store", "store"]

DAYS_90 = timedelta(days=90)
DEMAND = Demand("Officier van justitie, zaak 12", "artikel 126nd Sv")
SECRETS = {name: codes.as_secret(name.encode().ljust(20)) for name in ("Anna", "Ben", "Cem")}


@dataclass
class House:
    """Two operators, and Alice's appointments."""

    store: Store
    time: Time
    cast: Cast
    two: tuple[Operator, Operator]

    @property
    def alice(self) -> Practitioner:
        return self.cast.alice

    @property
    def about(self) -> Scope:
        return Scope.operator(self.alice.id)

    async def keep(
        self, *kept: Appointment, days: float = 60, until: datetime | None = None, demand: Demand = DEMAND
    ) -> Disclosure:
        until = until or self.time.now() + timedelta(days=days)
        return await self.store.disclosures.preserve(self.about, [one.id for one in kept], until, demand, self.two)

    async def there(self, *ids: Appointment) -> list[bool]:
        missing = await self.store.keys.missing([one.id for one in ids])
        return [one.id not in missing for one in ids]


def code(name: str, time: Time) -> str:
    return pyotp.TOTP(SECRETS[name]).at(time.now())


def proof(name: str, time: Time) -> Proof:
    return name, code(name, time)


async def enter(store: Store, time: Time, name: str, leave: tuple[Proof, Proof] | None = None) -> Operator:
    return await store.operators.add(OPERATOR, name, SECRETS[name], code(name, time), leave)


@pytest.fixture
async def house(store: Store, cast: Cast, time: Time) -> House:
    for name in ("Anna", "Ben"):
        await enter(store, time, name)
    time.pass_(minutes=1)
    proofs = [(name, code(name, time)) for name in ("Anna", "Ben")]
    return House(store, time, cast, await store.operators.two(OPERATOR, *proofs))


# --- giving out -----------------------------------------------------------------------------------------------------


@pytest.mark.duty("S-36")
async def test_only_what_exists_is_given_out_and_of_the_rest_it_is_said(house: House, store: Store) -> None:
    alice, bob = house.alice, house.cast.bob
    there, gone = await plan(store, alice, "Jan Jansen"), await plan(store, alice, "Piet", hours=3)
    others = await plan(store, bob, "Klaas")
    receipt = await store.retention.destroy(of(alice.id), gone.id)
    nowhere = new_id()
    wanted = Demanded((there.id, gone.id, others.id, nowhere))
    given = await store.disclosures.export(house.about, wanted, DEMAND, house.two)
    assert [(one, fields["patient"]) for one, fields in given.appointments.items()] == [(there.id, "Jan Jansen")]
    assert given.destroyed == {gone.id: receipt}
    assert list(given.nowhere) == [others.id, nowhere] and list(given.unreadable) == []
    assert there.secret not in repr(given.appointments), "nothing in it opens a link"


async def test_days_are_those_of_the_practice(house: House, store: Store) -> None:
    from zoneinfo import ZoneInfo

    late = await plan(store, house.alice, "late", hours=14, minutes=30)  # 23:30 UTC is the next day in Amsterdam
    day, zone = START.date(), ZoneInfo("Europe/Amsterdam")
    tomorrow = day + timedelta(days=1)
    for first, last, number in ((day, day, 0), (tomorrow, tomorrow, 1), (None, day, 0), (day, None, 1)):
        given = await store.disclosures.export(house.about, Demanded((), first, last, zone), DEMAND, house.two)
        assert (len(given.appointments), given.disclosure.number) == (number, number)
    assert late.id


@pytest.mark.duty("S-36")
async def test_the_practitioner_is_told_by_mail_and_reads_who_demanded_it(house: House, store: Store) -> None:
    planned = await plan(store, house.alice)
    await store.disclosures.export(house.about, Demanded((planned.id,)), DEMAND, house.two)
    (one,) = await store.disclosures.of(of(house.alice.id))
    assert (one.what, one.number, one.demand, one.operators) == ("export", 1, DEMAND, ("Anna", "Ben"))
    assert [(each.news.word, each.news.to) for each in await store.notices.waiting()] == [("legal", house.alice.mail)]
    assert await store.disclosures.of(of(house.cast.bob.id)) == []


@pytest.mark.duty("S-36")
async def test_a_flag_with_a_date_and_a_reason_puts_telling_off_until_then(house: House, store: Store) -> None:
    planned, time, me = await plan(store, house.alice), house.time, of(house.alice.id)
    until = time.now() + timedelta(days=20)
    for told, silence in ((until, ""), (time.now(), "law"), (time.now() + timedelta(days=181), "law")):
        wrong = Demand("A", "B", told, silence)
        wanted = Demanded((planned.id,))
        assert await outcome(store.disclosures.export(house.about, wanted, wrong, house.two)) == "invalid"
    await house.keep(planned, days=30, demand=Demand("A", "B", until, "artikel 126bb"))
    assert await store.disclosures.of(me) == [] and await store.notices.waiting() == []
    assert await store.disclosures.tell() == []
    time.pass_(days=20)
    (now_told,) = await store.disclosures.tell()
    assert [each.news.word for each in await store.notices.waiting()] == ["legal"]
    assert [(one.id, one.demand.silence) for one in await store.disclosures.of(me)] == [(now_told.id, "artikel 126bb")]
    assert await store.disclosures.tell() == [], "once"


async def test_what_is_wrong_is_named_and_nothing_is_written(house: House, store: Store) -> None:
    planned, until = await plan(store, house.alice), house.time.now() + timedelta(days=1)
    preserve = store.disclosures.preserve
    for authority, reason in (("", "x"), ("x", " "), ("x", "y" * 501), ("a\nb", "x")):
        wrong = Demand(authority, reason)
        assert await outcome(preserve(house.about, [planned.id], until, wrong, house.two)) == "invalid"
    for ids in ([], ["short"], [new_id()] * 1001):
        assert await outcome(preserve(house.about, ids, until, DEMAND, house.two)) == "invalid"
    now = house.time.now()
    for end in (now, now - timedelta(days=1), now + DAYS_90 + timedelta(seconds=1)):
        assert await outcome(preserve(house.about, [planned.id], end, DEMAND, house.two)) == "invalid"
    both = [planned.id, (await plan(store, house.cast.bob)).id]
    assert await outcome(preserve(house.about, both, until, DEMAND, house.two)) == "not_found", "all or none"
    assert await store.disclosures.of(of(house.alice.id)) == []
    assert (await store.appointments.get(of(house.alice.id), planned.id)).preserved is None


# --- kept a while longer --------------------------------------------------------------------------------------------


@pytest.mark.duty("S-36")
async def test_the_sweep_waits_until_the_end_and_destroys_at_once_then(
    house: House, store: Store, settings: VaultSettings, time: Time
) -> None:
    kept, free = await plan(store, house.alice, "kept"), await plan(store, house.alice, "free", hours=3)
    await house.keep(kept, days=60)
    time.pass_(days=31)
    assert await caught_up(store) == 1
    assert await house.there(kept, free) == [True, False]
    assert await outcome(store.appointments.get(of(house.alice.id), kept.id)) == "gone", "as ever, for who reads"
    assert (await store.retention.status()).overdue == 0
    time.pass_(days=28, hours=23)
    assert await store.retention.sweep() == 0
    time.pass_(hours=1)
    assert await store.retention.sweep() == 1
    assert await house.there(kept) == [False]
    await whole(store, settings, time)


async def test_it_holds_nothing_up_that_lives_longer_anyway(house: House, store: Store, time: Time) -> None:
    kept = await plan(store, house.alice)
    await house.keep(kept, days=1)
    time.pass_(days=2)
    assert await store.retention.sweep() == 0
    assert (await store.appointments.get(of(house.alice.id), kept.id)).id == kept.id
    time.pass_(days=29)
    assert await store.retention.sweep() == 1


@pytest.mark.duty("S-36")
async def test_by_hand_it_is_refused_and_is_gone_for_who_reads(house: House, store: Store, time: Time) -> None:
    kept, me = await plan(store, house.alice), of(house.alice.id)
    await house.keep(kept, days=10)
    for _ in range(2):
        assert await outcome(store.retention.destroy(me, kept.id)) == "bad_state"
    assert await house.there(kept) == [True]
    assert await outcome(store.appointments.get(me, kept.id)) == "gone"
    assert await store.appointments.by_link(Scope.guest(kept.id), kept.secret) is None
    time.pass_(days=10)
    assert await store.retention.sweep() == 1, "it was asked for: not one day more"
    assert len(await store.appointments.receipts(me)) == 1


@pytest.mark.duty("S-36")
async def test_destroying_all_leaves_it_for_its_end_and_counts_it(house: House, store: Store, time: Time) -> None:
    kept, _ = await plan(store, house.alice), await plan(store, house.alice, hours=3)
    await house.keep(kept, days=10)
    emptied = await store.retention.destroy_all(of(house.alice.id))
    assert (emptied.destroyed, emptied.waiting, emptied.preserved) == (1, 0, 1)
    time.pass_(days=10)
    assert await store.retention.sweep() == 1


@pytest.mark.duty("S-36")
async def test_an_account_ends_when_nothing_of_it_is_kept_any_more(
    house: House, store: Store, settings: VaultSettings, time: Time
) -> None:
    kept = await plan(store, house.alice)
    await house.keep(kept, days=10)
    closed = await store.retention.close(of(house.alice.id))
    assert (closed.receipt, closed.preserved) == (None, 1)
    assert await outcome(store.practitioners.authenticate(house.alice.mail, "correct horse battery")) in (
        None,
        "not_found",
    ), "nobody signs in"
    await caught_up(store)
    assert await house.there(kept) == [True]
    time.pass_(days=10)
    await caught_up(store)
    assert await house.there(kept) == [False]
    assert await store.keys.receipt(house.alice.id, house.alice.id) is not None
    await whole(store, settings, time)


@pytest.mark.duty("S-36")
async def test_after_its_account_closed_what_is_kept_is_given_out_and_kept_longer(
    house: House, store: Store, settings: VaultSettings, time: Time
) -> None:
    kept = await plan(store, house.alice, "Jan Jansen")
    await house.keep(kept, days=10)
    await store.retention.close(of(house.alice.id))
    await caught_up(store)
    assert await store.practitioners.id_by_mail(OPERATOR, house.alice.mail) == house.alice.id
    given = await store.disclosures.export(house.about, Demanded((kept.id,)), DEMAND, house.two)
    assert [fields["patient"] for fields in given.appointments.values()] == ["Jan Jansen"]
    await house.keep(kept, days=20)
    time.pass_(days=10)
    await caught_up(store)
    assert await house.there(kept) == [True]
    time.pass_(days=10)
    await caught_up(store)
    assert await house.there(kept) == [False]
    nobody = store.disclosures.export(Scope.operator(new_id()), Demanded((kept.id,)), DEMAND, house.two)
    assert await outcome(nobody) == "not_found"
    await whole(store, settings, time)


async def test_what_is_cancelled_is_kept_and_gone_for_who_reads(house: House, store: Store, time: Time) -> None:
    kept, me = await plan(store, house.alice), of(house.alice.id)
    await house.keep(kept, days=10)
    await store.appointments.cancel(me, kept.id, held=False)
    time.pass_(minutes=11)
    assert await store.retention.sweep() == 0
    assert await outcome(store.appointments.get(me, kept.id)) == "gone"
    time.pass_(days=10)
    assert await store.retention.sweep() == 1


@pytest.mark.duty("S-36")
async def test_it_goes_along_when_it_is_handed_over(
    house: House, store: Store, settings: VaultSettings, time: Time
) -> None:
    kept = await plan(store, house.alice, days=2)
    until = (await house.keep(kept, days=60)).until
    assert await house.cast.hand_over() == 1
    (moved,) = await house.cast.agenda(house.cast.bob)
    assert moved.id != kept.id and moved.preserved_until == until
    assert await outcome(store.retention.destroy(of(house.cast.bob.id), moved.id)) == "bad_state"
    time.pass_(days=59)
    await caught_up(store)
    assert await house.there(moved) == [True]
    time.pass_(days=1)
    await caught_up(store)
    assert await house.there(moved) == [False]
    await whole(store, settings, time)


async def test_a_shorter_setting_destroys_the_others_only(house: House, store: Store, time: Time) -> None:
    kept, free = await plan(store, house.alice), await plan(store, house.alice, hours=3)
    await house.keep(kept, days=60)
    time.pass_(days=2)
    await store.practitioners.set_retention(of(house.alice.id), "end")
    assert await store.retention.sweep() == 1
    assert await house.there(kept, free) == [True, False]


@pytest.mark.duty("S-36")
async def test_nothing_is_revived(house: House, store: Store, time: Time) -> None:
    destroyed, due = await plan(store, house.alice), await plan(store, house.alice, hours=3)
    await store.retention.destroy(of(house.alice.id), destroyed.id)
    assert await outcome(house.keep(destroyed)) == "gone"
    time.pass_(days=31)
    assert await outcome(house.keep(due)) == "gone", "past due, and not destroyed yet"
    assert await store.disclosures.of(of(house.alice.id)) == []
    over = await plan(store, house.alice, days=32)
    await house.keep(over, days=1)
    await outcome(store.retention.destroy(of(house.alice.id), over.id))
    time.pass_(days=1)
    assert await outcome(house.keep(over)) == "gone", "that of before is over"
    await store.retention.sweep()
    assert await house.there(destroyed, due, over) == [False] * 3


@pytest.mark.duty("S-36")
async def test_two_say_it_again_for_more_while_it_is_kept(house: House, store: Store, time: Time) -> None:
    kept = await plan(store, house.alice)
    await house.keep(kept, days=90)
    time.pass_(days=80)
    await store.retention.sweep()
    await house.keep(kept, days=90)
    time.pass_(days=89)
    assert await store.retention.sweep() == 0
    time.pass_(days=1)
    assert await store.retention.sweep() == 1


@pytest.mark.duty("S-36")
@pytest.mark.parametrize("by", ["sweep", "hand", "all"])
async def test_destroyed_or_kept_and_never_half(house: House, store: Store, time: Time, by: str) -> None:
    """Whoever is first: what is said to be kept is there, and what is destroyed was said not to be kept."""
    me = of(house.alice.id)
    many = [await plan(store, house.alice, hours=1 + number) for number in range(6)]
    if by == "sweep":
        time.pass_(days=30, hours=1)  # some are due, some not

    async def destroying() -> None:
        if by == "hand":
            await asyncio.gather(*(outcome(store.retention.destroy(me, one.id)) for one in many))
        else:
            await (store.retention.sweep() if by == "sweep" else store.retention.destroy_all(me))

    keeping = asyncio.gather(*(outcome(house.keep(one, days=80)) for one in many))
    said, _ = await asyncio.gather(keeping, destroying())
    await store.retention.sweep()
    kept = [isinstance(one, Disclosure) for one in said]
    there = await house.there(*many)
    assert there == kept or by == "sweep"
    assert all(alive for alive, told in zip(there, kept, strict=True) if told)
    assert {one for one in said if isinstance(one, str)} <= {"gone"}
