"""An outbox with a mail server that the test runs, and appointments whose patients are told."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from practice.accounts.model import Practitioner
from practice.agenda.cancelling import UNDO
from practice.agenda.changes import Correction
from practice.agenda.model import Appointment
from practice.invitations.courier import Courier
from practice.invitations.records import dispatches
from practice.outgoing import Door
from practice.sms_providers.sending import Texter
from practice.storage import Store
from signaling import couriers, mailing
from tests.opening import of
from tests.people import START, Time
from tests.practice.posting import ORIGIN
from tests.servers.mail import Mail, MailServer
from tests.servers.sms import SmsServer

TO = "Jan.Jansen@example.com"
ZONE = ZoneInfo("Europe/Amsterdam")


class Told:
    """Whose appointments changed their state, as desks are told."""

    def __init__(self) -> None:
        self.owners: list[str] = []

    async def __call__(self, owner: str) -> None:
        self.owners.append(owner)


def courier(store: Store, server: MailServer, told: Told | None = None, **changes: Any) -> Courier:
    settings = server.settings(**changes)
    by = mailing.mailers(store, settings, Door.of(settings))
    made = couriers.courier(store, by, ORIGIN, lambda: ZONE, told or Told())
    assert made is not None
    return made


def sender_of(store: Store, mails: MailServer | None, provider: SmsServer, **sms: Any) -> Courier:
    """By both ways, or by text message alone."""
    settings, by = provider.settings(**sms), None
    if mails is not None:
        by = mailing.mailers(store, mails.settings(), Door.of(mails.settings()))
    texter = Texter(settings.sms, Door.of(settings), store.sms_providers.of_owner, store.clock.wall)
    made = couriers.courier(store, by, ORIGIN, lambda: ZONE, Told(), texter)
    assert made is not None
    return made


async def send_by(sender: Courier, time: Time) -> None:
    """What is written, after the time in which it may be taken back."""
    time.pass_(seconds=UNDO.total_seconds())
    await sender.round()


async def invited(
    store: Store, person: Practitioner, mail: str = TO, starts_at: datetime = START + timedelta(days=2)
) -> Appointment:
    return await store.appointments.create(of(person.id), "Jan Jansen", starts_at, 30, "nl", mail=mail)


async def moved(store: Store, one: Appointment, **span: float) -> Appointment:
    correction = Correction(one.version, starts_at=one.starts_at + timedelta(**span))
    return await store.appointments.change(of(one.owner), one.id, correction)


async def send(store: Store, server: MailServer, time: Time) -> None:
    """What is written, after the time in which it may be taken back."""
    time.pass_(seconds=UNDO.total_seconds())
    await courier(store, server).round()


def subjects(server: MailServer) -> list[str]:
    """The first word of each."""
    return [str(one.message["Subject"]).partition(" ")[0] for one in server.taken]


def event(mail: Mail) -> dict[str, str]:
    """The calendar entry of a letter, its lines unfolded."""
    part = next(one for one in mail.message.walk() if one.get_content_type() == "text/calendar")
    lines = str(part.get_content()).replace("\r\n ", "").splitlines()
    return {line.partition(":")[0].partition(";")[0]: line.partition(":")[2] for line in lines}


async def rows(store: Store) -> Sequence[Any]:
    async with store.database.read() as connection:
        return (await connection.execute(select(dispatches).order_by(dispatches.c.written))).all()


async def states(store: Store, one: Appointment) -> list[tuple[str, str]]:
    """Word and state of all that was written of an appointment."""
    found = (await store.outbox.of([one])).get(one.id, [])
    return [(dispatch.word, dispatch.state) for dispatch in found]
