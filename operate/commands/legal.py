"""What a law demands, by two operators: `legal-export`, `legal-preserve` (S-36)."""

from __future__ import annotations

import argparse
import json
import os
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from operate.commands.arguments import day, path
from operate.commands.configured import Configured
from operate.commands.operators import named, proof
from vault.audit import Act, Draft, appointment
from vault.errors import DomainError, StartRefused

if TYPE_CHECKING:
    from datetime import date

    from practice.legal.model import Demand, Disclosure, Given, Operator
    from practice.storage import Storage

FORMAT: Final = "spreekkamer-legal-export"
VERSION: Final = 1
REASONS: Final = {
    "conflict": "Two operators are needed, and these are one.",
    "factor_refused": "A name or a code was wrong, or a code was used before; nothing was done.",
    "gone": "One of these is destroyed or was due: there is nothing to be kept, and nothing was changed.",
    "not_found": "There is no such account or appointment; nothing was changed.",
    "unreadable": "One of these cannot be read; nothing was changed.",
}
WRONG: Final = {
    "appointment": "Name at least one appointment by its id, 22 characters each.",
    "until": "--until must be a day to come, at most 90 days from now.",
    "told": "--silent-until must be a day to come, at most 180 days from now.",
    "authority": "--authority must be 1 to 500 characters that can be read, in one line.",
    "reason": "--reason must be 1 to 500 characters that can be read, in one line.",
    "silence": "--silent-until needs --silent-because, in one line of at most 500 characters.",
}


def attach(commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    exporting = commands.add_parser(
        "legal-export", parents=[common], help="give out what a law demands of an account's appointments, by two"
    )
    preserving = commands.add_parser(
        "legal-preserve", parents=[common], help="keep appointments that a law demands a while longer, by two"
    )
    for one in (exporting, preserving):
        one.add_argument("mail", help="whose appointments")
        one.add_argument("--appointment", action="append", default=[], metavar="ID", help="this one; may be repeated")
        one.add_argument("--authority", required=True, metavar="TEXT", help="who demands it, and under which number")
        one.add_argument("--reason", required=True, metavar="TEXT", help="by which law, and for what")
        one.add_argument("--silent-until", type=day, metavar="DAY", help="the law forbids telling before this UTC day")
        one.add_argument("--silent-because", default="", metavar="TEXT", help="which law forbids it, and why")
    exporting.add_argument("file", type=path, metavar="FILE", help="where to; it must not be there yet")
    exporting.add_argument(
        "--first", type=day, metavar="DAY", help="all that begin on this day of the practice or later"
    )
    exporting.add_argument("--last", type=day, metavar="DAY", help="and on this one or earlier")
    exporting.set_defaults(operate=export)
    preserving.add_argument("--until", type=day, required=True, metavar="DAY", help="to the end of this UTC day")
    preserving.set_defaults(operate=preserve)


async def export(settings: Configured, arguments: argparse.Namespace) -> str:
    """Two prove who they are; what is given out is on disk as done, and told, before the file has a word of it."""
    import asyncio
    from zoneinfo import ZoneInfo

    from operate.commands.storage import OPERATOR, about, beside
    from practice.legal.store import Demanded

    if not (arguments.appointment or arguments.first or arguments.last):
        raise StartRefused("Say which: --appointment, or days by --first and --last.")
    zone = ZoneInfo(settings.web.timezone)
    wanted = Demanded(tuple(arguments.appointment), arguments.first, arguments.last, zone)
    handle = await asyncio.to_thread(_opened, arguments.file)
    done = False
    try:
        async with beside(settings.rooms, mail=settings.practice.sends) as store:
            try:
                person = await _whose(store, arguments.mail)
                two = await store.operators.two(OPERATOR, proof("The first operator"), proof("The second operator"))
                given = await store.disclosures.export(about(person), wanted, _demand(arguments), two)
                await _entered(store, Act.LEGAL_EXPORTED, given.disclosure, two, list(given.appointments))
            except DomainError as error:
                raise _refused(store, error) from None
        await asyncio.to_thread(_write, handle, written(given))
        done = True
    finally:
        os.close(handle)
        if not done:
            await asyncio.to_thread(arguments.file.unlink, missing_ok=True)
    return (
        f"Given out: {len(given.appointments)}. Destroyed, so that there is nothing to give: {len(given.destroyed)}. "
        f"Not readable: {len(given.unreadable)}. Nowhere: {len(given.nowhere)}."
    )


async def preserve(settings: Configured, arguments: argparse.Namespace) -> str:
    """Two prove who they are; all of the named ones are kept, or none."""
    from operate.commands.storage import OPERATOR, about, beside

    until = datetime.combine(arguments.until + timedelta(days=1), time(), UTC)
    async with beside(settings.rooms, mail=settings.practice.sends) as store:
        try:
            person = await _whose(store, arguments.mail)
            two = await store.operators.two(OPERATOR, proof("The first operator"), proof("The second operator"))
            ids = arguments.appointment
            made = await store.disclosures.preserve(about(person), ids, until, _demand(arguments), two)
            await _entered(store, Act.LEGAL_PRESERVED, made, two, ids)
        except DomainError as error:
            raise _refused(store, error) from None
    return f"Kept until {until:%Y-%m-%d %H:%M} UTC: {made.number}. What is due by then is destroyed at that moment."


def written(given: Given) -> str:
    """The file, in JSON."""
    done = given.disclosure
    said: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "made_at": done.at.isoformat(),
        "authority": done.demand.authority,
        "reason": done.demand.reason,
        "operators": list(done.operators),
        "appointments": [{"id": one, **fields} for one, fields in given.appointments.items()],
        "destroyed": [
            {"id": one, "receipt": receipt.receipt, "minute": receipt.destroyed_at.isoformat()}
            for one, receipt in given.destroyed.items()
        ],
        "unreadable": list(given.unreadable),
        "nowhere": list(given.nowhere),
    }
    return json.dumps(said, ensure_ascii=False, indent=2) + "\n"


