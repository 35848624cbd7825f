"""A letter of the newsletter as RFC 5322 has it, with the way out that a mail program shows (RFC 8058, RFC 2369).

What somebody typed stands in its subject and text: both are checked when they are written (``store``).
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, tzinfo
from email.headerregistry import BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, Policy
from email.utils import format_datetime
from typing import Final

from babel.dates import format_date

from practice.accounts.model import Language, Practitioner
from practice.circulars.model import Circular, Subscription
from practice.mailboxes import mailbox
from practice.notices.paper import Paper, add_page, footed


class Whole(UnstructuredHeader, BaseHeader):
    """A header that stands in one line: of an address that is folded a mail program makes none."""

    def fold(self, *, policy: Policy) -> str:
        """As it is; far below the 998 characters of a line (RFC 5322, 2.1.1)."""
        return f"{self.name}: {self}{policy.linesep}"


HEADERS: Final = HeaderRegistry()
HEADERS.map_to_type("list-unsubscribe", Whole)
POLICY: Final = SMTP.clone(cte_type="7bit", max_line_length=76, header_factory=HEADERS)
LEAVING: Final = "/newsletter/leave/"
"""Where a letter's link leads: who reads it presses a button, a mail program sends a POST there."""

ONE_CLICK: Final = "List-Unsubscribe=One-Click"
FOOT: Final[dict[Language, str]] = {
    "nl": "U krijgt deze nieuwsbrief omdat u er op {day} om vroeg. Afmelden:\n{link}",
    "en": "You get this newsletter because you asked for it on {day}. Unsubscribe:\n{link}",
    "de": "Sie bekommen diesen Newsletter, weil Sie ihn am {day} bestellt haben. Abbestellen:\n{link}",
    "fr": "Vous recevez cette lettre depuis le {day}, à votre demande. Se désabonner\N{NO-BREAK SPACE}:\n{link}",
}


@dataclass(frozen=True)
class Issue:
    """One letter: of which circular, for whom, by which subscription; ``origin`` is where people find this server."""

    circular: Circular
    subscription: Subscription
    person: Practitioner
    origin: str
    token: str

    @property
    def link(self) -> str:
        """The way out."""
        return f"{self.origin}{LEAVING}{self.token}"

    def text(self, zone: tzinfo) -> str:
        """What is written, and below it why it came and how to stop it, in the language of who reads it."""
        one, language = self.subscription, self.person.language
        assert one.given is not None
        day = format_date(one.given.astimezone(zone), format="long", locale=language)
        return f"{self.circular.text}\n\n{FOOT[language].format(day=day, link=self.link)}"

    def letter(self, sender: str, now: datetime, zone: tzinfo, paper: Paper) -> tuple[str, bytes]:
        """To whom, and what. Errors: ValueError for an address that mail cannot be sent to."""
        to, circular = mailbox(self.person.mail), self.circular
        message = EmailMessage(POLICY)
        message["From"], message["To"] = sender, to
        message["Subject"] = circular.subject
        message["Date"] = format_datetime(now)
        # The same at each try: whoever gets it twice can tell. It is made of the rows' ids and does not tell them.
        mark = hashlib.sha256(f"{circular.id} {self.subscription.id}".encode()).hexdigest()[:32]
        message["Message-ID"] = f"<{mark}@{sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no vacation answers, please
        message["List-Unsubscribe"] = f"<{self.link}>"
        message["List-Unsubscribe-Post"] = ONE_CLICK
        words = footed(self.text(zone), self.person.language, paper)
        message.set_content(words, cte="quoted-printable")
        if paper.logo:
            add_page(message, words, self.person.language, paper)
        message["Content-Language"] = circular.language  # which setting the content would take away
        return to, message.as_bytes()
