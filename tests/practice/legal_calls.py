"""The methods of what a law demands, of sights and of who looked, called with a scope and an id as ``calls`` does."""

from collections.abc import Awaitable, Callable
from datetime import UTC, timedelta
from typing import Any

from practice.agenda.model import Appointment
from practice.legal.model import Demand
from practice.legal.store import Demanded
from tests.people import START

DEMAND = Demand("an authority", "a law")

LEGAL: dict[str, Callable[..., Awaitable[Any]]] = {
    "operators.of": lambda store, scope, *_: store.operators.of(scope),
    "operators.add": lambda store, scope, *_: store.operators.add(scope, "Anna", "A" * 32, "000000"),
    "operators.remove": lambda store, scope, *_: store.operators.remove(scope, "Anna", ("Ben", "000000")),
    "operators.two": lambda store, scope, *_: store.operators.two(scope, ("Anna", "000000"), ("Ben", "000000")),
    "sights.ask": lambda store, scope, row, _: store.sights.ask(scope, row, "absent"),
    "sights.approve": lambda store, scope, row, me: store.sights.approve(scope, row, store.notices.of(me.id)),
    "sights.look": lambda store, scope, row, _: store.sights.look(scope, row, UTC),
    "sights.waiting": lambda store, scope, *_: store.sights.waiting(scope),
    "sights.of": lambda store, scope, row, _: store.sights.of(scope, row),
    "sights.end": lambda store, scope, row, _: store.sights.end(scope, row),
    "sights.lapse": lambda store, scope, row, _: store.sights.lapse(scope, row),
    "sights.unseen": lambda store, scope, *_: store.sights.unseen(scope),
    "sights.see": lambda store, scope, *_: store.sights.see(scope),
    "sights.givers": lambda store, scope, row, _: store.sights.givers(scope, row),
    "looks.of": lambda store, scope, row, me: store.looks.of(
        scope, Appointment(row, me.id, "", START, 30, "nl", "planned", None, "", None, 1)
    ),
    "disclosures.of": lambda store, scope, *_: store.disclosures.of(scope),
    "disclosures.export": lambda store, scope, row, _: store.disclosures.export(scope, Demanded((row,)), DEMAND, ()),
    "disclosures.preserve": lambda store, scope, row, _: store.disclosures.preserve(
        scope, [row], START + timedelta(days=1), DEMAND, ()
    ),
}
