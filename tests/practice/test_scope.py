"""No call gets at what its scope does not cover: two practitioners, every method, the ids of both, in any order."""

import asyncio
import inspect
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field, fields
from datetime import date, timedelta
from itertools import count
from typing import Any

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import strategies as st
from sqlalchemy import select

from practice.accounts.model import RETENTION, Practitioner
from practice.accounts.store import Practitioners
from practice.agenda.model import Appointment
from practice.agenda.store import Agenda, Appointments
from practice.agenda.visit import Visit
from practice.kinds import KINDS
from practice.sentences.model import Said, Sentence
from practice.storage import Storage, Store
from tests.opening import open_store
from tests.ours import FOLDERS, ROOT
from tests.people import PASSWORD, START, Time
from vault.database.tables import metadata
from vault.destruction.closure import Emptied
from vault.destruction.sweeper import Sweeper
from vault.errors import DomainError
from vault.keys.receipt import Receipt
from vault.records.content import new_id
from vault.records.records import Damaged
from vault.records.scope import SERVER, Scope
from vault.settings import VaultSettings
from vault.vault import Vault

BELOW = {one.name for one in fields(Vault)} - {"audit"}
"""Parts of a store under its records: they know of rows and keys, and of nobody."""

WITHOUT = {
    "practitioners.add": "makes an account and gives what it was given",
    "practitioners.authenticate": "nobody is known yet; the password is the proof",
    **dict.fromkeys(
        (
            f"sessions.{one}"
            for one in ("create", "practitioner", "reference", "lives", "use", "end", "end_all", "bounds", "purge")
        ),
        "of no record; a token, or what stands for it, is the proof",
    ),
    **dict.fromkeys(
        (f"audit.{one}" for one in ("record", "record_all", "entries", "name", "verify", "tidy", "anchor")),
        "the trail has pseudonyms and no record; pages have no way to it",
    ),
    **dict.fromkeys(
        (f"retention.{one}" for one in ("catch_up", "run", "sweep", "resume", "status", "due", "compare")),
        "the server's own work on all that there is: it gives counts",
    ),
}
"""Methods of a store that take no scope, and why."""

FIRST, LAST = date(2020, 1, 1), date(2040, 1, 1)


# --- what there is ---------------------------------------------------------------------------------------------------


def public() -> Iterator[tuple[str, Callable[..., Any]]]:
    """All that can be asked of a store's parts, as ``part.method``."""
    hints = {name: hint for one in (Vault, Storage, Store) for name, hint in inspect.get_annotations(one).items()}
    assert set(hints) == {one.name for one in fields(Store)}
    for name, part in hints.items():
        if name not in BELOW:
            for method, call in inspect.getmembers(part, inspect.isfunction):
                if not method.startswith("_"):
                    yield f"{name}.{method}", call


def demands(call: Callable[..., Any]) -> bool:
    """Whether the first that it takes is a scope, which has no default."""
    parameters = list(inspect.signature(call).parameters.values())[1:]
    return bool(parameters) and parameters[0].annotation is Scope and parameters[0].default is inspect.Parameter.empty


def test_every_method_demands_a_scope_or_says_why_not() -> None:
    found = dict(public())
    assert {"appointments.get", "practitioners.get", "retention.destroy", "sessions.create"} <= set(found)
    assert [name for name, call in found.items() if not demands(call) and name not in WITHOUT] == []
    assert [name for name in WITHOUT if name not in found or demands(found[name])] == [], "these are no exceptions"


@pytest.mark.parametrize("call", [Appointments.get, Appointments.agenda, Practitioners.get, Sweeper.destroy])
def test_a_method_whose_scope_may_be_left_out_is_found(call: Callable[..., Any]) -> None:
    async def careless(self: Any, scope: Scope = SERVER) -> None: ...

    async def forgetful(self: Any, owner: str) -> None: ...

    assert (demands(call), demands(careless), demands(forgetful)) == (True, False, False)


def test_a_scope_is_made_in_two_places_only() -> None:
    """Where a session, ticket, link or consult is known, and in commands."""
    makers, servers = set(), set()
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*.py"):
            name, text = str(path.relative_to(ROOT)), path.read_text()
            if re.search(r"\bScope(\.\w+)?\(", text):
                makers.add(name)
            if re.search(r"^from vault\.records\.scope import .*SERVER", text, re.MULTILINE):
                servers.add(name)
    assert makers == {"vault/records/scope.py", "signaling/scopes.py", "operate/commands/storage.py"}
    assert servers == {"vault/destruction/sweeper.py", "operate/demo.py"}


# --- no call crosses -------------------------------------------------------------------------------------------------


@dataclass
class Person:
    """A practitioner and all ids that ever were theirs."""

    id: str
    mail: str
    records: dict[str, str] = field(default_factory=dict)
    """The secrets of appointments, by id; sentences have none."""

    def note(self, one: Appointment) -> None:
        self.records[one.id] = self.secret = one.secret
        self.planned = one.id

    @property
    def said(self) -> str:
        """What they say to who waits."""
        return f"Welkom bij {self.mail}."


