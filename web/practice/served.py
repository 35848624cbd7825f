"""What an assistant does for those whom they work for: see who waits and say so, plan, end, destroy."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Final, Literal, get_args

from pydantic import Field

from practice.accounts.model import Language
from practice.agenda.changes import MAX_NAME, MINUTES
from practice.agenda.model import Appointment, GuestRole, patient_link
from practice.agenda.records import APPOINTMENTS
from practice.assistants.model import Engaged
from practice.organisation.rights import Right
from rooms.announced import Announced
from rooms.consult_state import GUEST
from rooms.device_check import Judgement, judged
from rooms.live import Waiting
from signaling.addresses import public_origin
from signaling.gate import SIGNALING
from signaling.protocol.errors import Doubtful, UserError
from signaling.protocol.events import HoldMessage
from signaling.protocol.waiting_room import MOST_WORDS, Decline, DeclineMessage, Status
from signaling.rest.appointments import found_doubtful, in_time
from signaling.rest.endpoint import Call
from signaling.typedefs import NOW, SETTINGS, STORE, ZONE
from vault.audit import Act, Draft, appointment, practitioner
from vault.errors import DomainError
from vault.records.scope import Scope
from web.forms import Fields, Form, Page
from web.forms.doubts import Doubted, demand_meant
from web.locale import NAMES
from web.moments import day_of, time_of
from web.practice.passing_on import TOO_LATE, takers, waits
from web.render import spoken, translated

TODAY: Final = "today"
YEARS: Final = range(2000, 3000)
DAY: Final = timedelta(days=1)
LENGTHS: Final = (10, 15, 20, 30, 45, 60, 90)
DELAYS: Final = (5, 10, 15, 20, 30, 45, 60)
GONE: Final = ("not_found", "gone", "unreadable")


class Planned(Doubted):
    """An appointment, by the practice's clock."""

    patient: Annotated[str, Field(min_length=1, max_length=MAX_NAME)]
    day: date
    time: time
    minutes: Annotated[int, Field(ge=MINUTES.start, lt=MINUTES.stop)]
    language: Language
    anyway: bool = False


class Which(Fields):
    """One of the appointments."""

    appointment: Annotated[str, Field(min_length=1, max_length=22)]


class Whom(Which):
    """Somebody who waits."""

    participant: Annotated[str, Field(min_length=1, max_length=64)]


class Message(Whom):
    """What they are told."""

    message: HoldMessage


class Written(Whom):
    """The same in words of one's own."""

    text: Annotated[str, Field(min_length=1, max_length=MOST_WORDS)]


class Declined(Whom):
    """That they are not received now, and what is said with it."""

    message: DeclineMessage | Literal[""] = ""
    text: Annotated[str, Field(max_length=MOST_WORDS)] = ""


class Passed(Whom):
    """Whose patient they are from now on."""

    to: Annotated[str, Field(min_length=1, max_length=22)]


class Said(Fields):
    """To all who wait."""

    status: Status
    delay: Annotated[int, Field(ge=0, le=240)] = 0


@dataclass(frozen=True)
class Waits:
    """Somebody in the waiting room, by the name that the assistant sees."""

    appointment: str
    participant: str
    name: str
    since: datetime
    connected: bool
    expected: bool
    """The practitioner is in this consult."""
    check: Judgement | None = None
    """How their devices are, where their page says it."""
    written: str | None = None
    said: str | None = None
    number: int | None = None
    """Of who came to an open hour."""
    guest: tuple[GuestRole, str] | None = None
    """As what a guest takes part, and beside whom."""


async def show_all(call: Call) -> Mapping[str, object]:
    """For whom, and all who wait for one of them, in one queue."""
    app, found = call.request.app, []
    served = await app[STORE].assistants.served(call.scope)
    for whom in served:
        scope = await app[STORE].assistants.acting(call.scope, whom.engagement.owner)
        found += [(whom, one) for one in await who_waits(call, scope)]
    seen = sorted({whom.engagement.owner for whom, _ in found})
    await app[STORE].audit.record_all([done_for(call, whom, "watch") for whom in seen])
    queue = sorted(found, key=lambda one: (one[1].since, one[1].participant))
    return {"served": served, "today": TODAY, "waiting": queue, "now": app[NOW]()}


async def show(call: Call) -> Mapping[str, object]:
    """One day of one of them, and who waits now."""
    app, scope, day = call.request.app, await acting(call), the_day(call)
    zone, origin, language = app[ZONE](), public_origin(app[SETTINGS]), spoken(call.request)[0]
    served = await named(call, scope)
    found = await app[STORE].appointments.agenda(scope, day, day, zone)
    return {
        "name": served.name,
        "admits": served.engagement.admits,
        "practitioner": scope.person,
        "day": day,
        "now": app[NOW](),
        "day_said": day_of(day, language),
        "days": [(day - DAY).isoformat(), TODAY, (day + DAY).isoformat()],
        "waiting": await who_waits(call, scope),
        "appointments": [
            (one, time_of(one.starts_at.astimezone(zone), language), patient_link(origin, one), in_time(app, one))
            for one in found.appointments
        ],
        "unreadable": len(found.damaged),
        "messages": get_args(HoldMessage),
        "declines": get_args(DeclineMessage),
        "takers": await takers(call, scope) if served.engagement.admits else [],
        "lengths": LENGTHS,
        "names": list(NAMES.items()),
        "most": MAX_NAME,
        "most_words": MOST_WORDS,
        "announced": (await app[SIGNALING].consults.beside.announcements.of([str(scope.person)]))[str(scope.person)],
        "statuses": get_args(Status),
        "delays": DELAYS,
    }


