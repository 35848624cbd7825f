"""Invitations: a link by mail, good once and for 72 hours, for roles that whoever sent it may give all the while."""

import asyncio
import re
from datetime import timedelta
from typing import Any

import pytest

from practice.accounts.model import Practitioner
from practice.notices.model import News
from practice.organisation.invitations import Tell
from practice.organisation.model import Invited, MemberRole
from practice.organisation.records import invitations, members
from practice.storage import Store
from tests.opening import open_store
from tests.organisations import OPERATOR, PRACTICE, found, scope_of
from tests.people import PASSWORD, Time, caught_up
from tests.practice.posting import ORIGIN, postman, server, sqlite_store, store
from tests.practice.test_organisation import joined, roles, rows, whole
from tests.servers.mail import MailServer
from vault.errors import DomainError
from vault.settings import VaultSettings

__all__ = ["server", "sqlite_store", "store"]

LIFE = timedelta(hours=72)
"""As documents and pages say it."""

MAIL = "fatima@example.org"
NAME = "Fatima El Amrani"


async def practice(store: Store) -> tuple[Practitioner, Practitioner]:
    """An owner and an administrator."""
    await store.organisation.establish(OPERATOR, PRACTICE)
    owner, other = await joined(store, "alice"), await joined(store, "bob")
    await store.organisation.set_roles(await scope_of(store, owner.id), other.id, ["administrator"])
    return owner, other


def telling(store: Store) -> Tell:
    return lambda one, seed: store.notices.of(
        one.owner, News("invitation", one.mail, one.language, {"invitation": seed})
    )


async def invite(
    store: Store, by: Practitioner, mail: str = MAIL, roles: tuple[MemberRole, ...] = ("assistant",)
) -> Invited:
    return await store.invitations.invite(await scope_of(store, by.id), mail, roles, "fr", telling(store))


async def accept(store: Store, token: str, name: str = NAME, password: str = PASSWORD) -> Practitioner:
    return await store.invitations.accept(token, name, "fr", password)


async def dead(store: Store, token: str) -> None:
    """Neither looked at nor used."""
    for call in (store.invitations.welcome(token), accept(store, token)):
        with pytest.raises(DomainError, match="link_invalid"):
            await call
    assert await store.practitioners.id_by_mail(OPERATOR, MAIL) is None


async def addresses(store: Store, by: Practitioner) -> list[str]:
    return [one.mail for one in await store.invitations.waiting(await scope_of(store, by.id))]


# --- the way of one --------------------------------------------------------------------------------------------------


async def test_the_mail_brings_a_link_that_makes_account_and_member(
    store: Store, server: MailServer, settings: VaultSettings, time: Time
) -> None:
    owner, _ = await practice(store)
    await invite(store, owner, roles=("assistant", "auditor"))
    await postman(store, server).round()
    (mail,) = server.taken
    assert (mail.recipient, mail.message["Content-Language"]) == (MAIL, "fr")
    (token,) = re.findall(rf"{ORIGIN}/invited/([\w-]{{43}})\s", mail.text)
    welcome = await store.invitations.welcome(token)
    assert (welcome.organisation, welcome.mail, welcome.language) == (PRACTICE.name, MAIL, "fr")
    assert await addresses(store, owner) == [MAIL]
    person = await accept(store, token)
    assert (person.mail, person.display_name, person.language) == (MAIL, NAME, "fr")
    assert await roles(store, person.id) == {"assistant", "auditor"}
    assert await store.practitioners.authenticate(MAIL, PASSWORD) == person
    assert await addresses(store, owner) == []
    await whole(store, settings, time)
    assert await rows(store, invitations) == []


async def test_a_mail_whose_link_is_dead_before_it_went_is_not_sent(store: Store, server: MailServer) -> None:
    owner, _ = await practice(store)
    scope, first = await scope_of(store, owner.id), await invite(store, owner)
    gone = await invite(store, owner, "g@example.org")
    again = await store.invitations.again(scope, first.invitation.id, telling(store))
    await store.invitations.withdraw(scope, gone.invitation.id)
    sender = postman(store, server)
    await sender.round()
    assert [mail.recipient for mail in server.taken] == [MAIL]
    assert again.token in server.taken[0].text
    assert not await store.notices.any()
    assert dict(sender.fates) == {"sent": 1}


