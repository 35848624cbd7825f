"""No call gets at what its scope does not cover: two people of two organisations, every method, role and id."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any, get_args

import hypothesis
import psycopg
from hypothesis import HealthCheck, Phase, given
from hypothesis import strategies as st
from sqlalchemy import BindParameter, bindparam, func, literal, select

from practice.agenda.model import Agenda, Appointment
from practice.kinds import KINDS
from practice.organisation.model import MemberRole
from practice.requests.model import Filing
from practice.sights.model import Sight
from practice.sights.records import SIGHTS
from practice.storage import Store
from tests.opening import open_store
from tests.organisations import OPERATOR, PRACTICE, join
from tests.organisations import found as found_organisation
from tests.people import PASSWORD, Time
from tests.practice.calls import CALLS, NAME, SELDOM, Person, decided, invited, listed, passkey, planned, sent_by
from tests.practice.outcomes import outcome
from tests.practice.test_scope_demanded import demands, public
from tests.practice.whose import owners_and_ids
from vault.database.tables import metadata
from vault.destruction.closure import Emptied
from vault.keys.receipt import Receipt
from vault.records.content import new_id
from vault.records.scope import Scope
from vault.records.writing import Writer, always
from vault.settings import VaultSettings

SERVERS: list[str] = []
"""The organisations of servers, which an operator gets at, and of which neither of the two is a member."""


def servers(scope: Scope, owner: str) -> bool:
    return scope.role == "operator" and owner in SERVERS


# --- no call crosses -------------------------------------------------------------------------------------------------


def test_every_method_with_a_scope_is_called_below() -> None:
    assert set(CALLS) == {name for name, call in public() if demands(call)}


@dataclass(frozen=True)
class Step:
    """One call: of which method, in what role, with which of whose ids."""

    method: str
    role: str
    foreign: bool
    which: int
    roles: frozenset[MemberRole] = frozenset(get_args(MemberRole))


ROLES = ("practitioner", "operator", "guest", "consult", "assistant", "helper", "looker")
"""Whoever works for somebody has two: in what is that one's, and in their own; a looker has sight of an agenda."""
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
    st.frozensets(st.sampled_from(get_args(MemberRole))),
)


def scope_for(step: Step, me: Person, row: str) -> Scope:
    match step.role:
        case "practitioner":
            return Scope.practitioner(me.id, me.organisation, step.roles)
        case "operator":
            return Scope.operator(me.id)
        case "guest":
            return Scope.guest(row)
        case "assistant":
            return Scope.practitioner(me.assistant, me.organisation, step.roles).assisting(me.id, "initials")
        case "looker":
            return Scope.practitioner(me.assistant, me.organisation, step.roles).looking(me.id)
        case "helper":
            return Scope.practitioner(me.assistant, me.organisation, frozenset({"assistant"}))
        case _:
            return Scope.consult(row, me.id)


THEIRS: BindParameter[str] = bindparam("theirs", expanding=True)
ROWS = {
    table.name: select(table).where(column.in_(THEIRS)).order_by(*table.primary_key)
    for table in metadata.sorted_tables
    if (
        column := table.c.id
        if table.name in ("practitioners", "organisations")
        else table.c.get("owner", table.c.get("practitioner"))
    )
    is not None
}
"""What each table has of somebody."""

EACH_KIND = (select(func.count()).where(kind.table.c.owner.in_(THEIRS)).scalar_subquery() for kind in KINDS)
COUNTED = select(sum(EACH_KIND, literal(0)))


async def rows(store: Store, person: Person) -> dict[str, Any]:
    """What is stored of somebody in every table."""
    theirs = {"theirs": [person.id, person.organisation, person.assistant, person.newcomer]}
    async with store.database.read() as connection:
        return {name: (await connection.execute(some, theirs)).all() for name, some in ROWS.items()}


async def keys(store: Store, person: Person) -> list[Any]:
    """Whose keys are missing of somebody's, and the receipts for what is gone."""
    ids = [person.id, *person.records, person.organisation, person.member, person.assistant, person.engagement]
    return [await store.keys.missing(ids), await store.keys.receipts(person.id)]