async def named(call: Call, scope: Scope) -> Engaged:
    """Whom the address names. Errors: ``not_found`` where that ended just now."""
    for one in await call.request.app[STORE].assistants.served(call.scope):
        if one.engagement.owner == scope.person:
            return one
    raise UserError("not_found")


async def who_waits(call: Call, scope: Scope) -> list[Waits]:
    """In the order in which they came, but for appointments that are no more."""
    app = call.request.app
    consults = app[SIGNALING].consults
    desk, words, found = await consults.live.desk(str(scope.person)), consults.beside.words, []
    for one in desk.waiting:
        try:
            planned = await app[STORE].appointments.get(scope, one.appointment)
        except DomainError as error:
            if error.code not in GONE:
                raise
        else:
            since = datetime.fromtimestamp(one.since / 1000, UTC)
            expected = desk.in_consult == one.appointment
            check = judged(one.check) if one.check and one.connected else None
            written = words.opened(one.written, one.appointment, one.seat, "written")
            said = words.opened(one.said, one.appointment, one.seat, "said")
            name, as_guest = who_is(call, planned, one)
            who = one.appointment, one.participant, name
            found.append(Waits(*who, since, one.connected, expected, check, written, said, one.number, as_guest))
    return found


def who_is(call: Call, planned: Appointment, one: Waiting) -> tuple[str, tuple[GuestRole, str] | None]:
    """By which name, and as which guest: one who was just taken off the appointment is nobody that is known."""
    if one.role != GUEST:
        return planned.patient, None
    guest = next((each for each in planned.guests if each.id == one.seat), None)
    if guest is None:
        return translated(call.request)("day.unknown"), ("guest", planned.patient)
    return guest.name, (guest.role, planned.patient)


async def plan(call: Call) -> Appointment:
    """One more; what is seldom meant is asked about first."""
    app, scope, asked = call.request.app, await acting(call), call.body
    demand_meant(asked, "patient")
    length, starts_at = timedelta(minutes=asked.minutes), by_the_clock(call, asked.day, asked.time)
    doubts = [] if asked.anyway else await found_doubtful(app, scope, starts_at, length)
    if doubts:
        raise Doubtful(doubts)
    made = await app[STORE].appointments.create(scope, asked.patient, starts_at, asked.minutes, asked.language)
    return await entered(call, Act.APPOINTMENT_CREATED, made)


def by_the_clock(call: Call, day: date, at: time) -> datetime:
    """A moment of the practice's clock. A time that the clock leaves out is as much later."""
    zone = call.request.app[ZONE]()
    return datetime.combine(day, at.replace(tzinfo=None), zone).astimezone(UTC).astimezone(zone)


async def end(call: Call) -> Appointment:
    """It is over."""
    appointments, scope, wanted = call.request.app[STORE].appointments, await acting(call), call.body.appointment
    await appointments.get(scope, wanted)
    return await entered(call, Act.APPOINTMENT_ENDED, await appointments.end(scope, wanted))


async def reopen(call: Call) -> Appointment:
    """It ended too early."""
    app, scope, wanted = call.request.app, await acting(call), call.body.appointment
    if not in_time(app, await app[STORE].appointments.get(scope, wanted)):
        raise UserError("ended")
    return await entered(call, Act.APPOINTMENT_CHANGED, await app[STORE].appointments.reopen(scope, wanted))


async def cancel(call: Call) -> Appointment:
    """It is destroyed in a moment, unless it is kept."""
    app, scope, wanted = call.request.app, await acting(call), call.body.appointment
    appointments = app[STORE].appointments
    await appointments.get(scope, wanted)
    held = await app[SIGNALING].in_progress(wanted)
    return await entered(call, Act.APPOINTMENT_CANCELLED, await appointments.cancel(scope, wanted, held=held))


async def keep(call: Call) -> Appointment:
    """Take that back."""
    kept = await call.request.app[STORE].appointments.keep(await acting(call), call.body.appointment)
    return await entered(call, Act.APPOINTMENT_KEPT, kept)


async def destroy(call: Call) -> None:
    """Irrecoverably, now. Storage enters that; for whom it was done stands behind it."""
    store, scope = call.request.app[STORE], await acting(call)
    await store.retention.destroy(scope, call.body.appointment, APPOINTMENTS)
    await store.audit.record_all([done_for(call, str(scope.person), Act.DESTROYED)])
    await call.request.app[SIGNALING].told(str(scope.person))