async def test_used_it_is_destroyed_as_every_record_is(store: Store) -> None:
    owner, _ = await practice(store)
    made = await invite(store, owner)
    store.wake.clear()
    await accept(store, made.token)
    assert [row.state for row in await rows(store, invitations)] == ["destroying"]
    assert store.wake.is_set(), "the sweep is told"
    await store.retention.sweep()
    assert await store.keys.missing([made.invitation.id]) == [made.invitation.id]
    assert await store.keys.receipt(made.invitation.owner, made.invitation.id) is not None
    with pytest.raises(DomainError, match="link_invalid"):
        await accept(store, made.token)


async def test_to_look_is_no_use_of_it(store: Store) -> None:
    owner, _ = await practice(store)
    made = await invite(store, owner)
    before = await rows(store, invitations)
    for _ in range(3):
        await store.invitations.welcome(made.token)
    assert await rows(store, invitations) == before
    await accept(store, made.token)


async def test_without_a_mail_server_the_link_is_with_whoever_invited(
    sqlite_settings: VaultSettings, time: Time
) -> None:
    async with open_store(sqlite_settings, now=time.now, boot=time.boottime) as store:
        owner, _ = await practice(store)
        made = await invite(store, owner)
        assert await store.notices.waiting() == []
        await accept(store, made.token)


async def test_after_72_hours_it_opens_nothing_and_dies(store: Store, time: Time) -> None:
    owner, _ = await practice(store)
    made = await invite(store, owner)
    time.pass_(seconds=LIFE.total_seconds() - 1)
    await store.invitations.welcome(made.token)
    assert await store.invitations.bury() == 0
    time.pass_(seconds=1)
    await dead(store, made.token)
    assert await addresses(store, owner) == []
    assert await store.invitations.bury() == 1
    await caught_up(store)
    assert await rows(store, invitations) == []
    assert await store.keys.missing([made.invitation.id])


async def test_a_late_one_is_in_nobodys_way(store: Store, time: Time) -> None:
    owner, _ = await practice(store)
    await invite(store, owner)
    time.pass_(hours=72)
    await accept(store, (await invite(store, owner)).token)


async def test_withdrawn_it_opens_nothing(store: Store) -> None:
    owner, _ = await practice(store)
    made = await invite(store, owner)
    scope = await scope_of(store, owner.id)
    await store.invitations.withdraw(scope, made.invitation.id)
    await dead(store, made.token)
    for call in (
        store.invitations.withdraw(scope, made.invitation.id),
        store.invitations.again(scope, made.invitation.id, telling(store)),
    ):
        with pytest.raises(DomainError, match="not_found"):
            await call
    await accept(store, (await invite(store, owner)).token)


async def test_sent_again_the_link_before_is_dead_also_in_a_copy_that_comes_back(store: Store, time: Time) -> None:
    owner, other = await practice(store)
    first = await invite(store, owner)
    (row,) = await rows(store, invitations)
    time.pass_(hours=71)
    scope = await scope_of(store, other.id)
    second = await store.invitations.again(scope, first.invitation.id, telling(store))
    assert (second.invitation.mail, second.invitation.by) == (MAIL, other.id)
    assert second.invitation.roles == {"assistant"}
    await dead(store, first.token)
    await store.retention.sweep()
    async with store.database.write() as connection:
        await connection.execute(invitations.insert().values({**row._mapping, "mail": b"x" * 32}))
    await dead(store, first.token)
    time.pass_(hours=71)
    await accept(store, second.token)


# --- who may ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["practitioner", "assistant", "auditor", "support"])
async def test_without_the_right_nobody_is_invited(sqlite_store: Store, role: MemberRole) -> None:
    store = sqlite_store
    owner, other = await practice(store)
    made = await invite(store, owner)
    await store.organisation.set_roles(await scope_of(store, owner.id), other.id, [role])
    scope = await scope_of(store, other.id)
    for call in (
        invite(store, other, "g@example.org"),
        store.invitations.again(scope, made.invitation.id, telling(store)),
        store.invitations.withdraw(scope, made.invitation.id),
        store.invitations.get(scope, made.invitation.id),
    ):
        with pytest.raises(DomainError, match="not_found"):
            await call
    await store.invitations.welcome(made.token)