@contextmanager
def writes(settings: VaultSettings) -> Iterator[Callable[[], Any]]:
    """Says a number that is another one as soon as anything was written into the database."""
    if settings.database_url is None:
        with closing(sqlite3.connect(settings.database().database or "")) as connection:
            yield lambda: connection.execute("PRAGMA data_version").fetchone()
    else:
        with psycopg.connect(settings.database_url.get_secret_value(), autocommit=True) as session:
            yield lambda: session.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())").fetchone()


async def records(store: Store, person: Person) -> int:
    """How many there are, of all kinds."""
    async with store.database.read() as connection:
        theirs = {"theirs": [person.id, person.organisation, person.assistant, person.newcomer]}
        return int((await connection.execute(COUNTED, theirs)).scalar_one())


async def cast(store: Store, mails: Iterator[int]) -> list[Person]:
    """Two people of two organisations, each with records of every kind in every state."""
    people = []
    for name in ("alice", "charlie"):
        mail = f"{name}-{next(mails)}@example.org"
        made = await store.practitioners.add(mail, PASSWORD, name, "nl")
        member = await found_organisation(store, made.id, ["owner", "practitioner"])
        assistant = await store.practitioners.add(f"assistant-{mail}", PASSWORD, "Ana", "nl")
        await join(store, member.owner, assistant.id, ["assistant"])
        people.append(Person(made.id, mail, member.owner, member.id, assistant.id))
        for _ in range(3):
            await planned(store, Scope.practitioner(made.id), people[-1])
        sentence = await store.sentences.say(Scope.practitioner(made.id), "nl", people[-1].said)
        await store.factors.add_passkey(Scope.practitioner(made.id), passkey("first"))
        held = await store.factors.of(Scope.practitioner(made.id))
        people[-1].records |= {sentence.id: "", held.id: ""}
        owns = Scope.practitioner(made.id, member.owner, frozenset({"owner"}))
        people[-1].invitation = (await invited(store, owns)).id
        people[-1].department = (await store.departments.make(owns, "Heelkunde")).id
        within = [people[-1].department]
        await store.organisation.set_departments(owns, made.id, within)
        await store.organisation.set_departments(owns, assistant.id, within)
        people[-1].domain = (await listed(store, owns)).id
        newcomer = await store.practitioners.add(f"newcomer-{mail}", PASSWORD, "Noor", "nl")
        people[-1].newcomer = newcomer.id
        await join(store, member.owner, newcomer.id, ["assistant"], asked=store.clock.wall())
        people[-1].sight = (await opened(store, made.id, member.owner)).id
        people[-1].request = (
            await store.requests.file(Scope.practitioner(made.id), Filing("access", "form", "nl"))
        ).request.id
        people[-1].engagement = (await store.assistants.engage(owns, assistant.id, made.id)).id
        ended, gone = list(people[-1].records)[:2]
        await decided(store, owns)
        await sent_by(store, owns)
        await store.appointments.end(Scope.consult(ended, made.id), ended)
        await store.retention.destroy(Scope.practitioner(made.id), gone)
    return people


async def opened(store: Store, account: str, organisation: str) -> Sight:
    """Sight of this agenda, which two others have just now."""
    now = store.clock.wall()
    one = Sight(new_id(), organisation, account, new_id(), "absent", now, approver=new_id(), given=now)
    assert await Writer(store.database, store.keys, store.clock.wall).first(SIGHTS, one, always)
    return one


async def play(store: Store, mails: Iterator[int], steps: list[tuple[int, Step]], written: Callable[[], Any]) -> None:
    people = await cast(store, mails)
    known: dict[str, tuple[dict[str, Any], list[Any]]] = {}
    for who, step in steps:
        me, other = people[who], people[1 - who]
        if other.id not in known:
            known[other.id] = await rows(store, other), await keys(store, other)
        before, there = written(), known[other.id]
        await take(store, me, other, step)
        assert await keys(store, other) == there[1], step
        assert written() == before or await rows(store, other) == there[0], step
        known.pop(me.id, None)