async def _whose(store: Storage, mail: str) -> str:
    from operate.commands.storage import OPERATOR

    person = await store.practitioners.id_by_mail(OPERATOR, mail)
    if person is None:
        raise StartRefused("There is no account with this address: nothing is left to be given or kept.")
    return person


def _demand(arguments: argparse.Namespace) -> Demand:
    from practice.legal.model import Demand

    silent: date | None = arguments.silent_until
    told = datetime.combine(silent, time(), UTC) if silent else None
    return Demand(arguments.authority, arguments.reason, told, arguments.silent_because)


async def _entered(store: Storage, act: Act, done: Disclosure, two: tuple[Operator, Operator], ids: list[str]) -> None:
    """By both. While nobody may tell, the trail says of none of them which it was."""
    first, second = (named(one.name) for one in two)
    objects = [appointment(done.account, one) for one in ids] if done.demand.told is None else []
    drafts = [Draft(act, first, one) for one in objects] or [Draft(act, first, detail=str(done.number))]
    await store.audit.record_all([*drafts, Draft(Act.LEGAL_SECONDED, second, detail=str(done.number))])


def _refused(store: Storage, error: DomainError) -> StartRefused:
    said = WRONG.get(error.field or "") if error.code == "invalid" else REASONS.get(error.code)
    return StartRefused(store.locked or said or f"Nothing was done ({error.code}).")


def _opened(file: Path) -> int:
    """Only we can read it. Errors: StartRefused (it is there, or cannot be made)."""
    try:
        return os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        reason = (error.strerror or "unknown").lower()
        raise StartRefused(f"{file} cannot be written: {reason}.") from None


def _write(handle: int, text: str) -> None:
    """Errors: StartRefused; what was given out is entered as such anyway."""
    try:
        data = text.encode()
        while data:
            data = data[os.write(handle, data) :]
        os.fsync(handle)
    except OSError as error:
        reason = (error.strerror or "unknown").lower()
        raise StartRefused(f"The file could not be written whole, and is taken away again: {reason}.") from None