Call = Callable[[Store, Scope, str, Person], Awaitable[Any]]

CALLS: dict[str, Call] = {
    "appointments.create": lambda store, scope, _, me: planned(store, scope, me),
    "appointments.get": lambda store, scope, row, _: store.appointments.get(scope, row),
    "appointments.by_link": lambda store, scope, _, me: store.appointments.by_link(scope, me.secret),
    "appointments.list": lambda store, scope, *_: store.appointments.list(scope, FIRST, LAST),
    "appointments.agenda": lambda store, scope, *_: store.appointments.agenda(scope, FIRST, LAST),
    "appointments.end": lambda store, scope, row, _: store.appointments.end(scope, row),
    "appointments.reopen": lambda store, scope, row, _: store.appointments.reopen(scope, row),
    "appointments.receipts": lambda store, scope, *_: store.appointments.receipts(scope),
    "sentences.of": lambda store, scope, *_: store.sentences.of(scope),
    "sentences.say": lambda store, scope, _, me: store.sentences.say(scope, "nl", me.said),
    "sentences.for_waiting": lambda store, scope, _, me: for_waiting(store, scope, me),
    "practitioners.get": lambda store, scope, *_: store.practitioners.get(scope),
    "practitioners.by_mail": lambda store, scope, _, me: store.practitioners.by_mail(scope, me.mail),
    "practitioners.id_by_mail": lambda store, scope, _, me: store.practitioners.id_by_mail(scope, me.mail),
    "practitioners.preview_retention": lambda store, scope, *_: store.practitioners.preview_retention(scope, "end"),
    "practitioners.set_retention": lambda store, scope, row, _: store.practitioners.set_retention(scope, setting(row)),
    "practitioners.reschedule_all": lambda store, scope, *_: store.practitioners.reschedule_all(scope),
    "practitioners.reschedule_behind": lambda store, scope, *_: store.practitioners.reschedule_behind(scope),
    "retention.destroy": lambda store, scope, row, _: store.retention.destroy(scope, row),
    "retention.destroy_all": lambda store, scope, *_: store.retention.destroy_all(scope),
    "retention.close": lambda store, scope, *_: store.retention.close(scope),
    "retention.request_closure": lambda store, scope, *_: store.retention.request_closure(scope),
}
"""Every method that demands a scope, called with one and an id."""

SELDOM = {"retention.close", "retention.request_closure"}
"""Nothing happens after these."""


def test_every_method_with_a_scope_is_called_below() -> None:
    assert set(CALLS) == {name for name, call in public() if demands(call)}


async def planned(store: Store, scope: Scope, me: Person) -> Appointment:
    made = await store.appointments.create(scope, "Jan Jansen", START + timedelta(hours=1), 30, "nl")
    me.note(made)
    return made


async def for_waiting(store: Store, scope: Scope, me: Person) -> str | None:
    visit = await store.appointments.by_link(Scope.guest(me.planned), me.secret)
    return await store.sentences.for_waiting(scope, visit, "nl") if visit else None


def setting(row: str) -> Any:
    return sorted(RETENTION)[ord(row[0]) % len(RETENTION)]


@dataclass(frozen=True)
class Step:
    """One call: of which method, in what role, with which of whose ids."""

    method: str
    role: str
    foreign: bool
    which: int


ROLES = ("practitioner", "operator", "guest", "consult")
EACH = [
    *(Step("retention.destroy", role, True, which) for role in ROLES for which in range(4)),
    *(Step(one, role, True, 2) for one in sorted(CALLS, key=SELDOM.__contains__) for role in ROLES),
]
"""Each method in each role, with an id of the other's."""

STEPS = st.builds(
    Step,
    st.sampled_from([one for one in CALLS for _ in range(1 if one in SELDOM else 4)]),
    st.sampled_from(ROLES),
    st.booleans(),
    st.integers(0, 9),
)


async def outcome(awaited: Awaitable[Any]) -> Any:
    """What a call gave, or the code with which it refused."""
    try:
        return await awaited
    except DomainError as error:
        return error.code


def scope_for(step: Step, me: Person, row: str) -> Scope:
    match step.role:
        case "practitioner":
            return Scope.practitioner(me.id)
        case "operator":
            return Scope.operator(me.id)
        case "guest":
            return Scope.guest(row)
        case _:
            return Scope.consult(row, me.id)


def owners_and_ids(found: Any) -> Iterator[tuple[str, str]]:
    """Whose records came back, and which."""
    match found:
        case Appointment() | Damaged() | Sentence():
            yield found.owner, found.id
        case Practitioner():
            yield found.id, found.id
        case Visit():
            yield from owners_and_ids(found.appointment)
        case Said():
            yield from owners_and_ids([*found.sentences, *found.damaged])
        case Agenda():
            yield from owners_and_ids([*found.appointments, *found.damaged])
        case list() | tuple():
            for one in found:
                yield from owners_and_ids(one)