async def tell(call: Call) -> None:
    """A canned message to somebody who waits, entered as where a socket says it."""
    await acting(call)
    asked, greeting = call.body, call.request.app[SIGNALING].desks.greeting
    await greeting.tell(call.practitioner, asked.appointment, asked.participant, asked.message)


async def write(call: Call) -> None:
    """The same in words of one's own."""
    await acting(call)
    asked, greeting = call.body, call.request.app[SIGNALING].desks.greeting
    await greeting.write(call.practitioner, asked.appointment, asked.participant, asked.text)


async def decline(call: Call) -> None:
    """Do not receive somebody who waits, in the words of both fields; entered as where a socket does it."""
    await acting(call)
    asked, greeting = call.body, call.request.app[SIGNALING].desks.greeting
    text = asked.text.strip() or None
    whom = {"appointment": asked.appointment, "participant": asked.participant}
    await greeting.decline(call.practitioner, Decline(**whom, message=asked.message or None, text=text))


async def hand_over(call: Call) -> None:
    """Somebody who waits goes on waiting, for a colleague; entered by storage, and for whom it was done.

    Errors: ``not_found`` (also where the practitioner lets nobody in by others).
    """
    scope, asked = await acting(call), call.body
    if not (await named(call, scope)).engagement.admits:
        raise UserError("not_found")
    found = await waits(call, scope, asked.appointment)
    await call.request.app[STORE].handing.hand_one(scope, found.id, asked.to)
    await call.request.app[STORE].audit.record_all([done_for(call, str(scope.person), Act.APPOINTMENT_HANDED_OVER)])


async def announce(call: Call) -> None:
    """Say to all who wait how it stands."""
    scope, asked = await acting(call), call.body
    announced = Announced(asked.status, asked.delay or None)
    await call.request.app[SIGNALING].desks.greeting.announce(call.practitioner, str(scope.person), announced)


async def call_in(call: Call) -> None:
    """Let somebody in to the practitioner, entered as where a socket does it."""
    await acting(call)
    asked, greeting = call.body, call.request.app[SIGNALING].desks.greeting
    await greeting.call_in(call.practitioner, asked.appointment, asked.participant)


async def acting(call: Call) -> Scope:
    """That of whom the address names. Errors: ``not_found``."""
    return await call.request.app[STORE].assistants.acting(call.scope, call.path["practitioner"])


def the_day(call: Call) -> date:
    """That the address names, of the practice's. Errors: ``not_found``."""
    app, said = call.request.app, call.path["day"]
    if said == TODAY:
        return app[NOW]().astimezone(app[ZONE]()).date()
    try:
        day = date.fromisoformat(said)
    except ValueError:
        raise UserError("not_found") from None
    if day.year not in YEARS:
        raise UserError("not_found")
    return day


async def entered(call: Call, act: Act, one: Appointment) -> Appointment:
    """Who did it, and behind it for whom; every desk reads it anew."""
    done = Draft(act, practitioner(call.practitioner), appointment(one.owner, one.id))
    await call.request.app[STORE].audit.record_all([done, done_for(call, one.owner, act)])
    await call.request.app[SIGNALING].told(one.owner)
    return one


def done_for(call: Call, whom: str, act: str) -> Draft:
    return Draft(Act.WORKED_FOR, practitioner(call.practitioner), practitioner(whom), act)


def listed(call: Call, page: Mapping[str, object]) -> Draft:
    found = page["appointments"]
    assert isinstance(found, list)
    by, on = practitioner(call.practitioner), practitioner(call.path["practitioner"])
    return Draft(Act.APPOINTMENTS_LISTED, by, on, str(len(found)))


SERVED: Final = Page("/served", "practice/served.html", show_all, right=Right.ASSIST)
ONE: Final = Page("/served/{practitioner}/{day}", "practice/served_day.html", show, entered=listed, right=Right.ASSIST)

PAGES: Final = (SERVED, ONE)
FORMS: Final = (
    Form(f"{ONE.path}/plan", ONE, Planned, plan, done="planned", says={"doubtful": ("anyway", "served.doubtful")}),
    Form(f"{ONE.path}/end", ONE, Which, end, done="saved"),
    Form(f"{ONE.path}/reopen", ONE, Which, reopen, done="saved"),
    Form(f"{ONE.path}/cancel", ONE, Which, cancel, done="cancelled"),
    Form(f"{ONE.path}/keep", ONE, Which, keep, done="kept"),
    Form(
        f"{ONE.path}/destroy",
        ONE,
        Which,
        destroy,
        done="appointment-destroyed",
        says={"bad_state": ("", "legal.kept")},
    ),
    Form(f"{ONE.path}/tell", ONE, Message, tell, done="told"),
    Form(f"{ONE.path}/write", ONE, Written, write, done="told"),
    Form(f"{ONE.path}/decline", ONE, Declined, decline, done="declined"),
    Form(f"{ONE.path}/hand-over", ONE, Passed, hand_over, done="passed-on", says=TOO_LATE),
    Form(f"{ONE.path}/announce", ONE, Said, announce, done="announced"),
    Form(f"{ONE.path}/call-in", ONE, Whom, call_in, done="called-in"),
)
"""``pages`` has each page and each form."""