async def test_only_an_owner_invites_an_owner(store: Store) -> None:
    owner, administrator = await practice(store)
    with pytest.raises(DomainError, match="not_found"):
        await invite(store, administrator, roles=("owner", "practitioner"))
    made = await invite(store, owner, roles=("owner",))
    scope = await scope_of(store, administrator.id)
    for call in (
        store.invitations.again(scope, made.invitation.id, telling(store)),
        store.invitations.withdraw(scope, made.invitation.id),
    ):
        with pytest.raises(DomainError, match="not_found"):
            await call
    person = await accept(store, made.token)
    assert await roles(store, person.id) == {"owner"}


async def test_a_link_opens_nothing_once_whoever_sent_it_may_not_any_more(store: Store) -> None:
    owner, administrator = await practice(store)
    made = await invite(store, administrator)
    scope = await scope_of(store, owner.id)
    await store.organisation.set_state(scope, administrator.id, "deactivated")
    await dead(store, made.token)
    await store.organisation.set_state(scope, administrator.id, "active")
    await store.invitations.welcome(made.token)
    await store.organisation.set_roles(scope, administrator.id, ["practitioner"])
    await dead(store, made.token)
    again = await store.invitations.again(scope, made.invitation.id, telling(store))
    await store.invitations.welcome(again.token)


async def test_an_owners_link_for_an_owner_is_dead_when_they_are_an_administrator(store: Store) -> None:
    owner, other = await practice(store)
    scope = await scope_of(store, owner.id)
    await store.organisation.set_roles(scope, other.id, ["owner"])
    made, plain = await invite(store, other, roles=("owner",)), await invite(store, other, "g@example.org")
    await store.organisation.set_roles(scope, other.id, ["administrator"])
    await dead(store, made.token)
    await store.invitations.welcome(plain.token)


async def test_a_right_that_is_lost_between_the_look_and_the_account_is_lost(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, administrator = await practice(store)
    made = await invite(store, administrator)
    real = store.invitations._good

    async def good(token: str) -> Any:
        one = await real(token)
        await store.organisation.set_state(await scope_of(store, owner.id), administrator.id, "deactivated")
        return one

    monkeypatch.setattr(store.invitations, "_good", good)
    keys = set(await store.keys.ids())
    with pytest.raises(DomainError, match="link_invalid"):
        await accept(store, made.token)
    assert set(await store.keys.ids()) == keys
    assert await store.practitioners.id_by_mail(OPERATOR, MAIL) is None


async def test_an_invitation_of_another_organisation_is_nowhere(store: Store) -> None:
    owner, _ = await practice(store)
    made = await invite(store, owner)
    eve = await store.practitioners.add("eve@example.org", PASSWORD, "Eve", "nl")
    await found(store, eve.id, ["owner"])
    scope = await scope_of(store, eve.id)
    assert await store.invitations.waiting(scope) == []
    with pytest.raises(DomainError, match="not_found"):
        await store.invitations.withdraw(scope, made.invitation.id)


# --- addresses -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "mail",
    [
        *("", "nonsense", "a@b", "@example.org", "a@", "a b@example.org", "a@exa mple.org", "a\n@example.org"),
        "f\u0430tima@example.org",  # a Cyrillic one
        "\uff46atima@example.org",  # a wide one
        "a@127.0.0.1",
        f"{'a' * 65}@example.org",
        f"a@{'b' * 60}.{'c' * 63}.{'d' * 63}.{'e' * 63}.{'f' * 20}",
    ],
)
async def test_an_address_that_mail_cannot_be_sent_to_is_refused(sqlite_store: Store, mail: str) -> None:
    owner, _ = await practice(sqlite_store)
    keys = set(await sqlite_store.keys.ids())
    with pytest.raises(DomainError, match="invalid") as refused:
        await invite(sqlite_store, owner, mail)
    assert refused.value.field == "mail"
    assert set(await sqlite_store.keys.ids()) == keys
    assert await rows(sqlite_store, invitations) == []


