"""A node without its network: ``python node.py SETTINGS`` runs with the modules of any build, today's or an older one.

SETTINGS is JSON. Each line of its input is JSON, ``[what, *arguments]``; each answer is a line too, ``{"is": …}`` or
the code of an error, ``{"refused": …}``. Its clock stands still until it is told to move.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from importlib.util import find_spec
from inspect import signature
from typing import TYPE_CHECKING, Any

from argon2 import PasswordHasher

import rooms

OLDER = find_spec("rooms.store") is not None
"""Whether these are the modules of release 0.1.0, not today's."""

if OLDER and not TYPE_CHECKING:
    from rooms.audit import Act, appointment, practitioner
    from rooms.errors import RoomsError as DomainError
    from rooms.settings import RoomsSettings as VaultSettings
    from rooms.store import Store, open_store
    from rooms.store import practitioners as accounts
else:
    from practice.accounts import store as accounts
    from practice.accounts.model import Language, Retention
    from practice.opening import open_store
    from practice.organisation.model import Profile
    from practice.storage import Store
    from vault.audit import Act, appointment, practitioner
    from vault.errors import DomainError
    from vault.records.scope import Scope
    from vault.settings import VaultSettings

START = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)
QUICK = partial(PasswordHasher, time_cost=1, memory_cost=8, parallelism=1)
PASSWORD = "correct horse battery"


async def nobody(_: Sequence[str]) -> set[str]:
    """No consult runs."""
    return set()


async def no_traces(_: Sequence[str]) -> dict[str, BaseException]:
    """Nothing is kept elsewhere."""
    return {}


async def nothing(_: str) -> None:
    """Nor of who works here."""


async def nobody_hears(*_: Any) -> None:
    """No desk is open."""


def of(owner: str) -> Any:
    """Whose records, as this build wants to be told."""
    return owner if OLDER else Scope.practitioner(owner)


def link_to(row_id: str) -> Any:
    return row_id if OLDER else Scope.guest(row_id)


def any_of(row_id: str) -> tuple[Any, ...]:
    """Somebody's appointment, whoever that is."""
    return (row_id,) if OLDER else (Scope.operator(), row_id)


class Node:
    """Everything that a server does to what is stored, by name."""

    def __init__(self) -> None:
        self.wall, self.boot = START, 1000.0
        self.store: Store

    @asynccontextmanager
    async def opened(self, settings: VaultSettings) -> AsyncIterator["Node"]:
        """The start of a server, and its end."""
        told: dict[str, Any] = {
            "in_progress": nobody, "on_destroy": no_traces, "on_close": nothing, "on_handed": nobody_hears
        }  # fmt: skip
        beside = {name: one for name, one in told.items() if name in signature(open_store).parameters}
        async with open_store(settings, now=lambda: self.wall, boot=lambda: self.boot, **beside) as self.store:
            await self.store.retention.catch_up()
            yield self

    async def add(self, mail: str, retention: "Retention") -> Any:
        return await self.store.practitioners.add(mail, PASSWORD, "Praktijk Voorbeeld", "nl", retention)

    async def plan(self, owner: str, patient: str, hours: float) -> Any:
        made = await self.store.appointments.create(of(owner), patient, self.wall + timedelta(hours=hours), 30, "nl")
        await self.store.audit.record(Act.APPOINTMENT_CREATED, practitioner(owner), appointment(owner, made.id))
        return made

    async def end(self, row_id: str) -> Any:
        return await self.store.appointments.end(*any_of(row_id))

    async def reopen(self, owner: str, row_id: str) -> Any:
        return await self.store.appointments.reopen(of(owner), row_id)

    async def keep(self, owner: str, setting: "Retention") -> Any:
        return await self.store.practitioners.set_retention(of(owner), setting)

    async def destroy(self, owner: str, row_id: str) -> Any:
        return await self.store.retention.destroy(of(owner), row_id)

    async def close(self, owner: str) -> Any:
        return await self.store.retention.close(of(owner))

    async def mark(self, owner: str, row_id: str) -> Any:
        """Step one of destroying, and then it was cut off."""
        return await self.store.retention._destruction.mark(owner, row_id)

    async def sweep(self) -> int:
        return await self.store.retention.sweep()

    async def rotate(self, root: bool) -> None:
        await self.store.keys.renew(root=root)

    async def go(self, **span: float) -> None:
        self.wall += timedelta(**span)
        self.boot += timedelta(**span).total_seconds()

    async def hand_over(self, giver: str, taker: str) -> int:
        """As far as the rights of whoever asks are not looked at."""
        await self.store.retention.handing.ask(giver, taker, taker)
        return await self.store.retention.handing.carry_out()

    async def get(self, owner: str, row_id: str) -> Any:
        return await self.store.appointments.get(of(owner), row_id)

    async def linked(self, row_id: str, secret: str) -> Any:
        found = await self.store.appointments.by_link(link_to(row_id), secret)
        return getattr(found, "appointment", found)

    async def shown(self, owner: str) -> Any:
        return await self.store.appointments.list(of(owner), date(1, 1, 1), date(9999, 12, 31))

    async def say(self, owner: str, language: "Language", text: str) -> Any:
        return await self.store.sentences.say(of(owner), language, text)

    async def said(self, owner: str) -> Any:
        return (await self.store.sentences.of(of(owner))).sentences

    async def establish(self) -> Any:
        """What a server does at its start."""
        profile = Profile("Praktijk", "Straat 1", "030 123", "nl", "Europe/Amsterdam")
        return await self.store.organisation.establish(Scope.operator(), profile)

    async def roles(self, owner: str) -> Any:
        standing = await self.store.organisation.standing(owner)
        return sorted(standing.roles) if standing else None

    async def compare(self) -> Any:
        return await self.store.retention.compare()

    async def person(self, owner: str) -> Any:
        return await self.store.practitioners.get(of(owner))

    async def signed_in(self, mail: str) -> Any:
        """A new session, where the password is right."""
        person = await self.store.practitioners.authenticate(mail, PASSWORD)
        return person and await self.store.sessions.create(person.id)

    async def session(self, token: str) -> Any:
        return await self.store.sessions.practitioner(token)

    async def receipts(self, owner: str) -> Any:
        return await self.store.appointments.receipts(of(owner))

    async def missing(self, *ids: str) -> Any:
        """Of the keys."""
        return await self.store.keys.missing(ids)

    async def trail(self) -> Any:
        return await self.store.audit.verify()

    async def status(self) -> Any:
        status = await self.store.retention.status()
        return {"overdue": status.overdue, "alarms": status.alarms, "generation": await self.store.keys.generation()}

    async def locked(self) -> Any:
        return self.store.locked


def plain(value: Any) -> Any:
    """As JSON can be; moments as text."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value


async def answer(call: Callable[..., Awaitable[Any]], arguments: list[Any]) -> dict[str, Any]:
    try:
        named = arguments.pop() if arguments and isinstance(arguments[-1], dict) else {}
        return {"is": plain(await call(*arguments, **named))}
    except DomainError as error:
        return {"refused": error.code}


async def main(options: dict[str, Any]) -> None:
    accounts.PasswordHasher = QUICK  # type: ignore[attr-defined, assignment]  # a class by another name
    async with Node().opened(VaultSettings(**options)) as node:
        said: dict[str, Any] = {"is": rooms.__file__}
        while True:
            print(json.dumps(said, default=str), flush=True)
            line = await asyncio.to_thread(sys.stdin.readline)
            if not line:
                return
            what, *arguments = json.loads(line)
            said = await answer(getattr(node, what), arguments)


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
