"""What is asked, agreed to and withdrawn. What somebody agreed to stands in the appointment; see ``agenda.consenting``.

**Withdrawing destroys**: the appointment falls due in the transaction that says so, and the next sweep, which is woken,
destroys it. Whoever is in its consult is put out before by who asked (``signaling.rest.consents``).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, get_args

from sqlalchemy import bindparam, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from practice.accounts.model import Language
from practice.accounts.sole import SoleRecords
from practice.agenda.ages import LIFT_REASONS, Age, Lifted, LiftReason
from practice.agenda.ages import checked as checked_age
from practice.agenda.consenting import Missing, agreed, demands, lacking, missing, standing, withdrawn
from practice.agenda.guests import whose
from practice.agenda.labels import seen
from practice.agenda.model import Appointment, Consent, Purpose
from practice.agenda.turning import ROW, Turning, asked, first
from practice.agenda.visit import Visit
from practice.consents.model import ASKABLE, AskedConsents, ConsentWording
from practice.consents.records import CONSENTS, consents
from practice.consents.texts import WRITTEN, counting, current, to_read
from practice.names import named
from practice.organisation.one_each import OneEach
from practice.organisation.records import MEMBERS, members
from practice.organisation.rights import Right, demand
from vault.errors import DomainError, Gone
from vault.records.content import new_id
from vault.records.reading import Reader
from vault.records.scope import Scope
from vault.records.stores import Means, RecordStore

MAX_TEXT: Final = 4000
MOST_TEXTS: Final = 100
MAX_NOTE: Final = 300

HOUSE = select(members.c.owner).where(members.c.account == bindparam("account"), MEMBERS.is_living)
OF_ACCOUNT = CONSENTS.living().where(or_(consents.c.owner == bindparam("account"), consents.c.owner.in_(HOUSE)))


@dataclass(frozen=True, slots=True)
class Reading:
    """What a link asks of whoever has it: ``texts`` to agree to, ``given`` what they agreed to and what they read then,
    and why they would not get into the waiting room now.
    """

    texts: list[ConsentWording]
    given: list[tuple[Consent, ConsentWording | None]]
    missing: Missing | None

    @property
    def is_open(self) -> bool:
        """Whether something is still to be agreed to by this link."""
        return bool(self.texts)


class Asks:
    """For whoever plans."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def of(self, connection: AsyncConnection, account: str) -> tuple[Purpose, ...]:
        """What this account and its organisation ask, inside the caller's transaction. Errors: ``unreadable``."""
        rows = (await connection.execute(OF_ACCOUNT, {"account": account})).all()
        found = [one for row in rows if (one := await self._one(row))]
        return tuple(ask for ask in ASKABLE if any(ask in one.asks for one in found))

    async def _one(self, row: Any) -> AskedConsents | None:
        try:
            return (await self._reader.one(CONSENTS, row))[0]
        except Gone:  # its owner ends, and what is planned with it
            return None


class HouseAsks(OneEach[AskedConsents]):
    """What organisations ask."""

    def __init__(self, means: Means) -> None:
        super().__init__(means, CONSENTS)

    async def decide(self, made: AskedConsents, seen: int) -> AskedConsents:
        """In place of what was there. Errors: ``conflict``, ``closing``."""
        return await self._write(made, seen, lambda it: replace(it, asks=made.asks, texts=made.texts, version=seen + 1))


