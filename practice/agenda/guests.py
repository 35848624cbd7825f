"""Guests of an appointment: who takes part beside patient and practitioner, each by a link of their own.

They stand inside what is sealed with the appointment: handed over, exported and destroyed with it, under its key.
"""

import hmac
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final, get_args

from sqlalchemy import Row

from practice.accounts.model import Language
from practice.agenda.changes import MAX_NAME, Changed
from practice.agenda.labels import seen
from practice.agenda.model import GUEST_ROLES, Appointment, Contact, Guest, GuestRole
from practice.agenda.posting import Post
from practice.agenda.turning import Turning
from practice.names import named
from vault.errors import DomainError
from vault.records.content import new_id
from vault.records.scope import Scope

MOST: Final = 10
"""Guests of one appointment."""


@dataclass(frozen=True, slots=True)
class Invitee:
    """Who is to take part, as it was typed."""

    name: str = field(repr=False)
    role: GuestRole
    language: Language
    mail: str | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)


def whose(one: Appointment, secret: str) -> tuple[bool, Guest | None]:
    """Whether this opens the appointment, and for which guest if not for the patient."""
    given = secret.encode()
    found = [guest for guest in one.guests if hmac.compare_digest(guest.secret.encode(), given)]
    patient = hmac.compare_digest(one.secret.encode(), given)
    return patient or bool(found), None if patient or not found else found[0]


class Guests:
    """``store.guests``."""

    def __init__(self, turning: Turning, post: Post) -> None:
        self._turning = turning
        self._post = post

    async def add(self, scope: Scope, appointment_id: str, invitee: Invitee) -> Appointment:
        """With one guest more; with an address they are invited. On disk when this returns.

        Errors: ``invalid`` (with the field), ``not_found`` (also for somebody else's), ``gone``, ``ended``,
        ``guests_full``.
        """
        name = named(invitee.name, "name", MAX_NAME)
        if invitee.role not in GUEST_ROLES:
            raise DomainError("invalid", "role")
        if invitee.language not in get_args(Language):
            raise DomainError("invalid", "language")
        row = await self._row(scope, appointment_id)
        mail, phone = await self._post.demand(row.owner, invitee.mail or None, invitee.phone or None)
        contact = Contact(mail, phone, new_id()) if mail or phone else None
        guest = Guest(new_id(), name, invitee.role, invitee.language, new_id(), contact)
        return seen(await self._turning.turn(row, partial(_with, guest)), scope)

    async def renew(self, scope: Scope, appointment_id: str, guest_id: str) -> Appointment:
        """The guest has another link, and is told of it; the one before leads nowhere from here on.

        Errors: ``not_found`` (also of a guest who is none), ``gone``, ``ended``.
        """
        return await self._change(scope, appointment_id, partial(_renewed, guest_id))

    async def remove(self, scope: Scope, appointment_id: str, guest_id: str) -> Appointment:
        """They take part no more: their link leads nowhere, and nothing of them is kept. Errors: as ``renew``."""
        return await self._change(scope, appointment_id, partial(_without, guest_id))

    async def erase(self, scope: Scope, appointment_id: str, guest_id: str) -> Appointment:
        """The same because the guest asks for it (S-43): also of what is over, cancelled, or runs over its time.

        Errors: ``not_found`` (also of a guest who is none), ``gone``.
        """
        row = await self._row(scope, appointment_id)
        return seen(await self._turning.turn(row, partial(_without, guest_id), late=True), scope)

    async def _change(self, scope: Scope, appointment_id: str, become: Changed) -> Appointment:
        def changed(one: Appointment) -> Appointment:
            _demand_open(one)
            return become(one)

        return seen(await self._turning.turn(await self._row(scope, appointment_id), changed), scope)

    async def _row(self, scope: Scope, appointment_id: str) -> Row[Any]:
        scope.demand("practitioner", "assistant")
        return await self._turning.living(scope, appointment_id)


def _demand_open(one: Appointment) -> None:
    if one.state != "planned" or one.cancelled_at:
        raise DomainError("ended")


def _with(guest: Guest, one: Appointment) -> Appointment:
    _demand_open(one)
    if len(one.guests) >= MOST:
        raise DomainError("guests_full")
    return replace(one, guests=(*one.guests, guest))


def _renewed(guest_id: str, one: Appointment) -> Appointment:
    _demand_guest(guest_id, one)
    anew = partial(replace, id=new_id(), secret=new_id())
    return replace(one, guests=tuple(anew(guest) if guest.id == guest_id else guest for guest in one.guests))


def _without(guest_id: str, one: Appointment) -> Appointment:
    """What they agreed to goes along; that they withdrew is why the appointment goes, and stays until then."""
    _demand_guest(guest_id, one)
    return replace(
        one,
        guests=tuple(guest for guest in one.guests if guest.id != guest_id),
        consents=tuple(given for given in one.consents if given.seat != guest_id or given.withdrawn),
    )


def _demand_guest(guest_id: str, one: Appointment) -> None:
    if guest_id not in {guest.id for guest in one.guests}:
        raise DomainError("not_found")
