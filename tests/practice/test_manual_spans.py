"""Who keeps everything by hand is reminded after twelve months and each year again: once, whatever happens between."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from practice.accounts.model import Practitioner
from practice.reminders.model import a_year_after
from practice.storage import Store
from signaling.yearly import Yearly
from tests.opening import of, open_store
from tests.people import Time, alice
from tests.practice.posting import postman, server, store
from tests.practice.test_policies import decide, practitioner
from tests.servers.mail import MailServer
from vault.settings import VaultSettings

__all__ = ["server", "store"]


@pytest.fixture
async def settings(settings: VaultSettings) -> VaultSettings:
    """Of an operator who lets things be kept for ever; as a server comes, none does."""
    return settings.model_copy(update={"retention_cap": None})


async def by_hand(store: Store) -> Practitioner:
    person = await alice(store)
    await store.practitioners.set_retention(of(person.id), "manual")
    return person


async def told(store: Store) -> int:
    found = await store.notices.waiting()
    assert {one.news.word for one in found} <= {"manual"}
    for one in found:
        await store.notices.done(one)
    return len(found)


def until(time: Time, at: datetime) -> None:
    time.pass_(seconds=(at - time.now()).total_seconds())


@pytest.mark.duty("S-32")
async def test_after_twelve_months_of_manual_and_each_year_again_there_is_a_mail(
    store: Store, server: MailServer, time: Time
) -> None:
    await by_hand(store)
    assert await Yearly(store).look() == 0
    began = time.now()
    until(time, a_year_after(began) - timedelta(seconds=1))
    assert await Yearly(store).look() == 0
    time.pass_(seconds=1)
    assert await Yearly(store).look() == 1
    await postman(store, server).round()
    assert [(mail.recipient, str(mail.message["Subject"])) for mail in server.taken] == [
        ("Alice@example.org", "Er wordt bij u niets vanzelf vernietigd")
    ]
    for _ in range(3):
        time.pass_(days=1)
        assert await Yearly(store).look() == 0, "a restart reminds nobody again"
    until(time, a_year_after(a_year_after(began)))
    assert await Yearly(store).look() == 1


@pytest.mark.duty("S-32")
async def test_of_many_servers_that_look_at_once_one_reminds(store: Store, time: Time) -> None:
    await by_hand(store)
    await asyncio.gather(*(Yearly(store).look() for _ in range(3)))
    time.pass_(days=366)
    assert sum(await asyncio.gather(*(Yearly(store).look() for _ in range(5)))) == 1
    assert await told(store) == 1


async def test_another_setting_ends_it_and_the_year_begins_anew(store: Store, time: Time) -> None:
    person = await by_hand(store)
    await Yearly(store).look()
    time.pass_(days=300)
    await store.practitioners.set_retention(of(person.id), "30d")
    await Yearly(store).look()
    await store.practitioners.set_retention(of(person.id), "manual")
    await Yearly(store).look()
    time.pass_(days=300)
    assert await Yearly(store).look() == 0
    time.pass_(days=66)
    assert await Yearly(store).look() == 1


async def test_who_has_a_term_is_never_reminded(store: Store, time: Time) -> None:
    await alice(store)
    await Yearly(store).look()
    time.pass_(days=800)
    assert await Yearly(store).look() == 0
    assert await told(store) == 0


@pytest.mark.duty("S-32")
async def test_nobody_is_told_that_nothing_is_destroyed_where_the_operator_has_a_cap(
    settings: VaultSettings, time: Time
) -> None:
    capped = settings.model_copy(update={"retention_cap": 365})
    async with open_store(capped, now=time.now, boot=time.boottime, mail=True) as store:
        await by_hand(store)
        await Yearly(store).look()
        time.pass_(days=800)
        assert await Yearly(store).look() == 0


@pytest.mark.duty("S-32")
async def test_nor_where_the_organisation_has_one(store: Store, time: Time) -> None:
    person, owner = await practitioner(store)
    await store.practitioners.set_retention(of(person.id), "manual")
    await Yearly(store).look()
    time.pass_(days=300)
    await decide(store, owner, "30d")
    await Yearly(store).look()
    time.pass_(days=300)
    assert await Yearly(store).look() == 0
    await decide(store, owner, None)
    await Yearly(store).look()
    time.pass_(days=366)
    assert await Yearly(store).look() == 1


def test_a_year_after_a_leap_day_is_the_first_of_march() -> None:
    assert a_year_after(datetime(2028, 2, 29, 12, tzinfo=UTC)) == datetime(2029, 3, 1, 12, tzinfo=UTC)
    assert a_year_after(datetime(2027, 2, 28, 12, tzinfo=UTC)) == datetime(2028, 2, 28, 12, tzinfo=UTC)
