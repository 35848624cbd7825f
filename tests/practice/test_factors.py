"""The second factor of an account: each code is good once, and whoever only writes to the database takes none away."""

import asyncio
from dataclasses import replace
from types import SimpleNamespace

import pyotp
import pytest
from sqlalchemy import delete, select, update

from practice.accounts.model import Practitioner
from practice.accounts.records import sessions
from practice.factors import codes
from practice.factors.model import Factors, Passkey
from practice.factors.records import FACTORS, factors, open_factors, seal_factors
from practice.kinds import KINDS
from practice.storage import Store
from tests.opening import of
from tests.people import START, Time, alice, caught_up, charlie
from vault import keystore
from vault.errors import DomainError, Newer, Unreadable
from vault.keys.envelope import new_key, pack, seal
from vault.records.scope import Scope
from vault.settings import VaultSettings

MOST_PASSKEYS = 10
"""As documents and pages say it."""

SESSION = "a session"


def code(secret: str, time: Time, beside: int = 0) -> str:
    """What the app shows, or showed or will show some steps away."""
    return pyotp.TOTP(secret).at(int(time.wall.timestamp()) + beside * codes.STEP_SECONDS)


async def with_app(store: Store, person: Practitioner, time: Time) -> tuple[str, tuple[str, ...]]:
    """The secret of an app that was just set up, and the recovery codes."""
    secret = await store.factors.proposed(of(person.id), SESSION)
    made = await store.factors.set_totp(of(person.id), SESSION, code(secret, time))
    time.pass_(seconds=2 * codes.STEP_SECONDS)
    return secret, made


async def test_what_is_proposed_is_the_sessions_own_until_it_is_set(store: Store, time: Time) -> None:
    person, other = await alice(store), await charlie(store)
    first = await store.factors.proposed(of(person.id), SESSION)
    assert await store.factors.proposed(of(person.id), SESSION) == first
    others = [await store.factors.proposed(of(other.id), SESSION), await store.factors.proposed(of(person.id), "other")]
    await with_app(store, person, time)
    others.append(await store.factors.proposed(of(person.id), SESSION))
    assert len({first, *others}) == 4


def passkey(number: int = 0) -> Passkey:
    return Passkey(f"id-{number}", "cGs", 0, "multi_device", True, f"Sleutel {number}", START)


async def row(store: Store) -> object:
    async with store.database.read() as connection:
        return (await connection.execute(select(factors))).one_or_none()


@pytest.mark.duty("S-24")
async def test_a_code_of_the_app_is_good_once(store: Store, time: Time) -> None:
    person = await alice(store)
    secret, _ = await with_app(store, person, time)
    now = code(secret, time)
    assert await store.factors.use(of(person.id), f" {now[:3]} {now[3:]} ") == "totp"
    assert await store.factors.use(of(person.id), now) is None
    assert await store.factors.use(of(person.id), code(secret, time, -1)) is None, "older than the last"
    assert await store.factors.use(of(person.id), code(secret, time, 1)) == "totp"


async def test_the_code_that_set_it_up_is_used_up(store: Store, time: Time) -> None:
    person = await alice(store)
    shown = code(await store.factors.proposed(of(person.id), SESSION), time)
    await store.factors.set_totp(of(person.id), SESSION, shown)
    assert await store.factors.use(of(person.id), shown) is None