async def take(store: Store, me: Person, other: Person, step: Step) -> None:
    whose = other if step.foreign else me
    row = list(whose.records)[step.which % len(whose.records)]
    ids = dict.fromkeys(("organisation", "recovery", "handing", "contacts"), whose.id)
    ids |= {
        "invitations": whose.invitation,
        "assistants": whose.id,
        "sights": whose.id,
        "decisions": whose.request,
        "departments": whose.department,
        "mail_domains": whose.domain,
        "arrivals": whose.newcomer,
    }
    row = ids.get(step.method.partition(".")[0], row)
    row = whose.engagement if step.method in OF_ENGAGEMENTS else row
    row = whose.sight if step.method in OF_SIGHTS else row
    call, scope = CALLS[step.method], scope_for(step, me, row)
    mine = await records(store, me)
    if step.foreign and step.role != "guest" and takes_id(step):
        nowhere = new_id()
        unknown = await outcome(call(store, scope_for(step, me, nowhere), nowhere, me))
        assert await outcome(call(store, scope, row, me)) == unknown == "not_found", "as good as none"
    else:
        found = await outcome(call(store, scope, row, me))
        for owner, one in owners_and_ids(found):
            asked = me.organisation if step.method.startswith("requests.") else None
            ours = (scope.person, scope.organisation, me.id if step.role == "helper" else None, asked)
            assert scope.covers(owner, one) or owner in ours or servers(scope, owner), step
        assert step.role != "assistant" or NAME not in patients(found), "initials are what this one sees"
        given = [one for one in (found if isinstance(found, list) else [found]) if isinstance(one, Receipt)]
        receipts = await store.keys.receipts(me.id) if given else []
        assert all(one in receipts for one in given), step
        if isinstance(found, Emptied):
            assert found.destroyed + found.waiting <= mine, step
        if isinstance(found, int):
            assert 0 <= found <= mine, step
        if step.method == "sentences.for_waiting":
            assert found in (None, "not_found", me.said), step
        if step.method.endswith("by_mail"):
            assert (found == "not_found") == (step.role != "operator")


OF_SIGHTS = ("sights.approve", "sights.look", "sights.end")
OF_ENGAGEMENTS = ("assistants.release", "assistants.say", "assistants.part")


def patients(found: Any) -> list[str]:
    """What patients are called in what came."""
    listed = found.appointments if isinstance(found, Agenda) else found if isinstance(found, list) else [found]
    return [one.patient for one in listed if isinstance(one, Appointment)]


def takes_id(step: Step) -> bool:
    return step.method in (
        *OF_ENGAGEMENTS,
        *OF_SIGHTS,
        "identity_papers.look",
        "breaches.get",
        "breaches.change",
        "decisions.get",
        "decisions.read",
        "decisions.ask_back",
        "decisions.extend",
        "decisions.discard",
        "decisions.decide",
        "sights.givers",
        "sights.ask",
        "assistants.of",
        "assistants.acting",
        "mail_domains.remove",
        "arrivals.approve",
        "arrivals.refuse",
        "departments.rename",
        "departments.close",
        "organisation.set_departments",
        "appointments.get",
        "appointments.change",
        "appointments.attend",
        "appointments.cancel",
        "appointments.keep",
        "appointments.end",
        "appointments.reopen",
        "retention.destroy",
        "organisation.person",
        "contacts.log",
        "contacts.of",
        "organisation.set_roles",
        "organisation.set_state",
        "recovery.of",
        "recovery.lift",
        "handing.prospect",
        "handing.hand_over",
        "invitations.get",
        "invitations.again",
        "invitations.withdraw",
    )


def test_no_call_crosses(settings: VaultSettings, time: Time) -> None:
    """On PostgreSQL fewer: what differs there is how a query is sent."""
    examples = 10 if settings.database().get_backend_name() == "sqlite" else 2
    loop, mails, stack = asyncio.new_event_loop(), count(), ExitStack()
    written = stack.enter_context(writes(settings))
    opening = open_store(settings, now=time.now, boot=time.boottime)
    store = loop.run_until_complete(opening.__aenter__())

    @hypothesis.settings(
        max_examples=examples, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
    )
    @given(st.lists(st.tuples(st.integers(0, 1), STEPS), min_size=1, max_size=8))
    def cross(steps: list[tuple[int, Step]]) -> None:
        loop.run_until_complete(play(store, mails, steps, written))

    try:
        SERVERS.append(loop.run_until_complete(store.organisation.establish(OPERATOR, PRACTICE)))
        loop.run_until_complete(play(store, mails, [(0, one) for one in EACH], written))
        cross()
    finally:
        loop.run_until_complete(opening.__aexit__(None, None, None))
        stack.close()
        loop.close()