async def everything(store: Store, person: Person) -> dict[str, Any]:
    """All that is stored of somebody: rows of every table, keys, receipts."""
    found: dict[str, Any] = {}
    async with store.database.read() as connection:
        for table in metadata.sorted_tables:
            column = table.c.get("owner") if "owner" in table.c else table.c.get("practitioner")
            column = table.c.id if table.name == "practitioners" else column
            if column is not None:
                rows = await connection.execute(select(table).where(column == person.id).order_by(*table.primary_key))
                found[table.name] = rows.all()
    ids = [person.id, *person.records]
    return found | {"keyless": await store.keys.missing(ids), "receipts": await store.keys.receipts(person.id)}


async def records(store: Store, person: Person) -> int:
    """How many there are, of all kinds."""
    found = await everything(store, person)
    return sum(len(found[kind.table.name]) for kind in KINDS)


async def play(store: Store, mails: Iterator[int], steps: list[tuple[int, Step]]) -> None:
    people = []
    for name in ("alice", "charlie"):
        mail = f"{name}-{next(mails)}@example.org"
        made = await store.practitioners.add(mail, PASSWORD, name, "nl")
        people.append(Person(made.id, mail))
        for _ in range(3):
            await planned(store, Scope.practitioner(made.id), people[-1])
        sentence = await store.sentences.say(Scope.practitioner(made.id), "nl", people[-1].said)
        people[-1].records[sentence.id] = ""
        ended, gone = list(people[-1].records)[:2]
        await store.appointments.end(Scope.consult(ended, made.id), ended)
        await store.retention.destroy(Scope.practitioner(made.id), gone)
    for who, step in steps:
        await take(store, people[who], people[1 - who], step)


async def take(store: Store, me: Person, other: Person, step: Step) -> None:
    whose = other if step.foreign else me
    row = list(whose.records)[step.which % len(whose.records)]
    call, scope = CALLS[step.method], scope_for(step, me, row)
    theirs, mine = await everything(store, other), await records(store, me)
    if step.foreign and step.role != "guest" and takes_id(step):
        nowhere = new_id()
        unknown = await outcome(call(store, scope_for(step, me, nowhere), nowhere, me))
        assert await outcome(call(store, scope, row, me)) == unknown == "not_found", "as good as none"
    else:
        found = await outcome(call(store, scope, row, me))
        for owner, one in owners_and_ids(found):
            assert scope.covers(owner, one) or owner == scope.person, step
        ours = await store.keys.receipts(me.id)
        for one in found if isinstance(found, list) else [found]:
            assert not isinstance(one, Receipt) or one in ours, step
        if isinstance(found, Emptied):
            assert found.destroyed + found.waiting <= mine, step
        if isinstance(found, int):
            assert 0 <= found <= mine, step
        if step.method == "sentences.for_waiting":
            assert found in (None, "not_found", me.said), step
        if step.method.endswith("by_mail"):
            assert (found == "not_found") == (step.role != "operator")
    assert await everything(store, other) == theirs, step


def takes_id(step: Step) -> bool:
    return step.method in ("appointments.get", "appointments.end", "appointments.reopen", "retention.destroy")


def test_no_call_crosses(settings: VaultSettings, time: Time) -> None:
    """On PostgreSQL fewer: what differs there is how a query is sent."""
    examples = 10 if settings.database().get_backend_name() == "sqlite" else 2
    loop, mails = asyncio.new_event_loop(), count()
    opening = open_store(settings, now=time.now, boot=time.boottime)
    store = loop.run_until_complete(opening.__aenter__())

    @hypothesis.settings(
        max_examples=examples, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
    )
    @given(st.lists(st.tuples(st.integers(0, 1), STEPS), min_size=1, max_size=8))
    def cross(steps: list[tuple[int, Step]]) -> None:
        loop.run_until_complete(play(store, mails, steps))

    try:
        loop.run_until_complete(play(store, mails, [(0, one) for one in EACH]))
        cross()
    finally:
        loop.run_until_complete(opening.__aexit__(None, None, None))
        loop.close()


@pytest.mark.parametrize("scope", [SERVER, Scope.operator(), Scope.guest("A" * 22), Scope.consult("A" * 22, "B" * 22)])
async def test_what_is_nobodys_alone_has_no_agenda_receipts_or_account(sqlite_store: Store, scope: Scope) -> None:
    store = sqlite_store
    for call in (
        store.appointments.list(scope, FIRST, LAST),
        store.appointments.agenda(scope, FIRST, LAST),
        store.appointments.receipts(scope),
        store.appointments.create(scope, "Jan", START + timedelta(hours=1), 30, "nl"),
        store.practitioners.get(scope),
        store.practitioners.preview_retention(scope, "end"),
        store.practitioners.set_retention(scope, "end"),
        store.retention.destroy(scope, "A" * 22),
        store.retention.destroy_all(scope),
        store.retention.close(scope),
        store.retention.request_closure(scope),
    ):
        with pytest.raises(DomainError, match="not_found"):
            await call


def test_the_server_itself_gets_at_no_record() -> None:
    assert not SERVER.covers("owner", "row")