@pytest.mark.parametrize(("beside", "good"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
async def test_a_clock_may_be_one_step_wrong(sqlite_store: Store, time: Time, beside: int, *, good: bool) -> None:
    person = await alice(sqlite_store)
    secret, _ = await with_app(sqlite_store, person, time)
    time.pass_(seconds=10 * codes.STEP_SECONDS)
    used = await sqlite_store.factors.use(of(person.id), code(secret, time, beside))
    assert used == ("totp" if good else None)


@pytest.mark.duty("S-24")
async def test_of_many_who_use_one_code_at_once_one_is_let_in(store: Store, time: Time) -> None:
    person = await alice(store)
    secret, made = await with_app(store, person, time)
    for typed, what in ((code(secret, time), "totp"), (codes.shown(made[3]), "recovery")):
        used = await asyncio.gather(*(store.factors.use(of(person.id), typed) for _ in range(12)))
        assert sorted(map(str, used)) == sorted([what, *["None"] * 11])


async def test_a_recovery_code_is_good_once_and_not_kept(store: Store, time: Time) -> None:
    person = await alice(store)
    _, made = await with_app(store, person, time)
    assert len(set(made)) == codes.HOW_MANY
    assert await store.factors.use(of(person.id), codes.shown(made[0]).upper()) == "recovery"
    assert await store.factors.use(of(person.id), made[0]) is None
    held = await store.factors.of(of(person.id))
    assert len(held.codes) == codes.HOW_MANY - 1
    assert not set(made) & set(held.codes), "keyed hashes"
    assert all(one not in repr(held) for one in (*made, str(held.secret)))


async def test_new_recovery_codes_end_the_old_ones(store: Store, time: Time) -> None:
    person = await alice(store)
    with pytest.raises(DomainError, match="bad_state"):
        await store.factors.new_codes(of(person.id))
    _, old = await with_app(store, person, time)
    new = await store.factors.new_codes(of(person.id))
    assert await store.factors.use(of(person.id), old[0]) is None
    assert await store.factors.use(of(person.id), new[0]) == "recovery"


async def test_recovery_codes_of_somebody_else_are_none(store: Store, time: Time) -> None:
    person, other = await alice(store), await charlie(store)
    _, made = await with_app(store, person, time)
    await with_app(store, other, time)
    assert await store.factors.use(of(other.id), made[0]) is None
    assert await store.factors.use(of(person.id), made[0]) == "recovery"


async def test_another_app_takes_the_place_of_the_first_and_keeps_the_codes(store: Store, time: Time) -> None:
    person = await alice(store)
    first, made = await with_app(store, person, time)
    second, none = await with_app(store, person, time)
    assert (len(made), none) == (codes.HOW_MANY, ())
    assert await store.factors.use(of(person.id), code(first, time)) is None
    assert await store.factors.use(of(person.id), code(second, time)) == "totp"


@pytest.mark.parametrize("typed", ["000000", "", "12345", "1234567", "x" * 5000, "\uff11" * 6])
async def test_a_wrong_code_sets_nothing_up(sqlite_store: Store, time: Time, typed: str) -> None:
    person = await alice(sqlite_store)
    with pytest.raises(DomainError, match="factor_refused"):
        await sqlite_store.factors.set_totp(of(person.id), SESSION, typed)
    assert await row(sqlite_store) is None
    assert await sqlite_store.factors.use(of(person.id), typed) is None


async def test_from_when_on_one_is_asked_for_is_kept(store: Store, time: Time) -> None:
    person = await alice(store)
    assert (await store.factors.of(of(person.id))).version == 0
    held = await asyncio.gather(*(store.factors.begin(of(person.id)) for _ in range(8)))
    assert {one.since for one in held} == {START}
    time.pass_(days=20)
    assert (await store.factors.begin(of(person.id))).since == START
    assert not held[0].any


async def test_the_last_one_stays_while_one_is_demanded(store: Store, time: Time) -> None:
    person = await alice(store)
    await with_app(store, person, time)
    with pytest.raises(DomainError, match="bad_state"):
        await store.factors.remove(of(person.id), None, demanded=True)
    await store.factors.add_passkey(of(person.id), passkey())
    held = await store.factors.remove(of(person.id), None, demanded=True)
    assert (held.secret, len(held.passkeys), len(held.codes)) == (None, 1, codes.HOW_MANY)
    with pytest.raises(DomainError, match="bad_state"):
        await store.factors.remove(of(person.id), "id-0", demanded=True)
    with pytest.raises(DomainError, match="not_found"):
        await store.factors.remove(of(person.id), "id-1", demanded=False)
    held = await store.factors.remove(of(person.id), "id-0", demanded=False)
    assert (held.any, held.codes) == (False, ())


async def test_passkeys_are_kept_once_each_and_not_without_end(store: Store) -> None:
    person = await alice(store)
    made = await store.factors.add_passkey(of(person.id), passkey())
    assert len(made) == codes.HOW_MANY
    with pytest.raises(DomainError, match="conflict"):
        await store.factors.add_passkey(of(person.id), passkey())
    for number in range(1, MOST_PASSKEYS):
        assert await store.factors.add_passkey(of(person.id), passkey(number)) == ()
    with pytest.raises(DomainError, match="invalid"):
        await store.factors.add_passkey(of(person.id), passkey(99))
    used = replace(passkey(2), count=7, doubted=True)
    await store.factors.used_passkey(of(person.id), used)
    after = (await store.factors.of(of(person.id))).passkeys
    assert after == tuple(used if number == 2 else passkey(number) for number in range(MOST_PASSKEYS))
    with pytest.raises(DomainError, match="not_found"):
        await store.factors.used_passkey(of(person.id), passkey(99))


@pytest.mark.duty("S-24")
async def test_who_takes_the_row_away_takes_no_factor_away(store: Store, time: Time) -> None:
    person, other = await alice(store), await charlie(store)
    await with_app(store, person, time)
    await store.factors.begin(of(other.id))
    async with store.database.write() as connection:
        theirs = (await connection.execute(select(factors).where(factors.c.owner == other.id))).one()
        await connection.execute(delete(factors))
    for attempt in (store.factors.of, store.factors.begin):
        with pytest.raises(Unreadable):
            await attempt(of(person.id))
    moved = {**dict(theirs._mapping), "id": store.keys.factors_id(person.id, 0), "owner": person.id}
    async with store.database.write() as connection:
        await connection.execute(factors.insert().values(moved))
    with pytest.raises(Unreadable):
        await store.factors.of(of(person.id))


async def test_who_was_cut_off_before_the_first_row_begins_again(store: Store, time: Time) -> None:
    person = await alice(store)
    row_id = store.keys.factors_id(person.id, 0)
    await store.keys.add(person.id, row_id, time.now())
    assert (await store.factors.of(of(person.id))).version == 0
    assert (await store.factors.begin(of(person.id))).since == START
    assert (await store.factors.of(of(person.id))).version == 1


@pytest.mark.duty("S-28")
async def test_it_ends_with_the_account_and_there_is_a_receipt(store: Store, time: Time) -> None:
    person, other = await alice(store), await charlie(store)
    await with_app(store, person, time)
    await with_app(store, other, time)
    row_id = store.keys.factors_id(person.id, 0)
    await store.retention.request_closure(of(person.id))
    for attempt in (store.factors.of(of(person.id)), store.factors.begin(of(person.id))):
        with pytest.raises(DomainError, match="not_found"):
            await attempt
    await store.retention.sweep()
    assert await store.keys.receipt(person.id, row_id) is not None
    assert await store.keys.missing([row_id]) == [row_id]
    async with store.database.read() as connection:
        assert (await connection.execute(select(factors.c.owner))).scalars().all() == [other.id]
    assert (await store.factors.of(of(other.id))).any


async def test_destroyed_alone_another_may_begin_and_the_old_one_never_comes_back(store: Store, time: Time) -> None:
    person = await alice(store)
    _, made = await with_app(store, person, time)
    async with store.database.read() as connection:
        old = (await connection.execute(select(factors))).one()
    await store.retention.destroy(of(person.id), old.id)
    assert not (await store.factors.of(of(person.id))).any
    held = await store.factors.begin(of(person.id))
    assert held.id == store.keys.factors_id(person.id, 1)
    async with store.database.write() as connection:
        await connection.execute(factors.insert().values(dict(old._mapping)))
    assert await store.factors.use(of(person.id), made[0]) is None
    await caught_up(store)
    assert await store.factors.of(of(person.id)) == held


@pytest.mark.parametrize("row", ["there", "damaged", "gone"])
async def test_the_operator_takes_it_away_whatever_is_left_of_it(store: Store, time: Time, row: str) -> None:
    person, other = await alice(store), await charlie(store)
    await with_app(store, person, time)
    await with_app(store, other, time)
    mine = factors.c.owner == person.id
    async with store.database.write() as connection:
        if row == "damaged":
            await connection.execute(update(factors).where(mine).values(content=b"x" * 300))
        elif row == "gone":
            await connection.execute(delete(factors).where(mine))
    with pytest.raises(DomainError, match="not_found"):
        await store.factors.take_away(of(person.id))
    assert await store.factors.take_away(Scope.operator(person.id))
    assert not await store.factors.take_away(Scope.operator(person.id))
    assert not (await store.factors.of(of(person.id))).any
    assert await store.keys.receipt(person.id, store.keys.factors_id(person.id, 0)) is not None
    await store.retention.sweep()
    assert (await store.factors.begin(of(person.id))).id == store.keys.factors_id(person.id, 1)
    assert (await store.factors.of(of(other.id))).any


async def test_its_key_is_known_to_have_its_row_at_once(store: Store) -> None:
    person = await alice(store)
    held = await store.factors.begin(of(person.id))
    assert held.id not in {row_id for row_id, _ in await store.keys.unconfirmed()}
    await caught_up(store)
    assert (await store.factors.of(of(person.id))) == held


async def test_one_that_cannot_be_read_is_said(store: Store, settings: VaultSettings, time: Time) -> None:
    person = await alice(store)
    held = await store.factors.begin(of(person.id))
    key, _ = await store.keys.get(person.id, held.id)
    newer = seal(key, pack({"version": 2}), FACTORS.place(held.id, person.id))
    for content, error in ((newer, Newer), (b"x" * 300, Unreadable)):
        async with store.database.write() as connection:
            await connection.execute(update(factors).values(content=content))
        with pytest.raises(error):
            await store.factors.of(of(person.id))
    findings = (await keystore.verify(settings, KINDS, time.now)).findings
    assert any(one.startswith("Factors that cannot be read: 1.") for one in findings)


async def test_what_a_newer_program_added_stays(store: Store, time: Time) -> None:
    person = await alice(store)
    held = await store.factors.begin(of(person.id))
    key, _ = await store.keys.get(person.id, held.id)
    async with store.database.write() as connection:
        sealed = seal_factors(key, replace(held, unknown={"mail": "codes"}))
        await connection.execute(update(factors).values(sealed))
    await with_app(store, person, time)
    assert (await store.factors.of(of(person.id))).unknown == {"mail": "codes"}


@pytest.mark.parametrize("change", [{"step": "1"}, {"passkeys": [{"id": "x"}]}, {"codes": 7}, {"since": "soon"}])
def test_content_that_is_not_of_our_making_is_damaged(change: dict[str, object]) -> None:
    key, held = new_key(), Factors("a" * 22, "o" * 22, version=1)
    good: dict[str, object] = {"since": None, "secret": None, "step": 0, "codes": [], "passkeys": []}
    for fields, whole in ((good, True), (good | change, False)):
        written = {**seal_factors(key, held), "content": seal(key, pack(fields), FACTORS.place(held.id, held.owner))}
        if whole:
            assert open_factors(key, SimpleNamespace(**written)) == held
        else:
            with pytest.raises(Unreadable):
                open_factors(key, SimpleNamespace(**written))


# --- how strongly a session was begun --------------------------------------------------------------------------------


async def test_a_session_knows_how_it_was_begun(store: Store) -> None:
    person = await alice(store)
    weak, strong = await store.sessions.create(person.id), await store.sessions.create(person.id, "factors")
    assert (await store.sessions.strength(weak), await store.sessions.strength(strong)) == ("password", "factors")
    assert await store.sessions.strength("x" * 22 + "." + "y" * 43) == "password"


async def test_who_writes_to_the_database_makes_no_session_stronger(store: Store) -> None:
    person = await alice(store)
    weak, strong = await store.sessions.create(person.id), await store.sessions.create(person.id, "factors")
    marked = select(sessions.c.strength).where(sessions.c.token == store.keys.session_index(strong)).scalar_subquery()
    for value in (marked, None, b"factors", b"\xff" * 32):
        async with store.database.write() as connection:
            token = store.keys.session_index(weak)
            await connection.execute(update(sessions).where(sessions.c.token == token).values(strength=value))
        assert await store.sessions.strength(weak) == "password"


async def test_who_may_only_set_one_up_is_signed_in_nowhere(store: Store, time: Time) -> None:
    person = await alice(store)
    token = await store.sessions.create_for_set_up(person.id)
    assert await store.sessions.practitioner(token) is None
    assert not await store.sessions.lives(store.sessions.reference(token))
    assert await store.sessions.setting_up(token) == person.id
    assert await store.sessions.setting_up(await store.sessions.create(person.id)) is None
    time.pass_(minutes=30)
    assert await store.sessions.setting_up(token) is None
    again = await store.sessions.create_for_set_up(person.id)
    await store.sessions.end(again)
    assert await store.sessions.setting_up(again) is None


def test_of_what_is_typed_for_a_code_so_much_is_read() -> None:
    assert codes.plain(f" 12-34{' ' * 57}56") == "12345"
    assert codes.plain(f"{' ' * 63}7") == "7"


def test_what_an_app_is_told() -> None:
    secret = "JBSWY3DPEHPK3PXP" * 2
    said = codes.address(secret, "alice@example.org")
    assert said == f"otpauth://totp/Spreekkamer:alice%40example.org?secret={secret}&issuer=Spreekkamer"
