"""Open registration: closed unless the operator allows it, then by what a mailbox was sent, once, within an hour."""

import asyncio
import re
from typing import Any

import pytest

from practice.accounts.model import Practitioner
from practice.notices.model import News
from practice.organisation.model import Profile
from practice.organisation.records import members, registrations
from practice.registrations.model import MailDomain, NewRole, Registered
from practice.registrations.records import mail_domains
from practice.registrations.store import MOST, Tell, Where
from practice.settings import WAYS
from practice.storage import Store
from tests.opening import of
from tests.organisations import OPERATOR, scope_of
from tests.people import PASSWORD, Time
from tests.practice.posting import ORIGIN, postman, server, sqlite_store, store
from tests.practice.test_factors import passkey
from tests.practice.test_invitations import practice
from tests.practice.test_organisation import roles, rows, whole
from tests.servers.mail import MailServer
from vault.errors import DomainError
from vault.records.content import new_id
from vault.records.scope import SERVER
from vault.settings import VaultSettings

__all__ = ["server", "sqlite_store", "store"]

MAIL = "Noor@Practice.example"
NAME = "Noor de Wit"
OWN = Profile("Huis aan de Gracht", "Gracht 1, Leiden", "", "nl", "Europe/Amsterdam")


@pytest.fixture(autouse=True)
def opened(request: pytest.FixtureRequest) -> None:
    """Both ways are open."""
    name = "store" if "store" in request.fixturenames else "sqlite_store"
    request.getfixturevalue(name).registrations.ways = frozenset(WAYS)


def telling(store: Store) -> Tell:
    def tell(owner: str, mail: str, language: Any, seed: str | None) -> Any:
        said = News("register-known", mail, language)
        return store.notices.of(owner, News("register", mail, language, {"registration": seed}) if seed else said)

    return tell


async def ask(store: Store, mail: str = MAIL) -> str | None:
    return await store.registrations.ask(SERVER, mail, "fr", telling(store))


async def tokens(store: Store) -> set[str]:
    """Of the links that are to be mailed."""
    seeds = [one.news.values.get("registration") for one in await store.notices.waiting()]
    return {store.registrations.token(seed) for seed in seeds if seed}


async def token(store: Store, mail: str = MAIL) -> str:
    before = await tokens(store)
    assert await ask(store, mail) == "new"
    (made,) = await tokens(store) - before
    return made


async def listing(
    store: Store,
    by: Practitioner,
    name: str = "practice.example",
    role: NewRole = "assistant",
    *,
    approval: bool = False,
) -> MailDomain:
    return await store.mail_domains.add(await scope_of(store, by.id), name, role, approval=approval)


async def accept(store: Store, link: str, where: Where, name: str = NAME, password: str = PASSWORD) -> Registered:
    return await store.registrations.accept(link, where, name, "nl", password)


async def dead(store: Store, link: str, where: Where) -> None:
    for call in (store.registrations.opened(link), accept(store, link, where)):
        with pytest.raises(DomainError, match="link_invalid"):
            await call


# --- by a domain ------------------------------------------------------------------------------------------------------


async def test_the_mail_brings_a_link_that_makes_account_and_member(
    store: Store, server: MailServer, settings: VaultSettings, time: Time
) -> None:
    owner, _ = await practice(store)
    listed = await listing(store, owner)
    store.registrations.ways = frozenset({"domains"})
    assert await ask(store) == "new"
    await postman(store, server).round()
    (mail,) = server.taken
    assert (mail.recipient, mail.message["Content-Language"]) == ("Noor@practice.example", "fr")
    (link,) = re.findall(rf"{ORIGIN}/register/([\w-]{{43}})\s", mail.text)
    before = await rows(store, registrations)
    for _ in range(2):
        shown = await store.registrations.opened(link)
    assert (shown.mail, shown.language, shown.founding) == (MAIL, "fr", False)
    assert [(one.organisation, one.approval) for one in shown.hosts] == [(listed.owner, False)]
    assert await rows(store, registrations) == before, "to look is no use of it"
    made = await accept(store, link, listed.owner)
    assert (made.person.mail, made.person.display_name, made.waits) == (MAIL, NAME, False)
    assert await roles(store, made.person.id) == {"assistant"}
    assert await store.practitioners.authenticate("noor@PRACTICE.example", PASSWORD) == made.person
    assert await rows(store, registrations) == []
    await dead(store, link, listed.owner)
    await whole(store, settings, time)


@pytest.mark.parametrize(
    "mail",
    ["noor@elsewhere.example", "noor@sub.practice.example", "noor@example", "no address", "n\u043eor@practice.example"],
)
async def test_who_may_not_come_is_sent_nothing(sqlite_store: Store, mail: str) -> None:
    store = sqlite_store
    owner, _ = await practice(store)
    await listing(store, owner)
    store.registrations.ways = frozenset({"domains"})
    assert await ask(store, mail) is None
    assert await store.notices.waiting() == [] and await rows(store, registrations) == []


