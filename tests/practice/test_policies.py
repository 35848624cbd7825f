"""What an organisation decides: a cap that only ever shortens, and what a consult may not have."""

from contextlib import suppress
from datetime import timedelta
from random import Random

import pytest
from sqlalchemy import select, update

from practice.accounts.model import RETENTION, Practitioner, Retention
from practice.accounts.records import practitioners
from practice.agenda.due_times import shorter
from practice.agenda.model import Appointment
from practice.organisation.model import MemberRole
from practice.policies.model import CAPS, FEATURES, Cap, Feature, Policy
from practice.policies.records import POLICIES, policies
from practice.policies.store import MOMENT
from practice.sms_providers.model import Way
from practice.storage import Store
from tests.every_kind import ACCESS
from tests.opening import of, open_store
from tests.organisations import found, scope_of
from tests.people import START, Time, charlie, plan
from tests.practice.test_invitations import practice, telling
from tests.practice.test_organisation import joined, whole
from vault.errors import DomainError
from vault.records.scope import SERVER, Scope
from vault.settings import VaultSettings

WAY = Way("cm", "https://sms.example.org/", "product-token", "Praktijk")
LONGEST: Retention = "manual"
OPERATORS = timedelta(days=365)
"""The cap of the operator, where nobody else has one."""


async def decide(store: Store, who: Scope, cap: Retention | None, *barred: Feature) -> Policy:
    """Something else than was decided, and what follows."""
    before = await store.policies.of(who)
    after = await store.policies.change(who, cap, barred, before.version)
    await store.retention.sweep()
    return after


async def practitioner(store: Store) -> tuple[Practitioner, Scope]:
    """Of an organisation whose owner decides."""
    owner, _ = await practice(store)
    return await joined(store, "fatima"), await scope_of(store, owner.id)


async def due(store: Store, one: Appointment) -> timedelta | None:
    """How long after its planned end, and the half hour that it may last longer."""
    now = await store.appointments.get(of(one.owner), one.id)
    return None if now.due is None else now.due - now.ends_at - timedelta(minutes=30)


@pytest.mark.duty("S-29", "S-32")
async def test_what_is_planned_and_what_was_comes_under_a_cap(store: Store) -> None:
    person, owner = await practitioner(store)
    await store.practitioners.set_retention(of(person.id), LONGEST)
    before = await plan(store, person)
    assert await due(store, before) == OPERATORS
    await decide(store, owner, "7d")
    assert await due(store, before) == timedelta(days=7)
    assert await due(store, await plan(store, person)) == timedelta(days=7)
    assert (await store.practitioners.get(of(person.id))).retention == LONGEST, "what somebody chose stays"


@pytest.mark.duty("S-29")
async def test_a_longer_cap_delays_no_destruction_and_holds_for_what_is_new(store: Store) -> None:
    person, owner = await practitioner(store)
    await store.practitioners.set_retention(of(person.id), LONGEST)
    await decide(store, owner, "24h")
    before = await plan(store, person)
    for later in ("90d", None):
        await decide(store, owner, later)
        await store.practitioners.reschedule_all(SERVER)
        assert await due(store, before) == timedelta(hours=24)
    await decide(store, owner, "90d")
    assert await due(store, await plan(store, person)) == timedelta(days=90)


async def test_a_practitioner_chooses_up_to_the_cap_and_no_longer(store: Store) -> None:
    person, owner = await practitioner(store)
    await decide(store, owner, "7d")
    for setting in RETENTION:
        if shorter(setting, "7d") == setting:
            await store.practitioners.set_retention(of(person.id), setting)
        else:
            with pytest.raises(DomainError, match="not_allowed"):
                await store.practitioners.set_retention(of(person.id), setting)
    assert (await store.practitioners.get(of(person.id))).retention == "7d"
    others = await charlie(store)
    await found(store, others.id, ["owner", "practitioner"])
    await store.practitioners.set_retention(of(others.id), LONGEST)
    assert await due(store, await plan(store, others)) == OPERATORS, "of another organisation"


async def test_a_cap_that_shortens_destroys_within_the_next_sweep(store: Store, time: Time) -> None:
    person, owner = await practitioner(store)
    one = await plan(store, person)
    time.pass_(days=10)
    await decide(store, owner, "7d")
    with pytest.raises(DomainError, match="gone"):
        await store.appointments.get(of(person.id), one.id)


async def test_cut_off_after_it_was_decided_the_next_server_does_the_rest(
    sqlite_settings: VaultSettings, time: Time
) -> None:
    async with open_store(sqlite_settings, now=time.now, boot=time.boottime) as store:
        person, owner = await practitioner(store)
        one = await plan(store, person)
        await store.policies.change(owner, "24h", (), 0)
        assert await due(store, one) == timedelta(days=30)
    async with open_store(sqlite_settings, now=time.now, boot=time.boottime) as store:
        await store.retention.catch_up()
        assert await due(store, one) == timedelta(hours=24)


async def test_who_set_the_cap_is_named_as_long_as_they_are_a_member(store: Store) -> None:
    person, owner = await practitioner(store)
    mine = await scope_of(store, person.id)
    assert await store.policies.cap(mine) == Cap() == await store.policies.cap(of(person.id))
    with pytest.raises(DomainError, match="not_found"):
        await store.policies.of(of(person.id))
    await decide(store, owner, "30d")
    assert await store.policies.cap(mine) == Cap("30d", "alice", START)
    bob = await store.practitioners.by_mail(SERVER, "bob@example.org")
    assert bob is not None
    await decide(store, await scope_of(store, bob.id), "30d", "chat")
    assert (await store.policies.cap(mine)).by == "alice", "bob decided about the chat"
    await decide(store, await scope_of(store, bob.id), "7d", "chat")
    assert (await store.policies.cap(mine)).by == "bob"
    await store.retention.close(of(bob.id))
    assert await store.policies.cap(mine) == Cap("7d", None, START)


