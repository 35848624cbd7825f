"""Service notices: to everybody with an account, once each, whatever they object to; read in an inbox."""

import asyncio

import pytest

from practice.accounts.model import Practitioner
from practice.circulars.model import Circular
from practice.notices.model import News
from practice.requests.model import Filing
from practice.storage import Store
from signaling.service_notices import ServiceNotices
from tests.people import Time
from tests.practice.newsletter import account, press, released, subscribed, writer
from tests.practice.outcomes import outcome
from tests.practice.posting import postman, server, sqlite_store, store
from tests.servers.mail import MailServer
from vault.errors import DomainError
from vault.records.scope import Scope
from vault.records.writing import always

__all__ = ["server", "sqlite_store", "store"]


async def announced(store: Store, owner: Scope) -> Circular:
    draft = await store.circulars.write(owner, "service", "Storing", "Vannacht om 2 uur.", "nl", "maintenance", 0)
    return await store.circulars.release(owner, "service", draft.version)


async def person(store: Store, scope: Scope) -> Practitioner:
    return await store.practitioners.get(scope)


@pytest.mark.duty("S-23")
async def test_who_objects_to_the_newsletter_is_told_of_the_service_and_of_security(
    store: Store, server: MailServer, time: Time
) -> None:
    owner = await writer(store)
    bob = await account(store, str(owner.organisation), "bob")
    await subscribed(store, bob)
    await store.requests.file(bob, Filing("objection", "dashboard", "nl", purpose="newsletter"))
    await store.subscriptions.withdraw(bob)
    time.pass_(seconds=1)
    await released(store, owner)
    await announced(store, owner)
    await store.notices.along(bob.owner, [News("password-changed", "bob@example.org", "nl")], always)
    await press(store, server).round()
    assert server.taken == [], "no newsletter"
    await ServiceNotices(store).round()
    await postman(store, server).round()
    found = sorted((mail.recipient, str(mail.message["Subject"])) for mail in server.taken)
    found.remove(("bob@example.org", "Bevestig uw nieuwsbrief"))  # that it asked for before
    assert found == [
        ("bob@example.org", "Servicemelding"),
        ("bob@example.org", "Uw wachtwoord is gewijzigd"),
        ("owner@example.org", "Servicemelding"),
    ]
    text = next(mail.text for mail in server.taken if mail.message["Subject"] == "Servicemelding")
    assert "onderhoud" in text and "Vannacht" not in text and "Storing" not in text, "what is typed goes in no mail"
    assert [(one.subject, one.text) for one in await store.circulars.inbox(bob)] == [("Storing", "Vannacht om 2 uur.")]


@pytest.mark.duty("S-23")
async def test_each_is_told_once_by_however_many_servers_and_however_often_one_is_cut_off(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = await writer(store)
    for number in range(4):
        await account(store, str(owner.organisation), f"person-{number}")
    await announced(store, owner)
    real, left = store.notices.along, [2]

    async def cut(*arguments: object) -> bool:
        left[0] -= 1
        if left[0] < 0:
            raise DomainError("try_again")
        return await real(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as ending, pytest.raises(DomainError):
        ending.setattr(store.notices, "along", cut)
        await ServiceNotices(store).round()
    assert len(await store.notices.waiting()) == 2
    both = [ServiceNotices(store), ServiceNotices(store)]
    await asyncio.gather(*(one.round() for one in both))
    await both[0].round()
    told = [one.news.to for one in await store.notices.waiting()]
    assert len(told) == len(set(told)) == 5
    (one,) = await store.circulars.of(owner, "service")
    assert one.reached == 5 and one.ended is not None


async def test_it_is_of_one_organisation_and_who_is_deactivated_is_not_told(store: Store) -> None:
    owner = await writer(store)
    bob = await account(store, str(owner.organisation), "bob")
    await store.organisation.set_state(owner, bob.owner, "deactivated")
    await announced(store, owner)
    await ServiceNotices(store).round()
    assert [one.news.to for one in await store.notices.waiting()] == ["owner@example.org"]
    assert await outcome(store.circulars.write(bob, "service", "x", "y", "nl", "change", 0)) == "not_found"
    assert await outcome(store.circulars.write(owner, "service", "x", "y", "nl", None, 0)) == "invalid"
