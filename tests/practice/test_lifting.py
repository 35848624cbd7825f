"""Who lost their second factor: what is lifted ends with all that lets somebody in, and nothing else does."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import select

from practice.accounts.model import Practitioner
from practice.accounts.records import resets, sessions
from practice.factors import codes
from practice.factors.model import Factors
from practice.factors.store import TRIES
from practice.notices.model import News
from practice.storage import Store
from tests.opening import of
from tests.organisations import scope_of
from tests.people import Time, alice, charlie
from tests.practice.posting import sqlite_store, store
from tests.practice.test_factors import SESSION, code, passkey, with_app
from tests.practice.test_mail_changes import ask as ask_for_mail
from tests.practice.test_organisation import practice
from tests.practice.test_resets import ask
from vault.errors import DomainError
from vault.records.scope import Scope
from vault.records.writing import Along

__all__ = ["sqlite_store", "store"]


def told(store: Store, person: Practitioner) -> Along:
    return store.notices.of(person.id, News("factor-lifted", person.mail, person.language))


async def words(store: Store) -> list[str]:
    return [one.news.word for one in await store.notices.waiting()]


async def ways_in(store: Store, person: Practitioner) -> tuple[int, int, bool]:
    """How many sessions and links to a password there are, and whether another address is asked for."""
    counts = [
        len(await store.database.ask(select(table.c.token).where(table.c.practitioner == person.id)))
        for table in (sessions, resets)
    ]
    return counts[0], counts[1], await store.mail_changes.pending(of(person.id)) is not None


async def let_in(store: Store, person: Practitioner) -> None:
    await store.sessions.create(person.id)
    await store.sessions.create_for_set_up(person.id)
    await ask(store, person.mail)
    await ask_for_mail(store, person, f"another-{person.mail.lower()}")


async def test_all_that_is_not_kept_ends_and_so_does_all_that_lets_them_in(store: Store, time: Time) -> None:
    person, other = await alice(store), await charlie(store)
    for one in (person, other):
        await with_app(store, one, time)
        await store.factors.add_passkey(of(one.id), passkey())
        await store.factors.add_passkey(of(one.id), passkey(1))
        await let_in(store, one)
    theirs = await store.factors.of(of(other.id))
    held = await store.factors.lift(of(person.id), ["id-1", "unknown"], told(store, person))
    assert (held.secret, held.step, held.codes, held.passkeys) == (None, 0, (), (passkey(1),))
    assert await store.factors.of(of(person.id)) == held
    assert await ways_in(store, person) == (0, 0, False)
    assert await store.factors.of(of(other.id)) == theirs
    assert await ways_in(store, other) == (2, 1, True)
    assert (await words(store)).count("factor-lifted") == 1


async def test_where_nothing_ends_nobody_is_told_or_signed_out(store: Store) -> None:
    person = await alice(store)
    await let_in(store, person)
    before = await words(store)
    with pytest.raises(DomainError, match="bad_state"):
        await store.factors.lift(of(person.id), [], told(store, person))
    assert (await words(store), await ways_in(store, person)) == (before, (2, 1, True))
    await store.factors.add_passkey(of(person.id), passkey())
    await store.factors.lift(of(person.id), ["id-0"], told(store, person))  # its codes end
    await let_in(store, person)
    with pytest.raises(DomainError, match="bad_state"):
        await store.factors.lift(of(person.id), ["id-0"], told(store, person))
    assert await ways_in(store, person) == (2, 1, True)
    assert (await words(store)).count("factor-lifted") == 1


async def test_an_owner_lifts_that_of_another_and_nobody_their_own(store: Store, time: Time) -> None:
    owner, other, administrator, _ = await practice(store)
    scope = await scope_of(store, owner.id)
    for one in (owner, other):
        await with_app(store, one, time)
    with pytest.raises(DomainError, match="bad_state"):
        await store.recovery.lift(scope, owner.id, [], told(store, owner))
    for by, account in ((await scope_of(store, administrator.id), other.id), (scope, "A" * 22)):
        with pytest.raises(DomainError, match="not_found"):
            await store.recovery.lift(by, account, [], told(store, other))
        with pytest.raises(DomainError, match="not_found"):
            await store.recovery.of(by, account)
    assert (await store.recovery.of(scope, other.id)).any
    assert not (await store.recovery.lift(scope, other.id, [], told(store, other))).any
    assert (await store.factors.of(of(owner.id))).any
    assert await words(store) == ["factor-lifted"]


async def test_the_operator_takes_it_away_with_the_mail_about_it(store: Store, time: Time) -> None:
    person, other = await alice(store), await charlie(store)
    await with_app(store, person, time)
    for one in (person, other):
        await let_in(store, one)
    before = await words(store)
    assert await store.factors.take_away(Scope.operator(person.id), told(store, person))
    assert await ways_in(store, person) == (0, 0, False)
    assert await ways_in(store, other) == (2, 1, True)
    assert await store.sessions.ended_by_commands() == [person.id]
    assert sorted(await words(store)) == sorted([*before, "factor-lifted"])
    assert not await store.factors.take_away(Scope.operator(other.id), told(store, other))
    assert await ways_in(store, other) == (2, 1, True), "who had none is not signed out"
    assert (await words(store)).count("factor-lifted") == 1


async def test_what_cannot_be_told_is_not_taken_away(store: Store, time: Time, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one transaction: a mail that cannot be written takes it back."""
    person = await alice(store)
    await with_app(store, person, time)
    await let_in(store, person)
    (first, *_) = await store.notices.waiting()
    monkeypatch.setattr("practice.notices.store.new_id", lambda: first.id)
    for call in (
        store.factors.lift(of(person.id), [], told(store, person)),
        store.factors.take_away(Scope.operator(person.id), told(store, person)),
    ):
        with pytest.raises(DomainError):
            await call
    assert (await store.factors.of(of(person.id))).any
    assert await ways_in(store, person) == (2, 1, True)
    assert await store.sessions.ended_by_commands() == []


