"""One damaged row: it is said in its place, and the others are as they were."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from practice.accounts.model import Practitioner
from practice.accounts.records import practitioners, profile_place
from practice.agenda.model import Appointment
from practice.agenda.records import appointments, content_place
from practice.kinds import KINDS
from practice.storage import Store
from tests.opening import of, open_store
from tests.people import PASSWORD, START, Time, alice, charlie, plan
from vault import keystore
from vault.audit import PATIENT, Act, appointment
from vault.errors import DomainError
from vault.keys.envelope import pack, seal
from vault.records.records import Damaged
from vault.records.scope import SERVER, Scope
from vault.settings import VaultSettings

DAY = START.date()
Damage = Callable[[Store, Appointment], Awaitable[None]]


async def put(store: Store, one: Appointment, content: bytes) -> None:
    async with store.database.write() as connection:
        await connection.execute(update(appointments).where(appointments.c.id == one.id).values(content=content))


async def garbled(store: Store, one: Appointment) -> None:
    await put(store, one, b"x" * 300)


async def cut_off(store: Store, one: Appointment) -> None:
    await put(store, one, b"")


async def of_another_version(store: Store, one: Appointment) -> None:
    """Sealed as it must be, with fields that this version does not know."""
    key, _ = await store.keys.get(one.owner, one.id)
    await put(store, one, seal(key, pack({"subject": "x"}), content_place(one.id, one.owner)))


async def with_a_time_that_is_none(store: Store, one: Appointment) -> None:
    key, _ = await store.keys.get(one.owner, one.id)
    fields = {"patient": "x", "starts_at": "yesterday", "minutes": 30, "language": "nl"}
    await put(store, one, seal(key, pack(fields), content_place(one.id, one.owner)))


async def no_json(store: Store, one: Appointment) -> None:
    key, _ = await store.keys.get(one.owner, one.id)
    await put(store, one, seal(key, b"[1]", content_place(one.id, one.owner)))


async def key_garbled(store: Store, one: Appointment) -> None:
    await store.keys._run(lambda keys: keys._db.execute("UPDATE data_keys SET wrapped = x'00' WHERE id = ?", (one.id,)))


async def key_lost(store: Store, one: Appointment) -> None:
    await store.keys._run(lambda keys: keys._db.execute("DELETE FROM data_keys WHERE id = ?", (one.id,)))


DAMAGES = (garbled, cut_off, of_another_version, with_a_time_that_is_none, no_json, key_garbled, key_lost)


async def damaged_ones(store: Store, owner: str) -> list[str]:
    return sorted(one.id for one in (await store.appointments.agenda(of(owner), DAY, DAY)).damaged)


async def test_damaged_appointments_are_said_and_hide_no_other(store: Store) -> None:
    person = await alice(store)
    first = await plan(store, person, "first")
    bad = [await plan(store, person, "bad") for _ in DAMAGES]
    last = await plan(store, person, "last", hours=2)
    for damage, one in zip(DAMAGES, bad, strict=True):
        await damage(store, one)
    agenda = await store.appointments.agenda(of(person.id), DAY, DAY)
    assert agenda.appointments == [first, last]
    assert sorted(agenda.damaged, key=lambda one: one.id) == [
        Damaged(one.id, person.id, "planned") for one in sorted(bad, key=lambda one: one.id)
    ]
    for one in bad:
        for attempt in (
            store.appointments.get(of(person.id), one.id),
            store.appointments.get(Scope.guest(one.id), one.id),
            store.appointments.end(Scope.consult(one.id, one.owner), one.id),
            store.appointments.reopen(of(person.id), one.id),
        ):
            with pytest.raises(DomainError, match="unreadable"):
                await attempt
        assert await store.appointments.by_link(Scope.guest(one.id), one.secret) is None
    assert store.retention.damage == (0, len(DAMAGES))
    assert (await store.retention.status()).unreadable == len(DAMAGES)
    for one in bad:
        await store.retention.destroy(of(person.id), one.id)
    assert await damaged_ones(store, person.id) == []
    assert store.retention.damage == (0, 0)
    assert await store.appointments.list(of(person.id), DAY, DAY) == [first, last]
    with pytest.raises(DomainError, match="gone"):
        await store.appointments.get(of(person.id), bad[0].id)


@pytest.mark.parametrize("damage", DAMAGES)
async def test_sweeping_rescheduling_and_looking_go_on_beside_a_damaged_one(
    store: Store, time: Time, damage: Damage
) -> None:
    person = await alice(store)
    bad, due, later = await plan(store, person), await plan(store, person), await plan(store, person, hours=50)
    await damage(store, bad)
    assert await store.practitioners.set_retention(of(person.id), "24h") == 0
    time.pass_(hours=30)
    assert await store.retention.sweep() == 1
    with pytest.raises(DomainError, match="gone"):
        await store.appointments.get(of(person.id), due.id)
    assert (await store.appointments.get(of(person.id), later.id)).due == later.ends_at + timedelta(
        hours=24, minutes=30
    )
    assert await damaged_ones(store, person.id) == [bad.id], "never destroyed unasked: it may be the wrong key store"
    emptied = await store.retention.destroy_all(of(person.id))
    assert (emptied.destroyed, emptied.waiting) == (2, 0)
    assert await damaged_ones(store, person.id) == []


async def test_a_row_that_is_mended_is_no_alarm_any_more(store: Store) -> None:
    person = await alice(store)
    one = await plan(store, person)
    async with store.database.read() as connection:
        whole = (await connection.execute(appointments.select())).one().content
    await garbled(store, one)
    assert await damaged_ones(store, person.id) == [one.id]
    await put(store, one, whole)
    assert await store.appointments.get(of(person.id), one.id) == one
    assert store.retention.damage == (0, 0)


async def test_keys_verify_names_what_does_not_open(settings: VaultSettings, time: Time) -> None:
    async with open_store(settings, now=time.now, boot=time.boottime) as store:
        person = await alice(store)
        await plan(store, person)
        assert (await keystore.verify(settings, KINDS, time.now)).findings == ()
        await garbled(store, await plan(store, person))
        await of_another_version(store, await plan(store, person))
        (finding,) = (await keystore.verify(settings, KINDS, time.now)).findings
        assert finding.startswith("Appointments that cannot be read: 2.")
        await store.keys._run(
            lambda keys: keys._db.execute("UPDATE data_keys SET wrapped = x'00' WHERE id = ?", (person.id,))
        )
        findings = (await keystore.verify(settings, KINDS, time.now)).findings
        assert any(one.startswith("Practitioners whose") for one in findings) or any("Data keys" in f for f in findings)


async def test_losing_a_race_between_two_sweepers_is_one_calm_line(
    settings: VaultSettings, time: Time, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        open_store(settings, now=time.now, boot=time.boottime) as store,
        open_store(settings, now=time.now, boot=time.boottime, exclusive=False) as other,
    ):
        person = await alice(store)
        for _ in range(3):
            await plan(store, person)
        time.pass_(days=40)
        real = other.keys.get_many

        async def slow(wanted: object) -> dict[str, bytes]:
            """The rows were read; the other server is quicker."""
            await store.retention.destroy_all(of(person.id))
            return await real(wanted)  # type: ignore[arg-type]  # it is handed on

        monkeypatch.setattr(other.keys, "get_many", slow)
        caplog.clear()
        with caplog.at_level("DEBUG", "vault"):
            assert await other.retention.sweep() == 0
        lines = [record for record in caplog.records if record.name.startswith(("practice", "vault"))]
        assert lines[0].getMessage() == "another server destroyed these first"
        assert all(line.levelname == "INFO" and line.exc_info is None for line in lines)
        assert other.retention.damage == (0, 0)


async def test_what_another_server_destroyed_is_no_alarm_of_this_one_any_more(
    settings: VaultSettings, time: Time
) -> None:
    async with (
        open_store(settings, now=time.now, boot=time.boottime) as store,
        open_store(settings, now=time.now, boot=time.boottime, exclusive=False) as other,
    ):
        person = await alice(store)
        bad, still = await plan(store, person), await plan(store, person)
        for one in (bad, still):
            await garbled(store, one)
            for each in (store, other):
                with pytest.raises(DomainError, match="unreadable"):
                    await each.appointments.get(of(person.id), one.id)
        await other.retention.destroy(of(person.id), bad.id)
        assert (store.retention.damage, other.retention.damage) == ((0, 2), (0, 1))
        await other.retention.sweep()
        await store.retention.sweep()
        assert (store.retention.damage, other.retention.damage) == ((0, 1), (0, 1))
        assert (await store.retention.status()).unreadable == 1


async def test_a_damaged_key_keeps_no_epoch_back(store: Store) -> None:
    person, other = await alice(store), await charlie(store)
    kept, theirs = await plan(store, person), await plan(store, other)
    await key_garbled(store, await plan(store, person))
    await store.keys._run(
        lambda keys: keys._db.execute(
            "UPDATE practitioner_keys SET wrapped = x'00', stale = 1 WHERE id = ?", (other.id,)
        )
    )
    gone = await plan(store, person)
    before = await store.keys._run(lambda keys: keys._epochs.number())
    await store.retention.destroy(of(person.id), gone.id)
    assert await store.keys.rotate()
    assert await store.keys._run(lambda keys: keys._epochs.number()) == before + 1
    assert not await store.keys.rotate(), "nothing is left to be renewed"
    assert await store.appointments.get(of(person.id), kept.id) == kept
    with pytest.raises(DomainError, match="unreadable"):
        await store.appointments.get(of(other.id), theirs.id)


async def profile_garbled(store: Store, person: Practitioner) -> None:
    await put_person(store, person, profile=b"x" * 300)


async def profile_of_another_version(store: Store, person: Practitioner) -> None:
    key, _ = await store.keys.get(person.id, person.id)
    await put_person(store, person, profile=seal(key, pack({"subject": "x"}), profile_place(person.id)))


async def password_garbled(store: Store, person: Practitioner) -> None:
    await put_person(store, person, password=b"")


async def key_of_person_garbled(store: Store, person: Practitioner) -> None:
    await store.keys._run(
        lambda keys: keys._db.execute("UPDATE practitioner_keys SET wrapped = x'00' WHERE id = ?", (person.id,))
    )


async def put_person(store: Store, person: Practitioner, **columns: bytes) -> None:
    async with store.database.write() as connection:
        await connection.execute(update(practitioners).where(practitioners.c.id == person.id).values(columns))


@pytest.mark.parametrize(
    "damage", [profile_garbled, profile_of_another_version, password_garbled, key_of_person_garbled]
)
async def test_a_damaged_account_is_said_and_everybody_else_goes_on(
    sqlite_store: Store, damage: Callable[[Store, Practitioner], Awaitable[None]]
) -> None:
    store = sqlite_store
    person, other = await alice(store), await charlie(store)
    await plan(store, person)
    theirs = await plan(store, other)
    await damage(store, person)
    for _ in range(2):
        with pytest.raises(DomainError, match="unreadable"):
            await store.practitioners.authenticate(person.mail, PASSWORD)
    assert store.retention.damage == (0, 1)
    assert (await store.retention.status()).unreadable == 1
    if damage is password_garbled:
        assert await store.practitioners.get(of(person.id)) == person
        assert store.retention.damage == (0, 1), "nobody can sign in"
    else:
        for attempt in (
            store.practitioners.get(of(person.id)),
            store.practitioners.by_mail(SERVER, person.mail),
            store.practitioners.set_retention(of(person.id), "7d"),
            plan(store, person),
        ):
            with pytest.raises(DomainError, match="unreadable"):
                await attempt
    await store.practitioners.reschedule_all(SERVER)
    await store.retention.sweep()
    assert await store.practitioners.authenticate(other.mail, PASSWORD) == other
    assert await store.appointments.list(of(other.id), DAY, DAY) == [theirs]
    assert await store.practitioners.id_by_mail(SERVER, person.mail) == person.id, "so that it can be closed"
    if damage is key_of_person_garbled:
        return  # nothing can be sealed under it: the key store comes from a snapshot
    await store.retention.close(of(person.id))
    assert await store.practitioners.id_by_mail(SERVER, person.mail) is None
    assert store.retention.damage == (0, 0)


async def own_key_garbled(store: Store, person: Practitioner) -> None:
    await store.keys._run(
        lambda keys: keys._db.execute("UPDATE data_keys SET wrapped = x'00' WHERE id = ?", (person.id,))
    )


async def own_key_gone(store: Store, person: Practitioner) -> None:
    await store.keys._run(lambda keys: keys._db.execute("DELETE FROM data_keys WHERE id = ?", (person.id,)))


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (profile_garbled, "unreadable"),
        (own_key_garbled, "unreadable"),
        (own_key_gone, "not_found"),
    ],
)
async def test_a_link_opens_though_nobody_can_say_whose_it_is(
    sqlite_store: Store, damage: Callable[[Store, Practitioner], Awaitable[None]], code: str
) -> None:
    store = sqlite_store
    person = await alice(store)
    planned = await plan(store, person)
    whole = await store.appointments.by_link(Scope.guest(planned.id), planned.secret)
    assert whole is not None and await whole.host() == person
    await damage(store, person)
    visit = await store.appointments.by_link(Scope.guest(planned.id), planned.secret)
    assert visit is not None and visit.appointment == planned
    with pytest.raises(DomainError, match=code):
        await visit.host()
    assert store.retention.damage == (0, 1 if code == "unreadable" else 0)
    await store.audit.record(Act.LINK_OPENED, PATIENT, visit.subject)
    (entry,) = [one async for one in store.audit.entries()]
    assert entry.subject_name == await store.audit.name(appointment(person.id, planned.id))
    assert entry.subject_name is not None


async def test_an_account_that_was_restored_raises_no_alarm_any_more(sqlite_store: Store) -> None:
    store = sqlite_store
    person = await alice(store)
    async with store.database.read() as connection:
        whole = (await connection.execute(select(practitioners.c.profile))).scalar_one()
    await profile_garbled(store, person)
    with pytest.raises(DomainError, match="unreadable"):
        await store.practitioners.get(of(person.id))
    await put_person(store, person, profile=whole)
    assert await store.practitioners.get(of(person.id)) == person
    assert store.retention.damage == (0, 0)


@pytest.mark.parametrize("day", ["", "garbage", "2026-99-99", 5])
async def test_a_day_that_is_none_stops_nothing(sqlite_store: Store, time: Time, day: object) -> None:
    store = sqlite_store
    person = await alice(store)
    odd, other = await plan(store, person, "odd"), await plan(store, person, "other")
    async with store.database.write() as connection:
        await connection.exec_driver_sql("UPDATE appointments SET due_day = ? WHERE id = ?", (day, odd.id))
    assert await store.appointments.get(of(person.id), odd.id) == odd
    found = await store.appointments.by_link(Scope.guest(odd.id), odd.secret)
    assert found is not None and found.appointment == odd
    await store.retention.sweep()
    await store.practitioners.set_retention(of(person.id), "7d")  # writes the day anew
    time.pass_(days=8)
    assert await store.retention.sweep() == 2
    for one in (odd, other):
        with pytest.raises(DomainError, match="gone"):
            await store.appointments.get(of(person.id), one.id)
