"""A server with a mail server, and a patient whose browser has no scripts."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

import pytest

from practice.agenda.guests import Invitee
from practice.agenda.model import Appointment, patient_link
from practice.invitations.digits import Digits
from practice.outgoing import Door
from signaling.couriers import letterhead
from signaling.mailing import mailers
from signaling.typedefs import DIGITS, TEXTER
from tests.opening import of
from tests.servers.mail import MailServer
from tests.signaling.conftest import Server, opening  # noqa: F401 -- a fixture
from tests.web.forms.conftest import *  # noqa: F403 -- pytest finds fixtures by their names here
from tests.web.forms.conftest import Browser, Seen

TO = "jan@elsewhere.example"


@dataclass
class Patient:
    """Somebody with a link, their browser and their mailbox."""

    browser: Browser
    mails: MailServer
    link: str

    async def ask(self) -> Seen:
        return await self.browser.send("/c/rights/code", f"link={self.link}")

    def digits(self) -> str:
        """Those of the newest mail."""
        (found,) = re.findall(r"\b\d{6}\b", self.mails.taken[-1].message.get_content())
        return str(found)

    async def come_in(self) -> Seen:
        """All the way, as a browser goes it."""
        asked = await self.ask()
        assert (asked.status, asked.location) == (303, "/c/rights/code?done=code-sent"), asked.html
        typed = await self.browser.send("/c/rights/open", f"code={self.digits()}")
        assert (typed.status, typed.location) == (303, "/c/rights/mine"), typed.html
        return await self.browser.get("/c/rights/mine")


@pytest.fixture
async def sending(server: Server, mails: MailServer) -> Server:
    """As with a mail server."""
    server.store.outbox.ways = frozenset({"mail"})
    settings = mails.settings()
    by = mailers(server.store, settings, Door.of(settings))
    server.app._state[DIGITS] = Digits(by, server.app[TEXTER], partial(letterhead, server.store))
    return server


Planned = Callable[..., Awaitable[tuple[Appointment, Patient]]]


@pytest.fixture
def planned(sending: Server, mails: MailServer) -> Planned:
    """An appointment of Alice's, and its patient, or with ``guest`` the one of that name."""

    async def plan(mail: str | None = TO, who: str = "jan", guest: str = "") -> tuple[Appointment, Patient]:
        scope, starts_at = of(sending.alice.id), sending.time.now()
        one = await sending.store.appointments.create(scope, "Jan Jansen", starts_at, 30, "nl", mail=mail)
        told = one
        if guest:
            invitee = Invitee(guest, "guardian", "nl", mail=f"{guest.casefold()}@elsewhere.example")
            one = await sending.store.guests.add(scope, one.id, invitee)
        secret = one.guests[-1].secret if guest else told.secret
        link = patient_link("", one).partition("#")[2][:22] + secret
        return one, Patient(Browser(sending, who), mails, link)

    return plan
