"""Whoever opens a store says whether a consult runs and what else to clear; a command beside a server destroys none."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from operate.commands.storage import asking
from practice.agenda.store import Appointments
from practice.opening import open_storage, open_store
from practice.storage import Storage, Store
from signaling import app, gate
from signaling.sockets.hooks import Hooks
from signaling.sockets.server import Gate
from tests.opening import Elsewhere, of
from tests.people import Time, alice, plan
from tests.vault.test_destruction import states
from vault.audit.trail import Trail
from vault.destruction.closure import Closed, Closure
from vault.destruction.deadline import Deadline, nobody_can_say
from vault.destruction.destruction import Destruction
from vault.destruction.handing import Handing
from vault.destruction.sweeper import Sweeper
from vault.records.stores import Means
from vault.settings import VaultSettings

SAID: list[tuple[Callable[..., Any], str]] = [
    (open_storage, "in_progress"),
    (open_store, "in_progress"),
    (open_store, "on_destroy"),
    (open_store, "on_close"),
    (Storage.destroying, "on_destroy"),
    (Storage.destroying, "on_close"),
    (Storage.destroying, "on_handed"),
    (Deadline, "in_progress"),
    (Means, "sweep"),
    (Appointments, "cap_of"),
    (Destruction, "trail"),
    (Destruction, "on_destroy"),
    (Closure, "trail"),
    (Closure, "on_close"),
    (Handing, "told"),
    (Handing, "after"),
    (Handing, "entry"),
    (Sweeper, "wake"),
    (Trail, "trusted"),
    (app.build, "live"),
    (gate.attach, "live"),
    (Gate.handle, "hooks"),
    (Hooks, "lost"),
    (Hooks, "missed"),
]


@pytest.mark.parametrize(("part", "name"), SAID, ids=lambda one: getattr(one, "__qualname__", one))
def test_what_guards_something_has_no_default(part: Callable[..., Any], name: str) -> None:
    parameters = inspect.signature(part).parameters
    assert parameters[name].default is inspect.Parameter.empty
    given = {one: None for one in parameters if one not in ("self", name)}
    with pytest.raises(TypeError, match=name):
        inspect.signature(part).bind(**given, **({"self": None} if "self" in parameters else {}))


def beside(settings: VaultSettings, time: Time) -> Any:
    """As a command opens it while a server runs."""
    return open_storage(settings, in_progress=nobody_can_say, now=time.now, boot=time.boottime, exclusive=False)


@pytest.mark.duty("S-30")
async def test_a_command_destroys_no_running_consult(
    store: Store, settings: VaultSettings, elsewhere: Elsewhere, time: Time
) -> None:
    running = True

    async def in_progress(_: str) -> bool:
        return running

    elsewhere.in_progress = in_progress
    person = await alice(store)
    planned = await plan(store, person)
    async with beside(settings, time) as storage:
        command = asking(storage)
        await command.retention.request_closure(of(person.id))
        assert await command.retention.due() == 1, "it can count what it cannot judge"
        assert await command.retention.close(of(person.id)) == Closed(0, 1, None)
        assert await store.retention.sweep() == 0, "somebody is in it"
        assert await store.appointments.get(of(person.id), planned.id)
        running = False
        assert await command.retention.close(of(person.id)) == Closed(0, 1, None), "it does not know that"
    assert await store.retention.sweep() == 1
    assert await states(store) == {}


async def test_what_a_command_destroys_by_name_a_server_finishes(
    store: Store, settings: VaultSettings, elsewhere: Elsewhere, time: Time
) -> None:
    cleared: list[str] = []

    async def on_destroy(appointment: str) -> None:
        cleared.append(appointment)

    elsewhere.on_destroy = on_destroy
    person = await alice(store)
    planned = await plan(store, person)
    async with beside(settings, time) as storage:
        command = asking(storage)
        receipt = await command.retention.destroy(of(person.id), planned.id)
    assert (cleared, await states(store)) == ([], {planned.id: "destroying"}), "it cannot clear what a server keeps"
    await store.retention.sweep()
    assert (cleared, await states(store)) == ([planned.id], {})
    assert await store.appointments.receipts(of(person.id)) == [receipt]
