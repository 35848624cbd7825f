"""What an officer does with a report that data of a child is held (S-18): a named appointment is destroyed, as any
other is, its key first. The officer names it by its link, or by whose it is and when, and reads nothing of it.
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final

from pydantic import Field

from practice.agenda.records import APPOINTMENTS
from practice.factors import codes
from practice.notices.model import News
from signaling.gate import SIGNALING
from signaling.rest import factors
from signaling.rest.endpoint import Call
from signaling.scopes import of_link, of_practitioner
from signaling.typedefs import STORE, ZONE
from vault.audit import Act, Draft, practitioner, request
from vault.errors import DomainError
from web.forms import NOT_ASKED, PROOF, Fields, Password, Wrong
from web.practice.breaches import moment

LINK: Final = 44
"""Characters of what a patient's link holds: which appointment, and a secret."""

LINKS: Final = re.compile(rf"#([\w-]{{{LINK}}})(?![\w-])", re.ASCII)
MOST_LINKS: Final = 3
"""So many of a text are followed."""


class Named(Fields):
    """By a link, or by whose it is and when it begins; and that it is really who is signed in."""

    link: Annotated[str, Field(max_length=400)] = ""
    account: Annotated[str, Field(max_length=22)] = ""
    starts: Annotated[str, Field(max_length=30)] = ""
    password: Password = NOT_ASKED
    code: Annotated[str, Field(max_length=codes.LONGEST)] = ""


@dataclass(frozen=True)
class Where:
    """An appointment, by whose it is."""

    owner: str
    id: str


async def practitioners(call: Call) -> list[tuple[str, str]]:
    """Who plans in the organisation of who is signed in: id and name."""
    organisation = call.request.app[STORE].organisation
    found = await organisation.colleagues(str(call.scope.organisation), lambda one: "practitioner" in one.roles)
    return [(one.account, one.name or one.account) for one in found]


async def erase(call: Call) -> int:
    """What was named is destroyed, once for a report that waits for its answer, with a notice to whose it was and to
    who owns the organisation; how many.

    Errors: ``not_found`` (it is no such report, or no more), ``invalid`` (nothing was named, or nothing is there),
    those of a proof; ``conflict`` where a law demands that one of them be kept a while: nobody sees it from now on, and
    it goes at the end of that.
    """
    app, said = call.request.app, call.body
    store = app[STORE]
    asked = await store.decisions.get(call.scope, call.path["request"])
    if asked.what != "minor" or asked.decided or asked.erased:
        raise DomainError("not_found")
    if not said.link and not (said.account and said.starts):
        raise Wrong({"link": "missing"})
    at = moment(call, "starts", said.starts) if said.starts else None
    await factors.proved(call, said.password.get_secret_value(), said.code)
    found = await by_link(call, said.link) if said.link else await planned(call, said.account, at)
    if not found:
        raise Wrong({"link": "none-there"})
    kept, by = 0, practitioner(call.practitioner)
    for one in found:
        told = store.notices.of(one.owner, *await news(call, one.owner))
        if one is found[0]:
            told = store.decisions.once(asked, told)
        try:
            await store.retention.destroy(of_practitioner(one.owner), one.id, APPOINTMENTS, along=told, by=by)
        except DomainError as error:
            if error.code != "bad_state":
                raise
            kept += 1
        await app[SIGNALING].told(one.owner)
    if kept:
        raise DomainError("conflict")
    return len(found)


async def news(call: Call, account: str) -> list[News]:
    """For whose it was, and for each other person who owns the organisation."""
    store = call.request.app[STORE]
    person = await store.practitioners.get(of_practitioner(account))
    said = [News("minor-erased", person.mail, person.language)]
    for owner in await store.decisions.owners(str(call.scope.organisation)):
        if owner != account:
            with suppress(DomainError):  # who cannot be read has no address
                other = await store.practitioners.get(of_practitioner(owner))
                said.append(News("minor-erased-there", other.mail, other.language))
    return said


async def named(call: Call) -> str:
    """Whose practice a report is about, where a link stands in it that leads to an appointment; else nobody's."""
    store = call.request.app[STORE]
    for secret in LINKS.findall(call.body.text)[:MOST_LINKS]:
        visit = await store.appointments.by_link(of_link(secret[:22]), secret[22:])
        if visit is not None:
            return visit.appointment.owner
    return ""


async def by_link(call: Call, link: str) -> Sequence[Where]:
    """What a patient's or a guest's link leads to, where it is of this organisation's."""
    store, secret = call.request.app[STORE], link.strip().rpartition("#")[2]
    if len(secret) != LINK:
        return ()
    visit = await store.appointments.by_link(of_link(secret[:22]), secret[22:])
    if visit is None or not await _is_ours(call, visit.appointment.owner):
        return ()
    return (Where(visit.appointment.owner, visit.whole.id if visit.whole else visit.appointment.id),)


async def planned(call: Call, account: str, at: datetime | None) -> Sequence[Where]:
    """What somebody of this organisation planned for that minute."""
    if at is None or not await _is_ours(call, account):
        return ()
    store, zone = call.request.app[STORE], call.request.app[ZONE]()
    day = at.astimezone(zone).date()
    listed = await store.appointments.list(of_practitioner(account), day, day, zone)
    return [Where(one.owner, one.id) for one in listed if timedelta(0) <= one.starts_at - at < timedelta(minutes=1)]


async def _is_ours(call: Call, account: str) -> bool:
    standing = await call.request.app[STORE].organisation.standing(account)
    return standing is not None and standing.organisation == call.scope.organisation


def erased(call: Call, count: object) -> Draft:
    on = request(str(call.scope.organisation), call.path["request"])
    return Draft(Act.MINOR_ERASED, practitioner(call.practitioner), on, str(count))


SAYS: Final = PROOF | {"bad_state": ("password", "sight.factor"), "conflict": ("link", "legal.kept")}
"""Beside the fields of a proof."""