class Consents(RecordStore):
    """``store.consents``. Errors of all: ``locked``, ``try_again``, ``unreadable``."""

    def __init__(self, means: Means, turning: Turning) -> None:
        super().__init__(means)
        self._sole = SoleRecords(means, CONSENTS)
        self._houses = HouseAsks(means)
        self._turning = turning

    async def mine(self, scope: Scope) -> AskedConsents:
        """What somebody asks themselves; version 0 where they never decided."""
        return await self._sole.of(scope.owner) or AskedConsents("", scope.owner)

    async def ask(self, scope: Scope, asks: Collection[Purpose], seen: int) -> AskedConsents:
        """Of what is planned from now on. Errors: ``invalid``, ``conflict``, ``not_found`` (the account is closing)."""
        before = await self.mine(scope)
        after = replace(before, id=before.id or new_id(), asks=_askable(asks), version=seen + 1)
        return await self._sole.put(after, before)

    async def house(self, scope: Scope) -> AskedConsents:
        """What somebody's organisation asks. Errors: ``not_found`` (without the right)."""
        return await self._houses.of(scope) or AskedConsents("", demand(scope, Right.POLICIES))

    async def ask_in_house(
        self, scope: Scope, asks: Collection[Purpose], texts: Mapping[Language, str], seen: int
    ) -> AskedConsents:
        """Of what is planned from now on; with its own text in some languages, of which one that differs is a new
        version and asked of everybody again, also of what is planned already.

        Errors: ``not_found`` (also without the right), ``invalid`` (a field, or as many versions as there may be),
        ``conflict``, ``closing``.
        """
        organisation = demand(scope, Right.POLICIES)
        chosen, now = _askable(asks), self._now()
        typed = {language: _typed(text) for language, text in texts.items() if language in get_args(Language)}
        if "house" in chosen and not any(typed.values()):
            raise DomainError("invalid", "house")
        before = await self._houses.of(scope) or AskedConsents("", organisation)
        last = {one.language: one.text for one in before.texts}
        more = [ConsentWording("house", at, text, now) for at, text in typed.items() if text != last.get(at, "")]
        if len(before.texts) + len(more) > MOST_TEXTS:
            raise DomainError("invalid", "house")
        made = AskedConsents(new_id(), organisation, chosen, (*before.texts, *more), 1)
        return await self._houses.decide(made, seen)

    async def missing(self, scope: Scope, visit: Visit) -> Missing | None:
        """Why whoever came by this link does not get into the waiting room; None where they do."""
        one = _of_link(scope, visit)
        return await self.missing_of(scope, one, visit.seat)

    async def missing_of(self, scope: Scope, one: Appointment, seat: str) -> Missing | None:
        """The same of an appointment as it is, for a seat of its consult. Errors: ``not_found`` (the scope)."""
        if not scope.covers(one.owner, one.id):
            raise DomainError("not_found")
        return missing(one, seat, current(await self._counting(one))) if demands(one) else None

    async def missing_in(self, scope: Scope, planned: Sequence[Appointment]) -> dict[str, Missing]:
        """Of each whose patient would not get into the waiting room now, why. All are of the scope's."""
        if not all(scope.covers(one.owner, one.id) for one in planned):
            raise DomainError("not_found")
        asking = [one for one in planned if demands(one)]
        house = next((one.owner for one in asking if "house" in one.asks), None)
        counts = current(counting(await self._house_of(house) if house else None))
        return {one.id: why for one in asking if (why := missing(one, "patient", counts))}

    async def reading(self, scope: Scope, visit: Visit, language: Language) -> Reading:
        """What a link asks of whoever has it."""
        one, seat = _of_link(scope, visit), visit.seat
        texts = await self._counting(one)
        counts = current(texts)
        kept = [(given, await self._read_then(one, given)) for given in one.consents if given.seat == seat]
        standing_ = [(given, text) for given, text in kept if standing(one, seat, given.purpose) == given]
        return Reading(to_read(texts, lacking(one, seat, counts), language), standing_, missing(one, seat, counts))

    async def give(self, scope: Scope, secret: str, versions: Collection[str], visit: Visit) -> Appointment:
        """Whoever came by this link agrees to these texts, in the language in which each is. On disk when this
        returns.

        Errors: ``conflict`` (one of them is not asked any more: there is a newer text), ``invalid`` (none, or it is
        not asked of them), ``ended``, ``gone``, ``not_found``.
        """
        one, seat = _of_link(scope, visit), visit.seat
        known = {text.version: text for text in (await self._counting(one)).values()}
        if not set(versions) <= known.keys():
            raise DomainError("conflict")
        read = {(text := known[version]).purpose: (version, text.language) for version in versions}
        now = self._now()

        def changed(before: Appointment) -> Appointment:
            _demand_link(before, secret, seat)
            return agreed(before, seat, secret, read, now)

        return await self._turn(one, changed)

    async def withdraw(self, scope: Scope, secret: str, visit: Visit) -> Appointment:
        """Whoever came by this link takes back all that they agreed to: the appointment is due now.

        Errors: ``bad_state`` (they agreed to nothing), ``gone``, ``not_found``.
        """
        one, seat, now = _of_link(scope, visit), visit.seat, self._now()

        def changed(before: Appointment) -> Appointment:
            _demand_link(before, secret, seat)
            return withdrawn(before, seat, now)

        after = await self._turn(one, changed)
        self._sweep()
        return after

    async def say_age(self, scope: Scope, appointment_id: str, age: Age) -> Appointment:
        """How old its patient is then, said by who plans it. Who was lifted for is asked about again.

        Errors: ``invalid`` (with the field), ``not_found`` (also for somebody else's), ``gone``, ``ended``.
        """
        scope.demand("practitioner", "assistant")
        row, now = await self._turning.living(scope, appointment_id), self._now()

        def changed(before: Appointment) -> Appointment:
            _demand_planned(before)
            after = replace(before, age=checked_age(age, now, before.starts_at))
            return before if after.age == before.age else replace(after, lifted=None)

        return seen(await self._turning.turn(row, changed), scope)

    async def lift(self, scope: Scope, appointment_id: str, reason: LiftReason, note: str) -> Appointment:
        """A child is received although no guardian consented: by the practitioner, who says why.

        Errors: ``invalid`` (with the field; ``note`` where *otherwise* says nothing), ``bad_state`` (none is needed),
        ``not_found`` (also for somebody else's, and for who works for them), ``gone``, ``ended``.
        """
        scope.demand("practitioner")
        if reason not in LIFT_REASONS:
            raise DomainError("invalid", "reason")
        note = named(note, "note", MAX_NOTE) if note.strip() or reason == "otherwise" else ""
        row, now = await self._turning.living(scope, appointment_id), self._now()

        def changed(before: Appointment) -> Appointment:
            _demand_planned(before)
            if not before.is_of_a_child:
                raise DomainError("bad_state")
            return replace(before, lifted=Lifted(reason, note, now))

        return seen(await self._turning.turn(row, changed), scope)

    async def _turn(self, one: Appointment, changed: Any) -> Appointment:
        row = first(await self._database.ask(ROW, {"wanted": asked(one.id)}))
        if row is None:
            raise DomainError("gone")
        return await self._turning.turn(row, changed, late=True)  # a consult that runs over its time ends nobody's say

    async def _counting(self, one: Appointment) -> dict[tuple[Purpose, Language], ConsentWording]:
        """What is asked now. Only what a practice asks itself is looked up."""
        return counting(await self._house_of(one.owner) if "house" in one.asks else None)

    async def _house_of(self, account: str) -> AskedConsents | None:
        rows = await self._database.ask(OF_ACCOUNT, {"account": account})
        for row in rows:
            if row.owner != account:
                return (await self._reader.one(CONSENTS, row))[0]
        return None

    async def _read_then(self, one: Appointment, given: Consent) -> ConsentWording | None:
        house = await self._house_of(one.owner) if given.purpose == "house" else None
        texts = house.texts if house else WRITTEN
        return next((text for text in texts if text.version == given.version), None)


def _of_link(scope: Scope, visit: Visit) -> Appointment:
    """Errors: ``not_found``."""
    scope.demand("guest")
    if visit.whole is None or not scope.covers(visit.whole.owner, visit.whole.id):
        raise DomainError("not_found")
    return visit.whole


def _demand_link(one: Appointment, secret: str, seat: str) -> None:
    """Errors: ``not_found``, where the link is another since."""
    right, guest = whose(one, secret)
    if not right or (guest.id if guest else "patient") != seat:
        raise DomainError("not_found")


def _demand_planned(one: Appointment) -> None:
    if one.state != "planned" or one.cancelled_at or one.withdrawn_at:
        raise DomainError("ended")


def _askable(asks: Collection[Purpose]) -> tuple[Purpose, ...]:
    if not set(asks) <= set(ASKABLE):
        raise DomainError("invalid", "asks")
    return tuple(one for one in ASKABLE if one in asks)


def _typed(text: str) -> str:
    """A text with its white space tidied; an empty one is none."""
    return named(" ".join(text.split()), "house", MAX_TEXT) if text.strip() else ""