async def test_where_the_operator_allows_nothing_no_link_is_sent_and_none_is_good(sqlite_store: Store) -> None:
    store = sqlite_store
    owner, _ = await practice(store)
    listed = await listing(store, owner)
    link = await token(store)
    store.registrations.ways = frozenset()
    assert await ask(store) is None
    for where in (listed.owner, OWN):
        await dead(store, link, where)
    store.registrations.ways = frozenset({"founding"})
    await dead_in(store, link, listed.owner)
    store.registrations.ways = frozenset({"domains"})
    await dead_in(store, link, OWN)


async def dead_in(store: Store, link: str, where: Where) -> None:
    with pytest.raises(DomainError, match="link_invalid"):
        await accept(store, link, where)


async def test_who_has_an_account_is_told_so_and_nobody_else(store: Store) -> None:
    owner, _ = await practice(store)
    await listing(store, owner, "example.org")
    for mail in (owner.mail, owner.mail.upper()):
        assert await ask(store, mail) == "known"
    assert [(one.news.word, one.news.to) for one in await store.notices.waiting()] == [
        ("register-known", owner.mail)
    ] * 2
    await store.organisation.set_state(await scope_of(store, owner.id), (await practice_other(store)), "deactivated")
    assert await ask(store, "bob@example.org") == "known", "who was deactivated comes in by no other door"
    assert await rows(store, registrations) == []


async def practice_other(store: Store) -> str:
    found = await store.practitioners.id_by_mail(OPERATOR, "bob@example.org")
    assert found is not None
    return found


async def test_the_address_of_a_closed_account_is_free_again_and_the_old_link_of_it_dead(store: Store) -> None:
    owner, _ = await practice(store)
    listed = await listing(store, owner)
    first, second = await token(store), await token(store)
    made = await accept(store, first, listed.owner)
    await store.retention.close(of(made.person.id))
    await dead(store, second, listed.owner)
    assert not (await accept(store, await token(store), listed.owner)).waits


async def test_it_is_good_for_an_hour(store: Store, time: Time) -> None:
    owner, _ = await practice(store)
    listed = await listing(store, owner)
    link = await token(store)
    time.pass_(seconds=3599)
    await store.registrations.opened(link)
    time.pass_(seconds=1)
    await dead(store, link, listed.owner)
    assert len(await rows(store, registrations)) == 1
    await store.registrations.purge()
    assert await rows(store, registrations) == []


async def test_more_links_of_an_address_than_are_good_at_once_are_not_made(sqlite_store: Store) -> None:
    store = sqlite_store
    owner, _ = await practice(store)
    await listing(store, owner)
    assert [await ask(store) for _ in range(MOST + 1)] == ["new"] * MOST + [None]
    assert len(await tokens(store)) == MOST


async def test_of_two_who_come_with_one_address_one_wins(store: Store) -> None:
    owner, _ = await practice(store)
    listed = await listing(store, owner)
    first, second = await token(store), await token(store)
    keys = set(await store.keys.ids())
    came = await asyncio.gather(
        accept(store, first, listed.owner), accept(store, second, listed.owner), return_exceptions=True
    )
    assert sorted(isinstance(one, Registered) for one in came) == [False, True]
    (lost,) = [one for one in came if isinstance(one, DomainError)]
    assert lost.code in ("conflict", "link_invalid")
    (won,) = [one for one in came if isinstance(one, Registered)]
    (member,) = [one.id for one in await rows(store, members) if one.account == won.person.id]
    assert set(await store.keys.ids()) == keys | {won.person.id, member}, "nothing is left of the other"


async def test_a_domain_that_is_not_listed_any_more_takes_nobody_by_links_that_were_mailed(store: Store) -> None:
    owner, _ = await practice(store)
    listed = await listing(store, owner)
    store.registrations.ways = frozenset({"domains"})
    link = await token(store)
    await store.mail_domains.remove(await scope_of(store, owner.id), listed.id)
    await dead(store, link, listed.owner)
    assert await ask(store) is None
    await store.retention.sweep()
    assert await rows(store, mail_domains) == [] and await store.keys.missing([listed.id]) == [listed.id]
    await listing(store, owner)
    await accept(store, link, listed.owner)


async def test_with_a_passkey_alone_and_recovery_codes(store: Store, settings: VaultSettings, time: Time) -> None:
    owner, _ = await practice(store)
    listed = await listing(store, owner)
    link, account = await token(store), new_id()
    made = await store.registrations.accept_by_passkey(link, listed.owner, account, NAME, "nl", passkey())
    assert made.person.id == account and len(made.codes) == 10
    assert (await store.factors.of(of(account))).passkeys == (passkey(),)
    keys = set(await store.keys.ids())
    with pytest.raises(DomainError, match="link_invalid"):
        await store.registrations.accept_by_passkey(link, listed.owner, new_id(), NAME, "nl", passkey())
    assert set(await store.keys.ids()) == keys
    await whole(store, settings, time)