# --- codes that run out, and what happens meanwhile ------------------------------------------------------------------


async def test_of_the_last_recovery_codes_somebody_is_told(store: Store, time: Time) -> None:
    person = await alice(store)
    secret, made = await with_app(store, person, time)
    left: list[int] = []

    def low(count: int) -> Along:
        left.append(count)
        return told(store, person)

    for number, one in enumerate(made, 1):
        assert await store.factors.use(of(person.id), one, low) == "recovery"
        assert await store.factors.use(of(person.id), one, low) is None
        assert left == list(range(2, -1, -1))[: max(number - 7, 0)]
    assert len(await words(store)) == 3
    assert await store.factors.use(of(person.id), code(secret, time), low) == "totp"
    assert (len(left), len(await words(store))) == (3, 3)
    assert await store.factors.use(of(person.id), made[0]) is None


async def test_the_first_app_is_set_up_with_the_mail_about_it_or_not_at_all(
    store: Store, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await alice(store)
    await ask(store)
    (first,) = await store.notices.waiting()
    shown = code(await store.factors.proposed(of(person.id), SESSION), time)
    with monkeypatch.context() as patch, pytest.raises(DomainError):
        patch.setattr("practice.notices.store.new_id", lambda: first.id)
        await store.factors.set_totp(of(person.id), SESSION, shown, told(store, person))
    assert (await store.factors.of(of(person.id))).version == 0
    made = await store.factors.set_totp(of(person.id), SESSION, shown, told(store, person))
    assert len(made) == codes.HOW_MANY
    assert (await store.factors.of(of(person.id))).secret is not None
    assert (await words(store)).count("factor-lifted") == 1


CHANGES: dict[str, Callable[[Store, Practitioner, str], Awaitable[Any]]] = {
    "begun": lambda store, person, _: store.factors.begin(of(person.id)),
    "added": lambda store, person, _: store.factors.add_passkey(of(person.id), passkey()),
    "used": lambda store, person, typed: store.factors.use(of(person.id), typed),
}


@pytest.mark.parametrize("change", ["added", "used"])
async def test_an_account_that_begins_to_close_between_the_look_and_the_change_keeps_what_it_has(
    store: Store, time: Time, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    person = await alice(store)
    _, (typed, *_) = await with_app(store, person, time)
    real = store.factors.of
    found: list[Factors] = []

    async def then_closing(scope: Scope) -> Factors:
        found.append(await real(scope))
        await store.retention.request_closure(scope)
        return found[-1]

    monkeypatch.setattr(store.factors, "of", then_closing)
    with pytest.raises(DomainError, match="not_found"):
        await CHANGES[change](store, person, typed)
    assert len(found) == 1, "nobody tries that again"


@pytest.mark.parametrize("change", CHANGES)
async def test_who_is_never_first_is_told_to_try_again(
    sqlite_store: Store, time: Time, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    store, person = sqlite_store, await alice(sqlite_store)
    typed = (await with_app(store, person, time))[1][0] if change == "used" else ""
    tries: list[object] = []

    async def too_late(*what: object) -> bool:
        tries.append(what)
        return False

    monkeypatch.setattr(store.factors, "_written", too_late)
    with pytest.raises(DomainError, match="try_again"):
        await CHANGES[change](store, person, typed)
    assert len(tries) == TRIES


async def test_who_is_second_writes_upon_what_the_first_wrote(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    person = await alice(store)
    await store.factors.add_passkey(of(person.id), passkey())
    real, meanwhile = store.factors.of, iter([passkey(1)])

    async def looked(scope: Scope) -> Factors:
        held = await real(scope)
        for one in meanwhile:
            await store.factors.add_passkey(scope, one)
        return held

    monkeypatch.setattr(store.factors, "of", looked)
    await store.factors.add_passkey(of(person.id), passkey(2))
    monkeypatch.undo()
    held = await store.factors.of(of(person.id))
    assert ([one.id for one in held.passkeys], held.version) == (["id-0", "id-1", "id-2"], 3)
