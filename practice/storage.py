"""Storage of the domain: one ``Store`` per process.

    async with open_storage(settings, in_progress=live.are_live) as storage:   # reads and writes, destroys nothing
        signaling = attach(storage)                                           # what consults are made of
        store = storage.destroying(on_destroy=signaling.destroyed, on_close=signaling.sign_out)
        await store.retention.catch_up()                                      # before the port opens
        task_group.create_task(store.retention.run())

    in_progress: async (appointment ids) -> ids | None          # consults that are waited for; None: nobody can say
    on_destroy:  async (appointment ids) -> {id: fault}         # caches, traces in Redis
    on_close:    async (practitioner id) -> None                # the same of an account

    async with open_store(settings, in_progress=…, on_destroy=…, on_close=…) as store:   # where all are known before

    store.locked -> str | None                       # a sentence for the operator; every call then raises code `locked`
    await store.ping()                               # raises DomainError("try_again") when the database does not answer

    scope                                            # whose records: ``vault.records.scope``

    store.practitioners
        add(mail, password, display_name, language, retention="30d") -> Practitioner   # `conflict`, `invalid`
        authenticate(mail, password) -> Practitioner | None        # argon2id; the same work for an unknown address
        get(scope) -> Practitioner                                  # `not_found`
        by_mail(scope, mail) -> Practitioner | None;  id_by_mail(scope, mail) -> id | None  # also damaged
        preview_retention(scope, setting) -> int                    # living appointments it destroys within 60 s
        set_retention(scope, setting) -> int                        # the same number, done
        reschedule_all(scope);  reschedule_behind(scope)            # for the sweeper
    store.sessions
        create(practitioner_id) -> token;  practitioner(token) -> id | None;  end(token);  end_all(practitioner_id)
        reference(token) -> text;  lives(reference) -> bool;  use(references) -> those that have ended
        purge();  bounds() -> what makes one expired                # for the sweeper
    store.appointments
        create(scope, patient, starts_at, minutes, language) -> Appointment             # `invalid`
        get(scope, id) -> Appointment                # `not_found`; `gone` once destroyed or past due; `unreadable`
        list(scope, first_day, last_day) -> list[Appointment]       # inclusive local days, sorted by start
        agenda(scope, first_day, last_day) -> Agenda                # the same, and what cannot be read
        by_link(scope, secret) -> Visit | None                      # constant work
        end(scope, id) -> Appointment                               # idempotent: the first end counts
        reopen(scope, id) -> Appointment                            # takes an end back
        receipts(scope) -> list[Receipt]                            # newest first
    store.sentences
        of(scope) -> Said;  say(scope, language, text) -> Sentence                      # `invalid`
        for_waiting(scope, visit, language) -> str | None
    store.retention
        destroy(scope, id) -> Receipt;  sweep() -> int;  run();  catch_up() -> int;  status() -> RetentionStatus
        destroy_all(scope) -> Emptied;  close(scope) -> Closed      # by the same way; running consults are waited for
        request_closure(scope)                                      # for a command: a running server does the rest
        resume()                                                    # the operator confirms the clock
        due() -> int;  compare() -> int                             # past due now; rows that differ from their keys
    store.audit
        record(act, by, on=None, detail=None);  record_all(drafts)  # who did what to which object: ``vault.audit``
        entries(first, last, act);  name(party) -> text | None;  verify() -> TrailReport;  tidy() -> int;  anchor()

Times are aware; ``now`` returns aware UTC. Errors are ``DomainError`` with a code; ``open_storage`` raises
``StartRefused``, whose text is one sentence.
With ``exclusive=False`` (a command beside a running server) the data folder is not locked.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from practice.accounts.people import People
from practice.accounts.sessions import Sessions
from practice.accounts.store import Practitioners
from practice.agenda.due_times import DueTimes, Planned
from practice.agenda.starts import Starts
from practice.agenda.store import Appointments
from practice.kinds import KINDS
from practice.sentences.store import Sentences
from vault.clock import Now, boottime, utc_now
from vault.destruction.deadline import AllTold, InProgress, Told
from vault.destruction.sweeper import Sweeper
from vault.settings import VaultSettings
from vault.vault import Vault, open_vault

__all__ = ["Storage", "Store", "open_storage", "open_store"]


@dataclass(frozen=True)
class Storage(Vault):
    """All that is stored, to be read and written. Nothing here destroys."""

    practitioners: Practitioners
    sessions: Sessions
    appointments: Appointments
    sentences: Sentences

    def destroying(self, *, on_destroy: AllTold, on_close: Told) -> "Store":
        """The same with what destroys: ``on_destroy`` clears what is kept elsewhere of an appointment, ``on_close`` of
        a practitioner.
        """
        retention = self.sweeper(
            on_destroy=on_destroy, on_close=on_close, settling=self.practitioners, expiring=self.sessions
        )
        return Store(**vars(self), retention=retention)


@dataclass(frozen=True)
class Store(Storage):
    """All storage of the domain."""

    retention: Sweeper


@asynccontextmanager
async def open_store(
    settings: VaultSettings,
    *,
    in_progress: InProgress,
    on_destroy: AllTold,
    on_close: Told,
    now: Now = utc_now,
    boot: Callable[[], float] = boottime,
    exclusive: bool = True,
) -> AsyncIterator[Store]:
    """``open_storage`` and what destroys, for whoever knows all of it before."""
    async with open_storage(settings, in_progress=in_progress, now=now, boot=boot, exclusive=exclusive) as storage:
        yield storage.destroying(on_destroy=on_destroy, on_close=on_close)


@asynccontextmanager
async def open_storage(
    settings: VaultSettings,
    *,
    in_progress: InProgress,
    now: Now = utc_now,
    boot: Callable[[], float] = boottime,
    exclusive: bool = True,
) -> AsyncIterator[Storage]:
    """Open everything, migrated. Errors: StartRefused. A key store that cannot be used gives a locked store."""
    starts = Starts()
    async with open_vault(
        settings, KINDS, in_progress=in_progress, on_forget=starts.forget, now=now, boot=boot, exclusive=exclusive
    ) as vault:
        yield assemble(vault, starts)


def assemble(vault: Vault, starts: Starts) -> Storage:
    """Put the contexts' parts together."""
    database, keys, reader, now = vault.database, vault.keys, vault.reader, vault.clock.wall
    people, due_times = People(keys, reader), DueTimes(vault.clock, vault.settings.retention_cap)
    return Storage(
        **vars(vault),
        practitioners=Practitioners(database, keys, people, Planned(reader, due_times), now),
        sessions=Sessions(database, keys, now),
        appointments=Appointments(
            database, keys, reader, people, starts, vault.deadline, due_times, now, vault.reserve, vault.wake.set
        ),
        sentences=Sentences(database, keys, reader, people, now, vault.reserve),
    )