async def test_what_is_barred_is_asked_for_each_consult(store: Store) -> None:
    person, owner = await practitioner(store)
    assert await store.policies.barred(SERVER, person.id) == frozenset()
    await decide(store, owner, None, "chat")
    assert await store.policies.barred(SERVER, person.id) == {"chat"}
    others = await charlie(store)
    assert await store.policies.barred(SERVER, others.id) == frozenset()


async def test_what_nobody_can_read_allows_nothing(store: Store) -> None:
    person, owner = await practitioner(store)
    await decide(store, owner, "7d")
    async with store.database.write() as connection:
        await connection.execute(update(policies).values(content=b"x" * 64))
    assert await store.policies.barred(SERVER, person.id) == set(FEATURES)
    for refused in (plan(store, person), store.practitioners.set_retention(of(person.id), "end")):
        with pytest.raises(DomainError, match="unreadable"):
            await refused


async def test_what_was_barred_a_moment_ago_is_not_asked_again_and_few_are_remembered(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, clock = sqlite_store, [100.0]
    monkeypatch.setattr(store.policies, "_clock", lambda: clock[0])
    monkeypatch.setattr("practice.policies.store.MANY", 2)
    _, owner = await practitioner(store)
    await decide(store, owner, None, "chat")
    everybody = [row.id for row in await store.database.ask(select(practitioners.c.id))]
    assert len(everybody) == 3

    async def asked() -> list[str]:
        """Of whom it is known without the database, which has been damaged."""
        said = [(one, await store.policies.barred(SERVER, one)) for one in (*everybody[1:], everybody[0])]
        return [one for one, barred in said if barred == {"chat"}]

    assert await asked() == [*everybody[1:], everybody[0]]
    async with store.database.write() as connection:
        await connection.execute(update(policies).values(content=b"x" * 64))
    clock[0] += MOMENT - 0.1
    assert await store.policies.barred(SERVER, everybody[0]) == {"chat"}
    assert await store.policies.barred(SERVER, everybody[1]) == set(FEATURES), "two are remembered, not a third"
    clock[0] += 0.1
    assert await store.policies.barred(SERVER, everybody[0]) == set(FEATURES)


async def test_a_policy_that_died_and_came_back_caps_nothing(store: Store) -> None:
    """As in a backup of before its organisation ended."""
    person, owner = await practitioner(store)
    await decide(store, owner, "7d")
    (row,) = await store.database.ask(select(policies))
    await store.retention.destroy(Scope.operator(row.owner), row.id, POLICIES)
    async with store.database.write() as connection:
        await connection.execute(policies.insert().values(row._asdict()))
    assert await due(store, await plan(store, person)) == timedelta(days=30)
    assert await store.policies.barred(SERVER, person.id) == set(FEATURES)


async def test_who_comes_second_changes_nothing(store: Store, settings: VaultSettings, time: Time) -> None:
    _, owner = await practitioner(store)
    first = await store.policies.change(owner, "90d", (), 0)
    barred: set[Feature] = {"chat"}
    for seen in (0, 2):
        with pytest.raises(DomainError, match="conflict"):
            await store.policies.change(owner, "7d", barred, seen)
    assert await store.policies.of(owner) == first
    await whole(store, settings, time)


@pytest.mark.parametrize(
    ("cap", "barred", "field"), [("manual", (), "cap"), ("1d", (), "cap"), (None, ("x",), "allowed")]
)
async def test_bad_input_changes_nothing(store: Store, cap: Retention, barred: tuple[Feature, ...], field: str) -> None:
    _, owner = await practitioner(store)
    with pytest.raises(DomainError, check=lambda error: (error.code, error.field) == ("invalid", field)):
        await decide(store, owner, cap, *barred)
    assert (await store.policies.of(owner)).version == 0


@pytest.mark.parametrize("role", ["practitioner", "assistant", "auditor", "support", "department_administrator"])
async def test_others_decide_nothing(store: Store, role: MemberRole) -> None:
    person, owner = await practitioner(store)
    await store.organisation.set_roles(owner, person.id, [role])
    with pytest.raises(DomainError, match="not_found"):
        await decide(store, await scope_of(store, person.id), "7d")


async def test_an_organisation_that_ends_decides_and_invites_nothing_more(store: Store) -> None:
    _, owner = await practitioner(store)
    await store.endings.begin(owner)
    for refused in (
        decide(store, owner, "7d"),
        store.invitations.invite(owner, "new@example.org", ["assistant"], "nl", telling(store)),
        store.departments.make(owner, "Neurologie"),
        store.mail_servers.write(owner, ACCESS, 0, port_is_free=True),
        store.sms_providers.write(owner, WAY, 0, port_is_free=False),
    ):
        with pytest.raises(DomainError, match="closing"):
            await refused


async def test_no_order_of_settings_and_caps_keeps_longer_than_a_cap_that_was(store: Store) -> None:
    """Whatever is chosen and decided: a cap that was holds for what was planned then."""
    dice, caps = Random(29), []
    person, owner = await practitioner(store)
    one = await plan(store, person, days=1)
    for _ in range(40):
        value = dice.choice([*CAPS[2:], None])
        if dice.random() < 0.5:
            await decide(store, owner, value)
            caps += [value] if value else []
        else:
            with suppress(DomainError):
                await store.practitioners.set_retention(of(person.id), value or LONGEST)
        kept, spans = await due(store, one), [RETENTION[cap] for cap in caps]
        assert all(kept is not None and span is not None and kept <= span for span in spans)
    assert len(set(caps)) == len(CAPS[2:])
