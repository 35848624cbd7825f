"""The audit trail: `audit verify`, `audit show`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from operate.commands.arguments import day, one_of
from operate.commands.configured import Configured
from vault.audit import Act, Entry, Party, TrailReport, appointment, operator, practitioner
from vault.errors import DomainError, StartRefused

if TYPE_CHECKING:
    from practice.storage import Storage


def attach(commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    group = commands.add_parser("audit", help="who did what").add_subparsers(required=True, metavar="COMMAND")
    verifying = group.add_parser("verify", parents=[common], help="check that the trail is whole")
    verifying.set_defaults(operate=verify)
    showing = group.add_parser("show", parents=[common], help="print the trail; that is entered too")
    showing.add_argument("--day", type=day, metavar="YYYY-MM-DD", help="this UTC day only")
    showing.add_argument("--act", type=one_of(Act), metavar="ACT", help="this act only")
    showing.add_argument("--practitioner", metavar="MAIL", help="what this account did, or was done to it")
    showing.add_argument("--appointment", metavar="ID", help="what was done to this appointment")
    showing.add_argument("--json", action="store_true", help="a line of JSON per entry")
    showing.set_defaults(operate=show)


async def verify(settings: Configured, arguments: argparse.Namespace) -> str:
    """Walk the trail. ``StartRefused``, and with it exit status 1, names the first bad line."""
    from operate.commands.storage import beside

    async with beside(settings.rooms) as store:
        try:
            report = await store.audit.verify()
            await store.audit.record(Act.AUDIT_VERIFIED, operator(), detail="bad" if report.bad else "whole")
        except DomainError as error:
            raise refused(store, error) from None
    if report.bad is not None:
        raise StartRefused(f"The first bad line of the audit trail is entry {report.bad.number}. {report.bad.reason}")
    return verdict(report)


async def show(settings: Configured, arguments: argparse.Namespace) -> str:
    """The entries, oldest first, with the pseudonyms that they are stored under."""
    from operate.commands.storage import beside

    first = datetime.combine(arguments.day, time(), UTC) if arguments.day else None
    last = first + timedelta(days=1) if first else None
    async with beside(settings.rooms) as store:
        try:
            wanted = await names(store, arguments)
            found = [
                entry
                async for entry in store.audit.entries(first, last, arguments.act)
                if wanted is None or {entry.actor_name, entry.subject_name} & wanted
            ]
            await store.audit.record(Act.AUDIT_READ, operator(), detail=str(len(found)))
        except DomainError as error:
            raise refused(store, error) from None
    return lines(found, as_json=arguments.json)


async def names(store: Storage, arguments: argparse.Namespace) -> set[str] | None:
    """The pseudonyms that are asked for; None for everybody's."""
    from operate.commands.storage import OPERATOR

    asked: list[Party] = []
    if arguments.practitioner:
        person = await store.practitioners.id_by_mail(OPERATOR, arguments.practitioner)
        if person is None:
            raise StartRefused("There is no account with this address.")
        asked.append(practitioner(person))
    if arguments.appointment:
        found = await store.appointments.get(OPERATOR, arguments.appointment)
        asked.append(appointment(found.owner, found.id))
    return {name for party in asked if (name := await store.audit.name(party))} if asked else None


def verdict(report: TrailReport) -> str:
    """What to say of a trail without a bad line."""
    said = ["The audit trail is empty."]
    if report.entries:
        said = [f"The audit trail is whole: {report.entries} entries, {report.first} to {report.last}."]
    for number, count in report.gaps:
        said.append(f"It says itself that {count} entries from {number} on were lost: an older database was put back.")
    return "\n".join(said)


def lines(found: Sequence[Entry], *, as_json: bool) -> str:
    """One entry per line."""
    if as_json:
        return "\n".join(json.dumps(asdict(entry)) for entry in found)
    rows = []
    for entry in found:
        on = f"{entry.subject} {entry.subject_name or '-'}" if entry.subject else ""
        by = f"{entry.actor} {entry.actor_name or '-'}"
        moment = entry.moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
        rows.append(f"{entry.number:>7} {moment} {entry.act:<20} {by:<36} {on} {entry.detail or ''}".rstrip())
    return "\n".join(rows) or "No entries."


def refused(store: Storage, error: DomainError) -> StartRefused:
    """One sentence for an operator."""
    reasons = {"not_found": "There is no such appointment.", "gone": "That appointment was destroyed."}
    return StartRefused(store.locked or reasons.get(error.code) or "The database or the key store does not answer.")