@pytest.mark.parametrize("wanted", [(), ("boss",), ("assistant", "boss")])
async def test_a_role_that_is_none_is_refused(sqlite_store: Store, wanted: Any) -> None:
    owner, _ = await practice(sqlite_store)
    with pytest.raises(DomainError, match="invalid") as refused:
        await invite(sqlite_store, owner, roles=wanted)
    assert refused.value.field == "roles"


async def test_one_address_is_invited_once_however_it_is_written(store: Store) -> None:
    owner, other = await practice(store)
    await invite(store, owner)
    for mail in (MAIL, " FATIMA@Example.ORG "):
        with pytest.raises(DomainError, match="conflict"):
            await invite(store, other, mail)
    assert len(await rows(store, invitations)) == 1


async def test_of_two_who_invite_one_address_at_once_one_wins(settings: VaultSettings, time: Time) -> None:
    """Each at a server of its own."""
    options: dict[str, Any] = {"now": time.now, "boot": time.boottime}
    async with open_store(settings, **options) as one, open_store(settings, exclusive=False, **options) as other:
        owner, administrator = await practice(one)
        done = await asyncio.gather(invite(one, owner), invite(other, administrator), return_exceptions=True)
        refused = [each for each in done if isinstance(each, DomainError)]
        assert [each.code for each in refused] == ["conflict"], done
        assert len(await rows(one, invitations)) == 1
        await whole(one, settings, time)


async def test_of_two_who_use_one_link_at_once_one_wins(settings: VaultSettings, time: Time) -> None:
    options: dict[str, Any] = {"now": time.now, "boot": time.boottime}
    async with open_store(settings, **options) as one, open_store(settings, exclusive=False, **options) as other:
        owner, _ = await practice(one)
        made = await invite(one, owner)
        done = await asyncio.gather(
            accept(one, made.token, "One"), accept(other, made.token, "Other"), return_exceptions=True
        )
        refused = [each for each in done if isinstance(each, DomainError)]
        assert len(refused) == 1 and refused[0].code in ("conflict", "link_invalid"), done
        assert len(await rows(one, members)) == 3
        await whole(one, settings, time)


async def test_a_member_is_told_of_and_no_other_account_is(store: Store) -> None:
    """Of another organisation's account whoever invites learns nothing; its owner does, who alone has the link."""
    owner, other = await practice(store)
    with pytest.raises(DomainError, match="conflict"):
        await invite(store, owner, other.mail.upper())
    eve = await store.practitioners.add("eve@example.org", PASSWORD, "Eve", "nl")
    await found(store, eve.id, ["owner"])
    known, unknown = await invite(store, owner, "eve@example.org"), await invite(store, owner)
    assert await addresses(store, owner) == ["eve@example.org", MAIL]
    assert len(await store.notices.waiting()) == 2
    for made in (known, unknown):
        await store.invitations.welcome(made.token)
    with pytest.raises(DomainError, match="conflict"):
        await accept(store, known.token)
    await accept(store, unknown.token)
    assert await store.practitioners.authenticate("eve@example.org", PASSWORD) == eve
    assert (await roles(store, eve.id)) == {"owner"}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"password": "short"}, "invalid"),
        ({"password": "password1"}, "password_common"),
        ({"password": MAIL}, "password_common"),
        ({"name": "\u200b"}, "invalid"),
        ({"name": "a\nb"}, "invalid"),
    ],
)
async def test_bad_input_leaves_the_link_as_it_was(sqlite_store: Store, changes: dict[str, str], code: str) -> None:
    owner, _ = await practice(sqlite_store)
    made = await invite(sqlite_store, owner)
    keys = set(await sqlite_store.keys.ids())
    with pytest.raises(DomainError, match=code):
        await accept(sqlite_store, made.token, **changes)
    assert set(await sqlite_store.keys.ids()) == keys
    await accept(sqlite_store, made.token)
