"""Calls of what a link asks of whoever has it, as ``calls`` makes them."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from practice.agenda.model import Appointment
from practice.agenda.visit import Visit
from practice.consents.store import Reading
from practice.storage import Store
from vault.records.scope import Scope

if TYPE_CHECKING:
    from tests.practice.calls import Person


async def with_visit(
    store: Store, scope: Scope, me: "Person", ask: Callable[[Scope, Visit], Awaitable[Any]]
) -> Any | None:
    visit = await store.appointments.by_link(Scope.guest(me.planned), me.secret)
    return await ask(scope, visit) if visit else None


async def reading(store: Store, scope: Scope, visit: Visit) -> Reading:
    return await store.consents.reading(scope, visit, "nl")


async def given(store: Store, me: "Person", scope: Scope, visit: Visit) -> Appointment:
    texts = (await store.consents.reading(Scope.guest(visit.appointment.id), visit, "nl")).texts
    return await store.consents.give(scope, me.secret, [one.version for one in texts], visit)


async def answers(store: Store, me: "Person", scope: Scope, visit: Visit) -> Appointment:
    return await store.questionnaires.answer(scope, me.secret, visit, ["36,5"], visit.appointment.version, held=False)


async def withdrawn(store: Store, me: "Person", scope: Scope, visit: Visit) -> Appointment:
    return await store.consents.withdraw(scope, me.secret, visit)


async def missing_of(store: Store, scope: Scope, row: str) -> str | None:
    one = await store.appointments.get(scope, row)
    return await store.consents.missing_of(scope, one, "patient")


async def missing_in(store: Store, scope: Scope, row: str) -> list[str]:
    one = await store.appointments.get(scope, row)
    return list(await store.consents.missing_in(scope, [one]))
