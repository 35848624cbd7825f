"""A notice as a letter of RFC 5322: from the practice, to one address, in the language of who reads it.

What a person typed stands nowhere in its headers: a practice's telephone is in the text (``paper``).
"""

import hashlib
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Any, Final, get_args
from urllib.parse import urlsplit

from babel.dates import format_datetime as in_words

from practice.accounts.model import Language
from practice.mailboxes import mailbox
from practice.mailed_digits import digits
from practice.notices.model import Notice, Word
from practice.notices.paper import PLAIN, Paper, add_page, footed

TEXTS: Final[dict[str, dict[str, Any]]] = tomllib.loads(Path(__file__).with_name("texts.toml").read_text("utf-8"))
WORDS: Final[tuple[Word, ...]] = get_args(Word)
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)
LINKS: Final = {
    "reset": "/forgotten/",
    "mail": "/mail/",
    "invitation": "/invited/",
    "registration": "/register/",
    "request": "/request/",
    "identity": "/identity/",
    "newsletter": "/newsletter/confirm/",
    "export": "/taken/",
}
"""What a link is to, by what its seed is called in a notice."""

ALWAYS: Final = frozenset({"home", "host"})
POLICY: Final = SMTP.clone(cte_type="7bit", max_line_length=76)

MOMENT: Final = "d MMMM y HH:mm"


class Unsendable(Exception):  # noqa: N818 -- a state, not a mistake
    """An address that mail cannot be sent to."""


@dataclass(frozen=True)
class Letterhead:
    """What all letters have in common: ``sender`` is an address, ``origin`` where people find this server;
    ``token`` makes what a link holds out of its seed.
    """

    sender: str
    origin: str
    zone: Callable[[], tzinfo]
    token: Callable[[str], str]

    def letter(self, notice: Notice, now: datetime, paper: Paper = PLAIN) -> tuple[str, bytes]:
        """To whom, and what, on the paper of whose letter it is. Errors: Unsendable."""
        news = notice.news
        try:
            to = mailbox(news.to)
        except ValueError:
            raise Unsendable from None
        text = TEXTS[news.word][news.language]
        message = EmailMessage(POLICY)
        message["From"], message["To"] = self.sender, to
        message["Subject"] = text["subject"]
        message["Date"] = format_datetime(now)
        # The same at each try: whoever gets it twice can tell. It is made of the row's id and does not tell that.
        mark = hashlib.sha256(f"message {notice.id}".encode()).hexdigest()[:32]
        message["Message-ID"] = f"<{mark}@{self.sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no vacation answers, please
        words = footed(text["text"].strip("\n").format(**self._values(notice)), news.language, paper)
        message.set_content(words, cte="quoted-printable")
        if paper.logo:
            add_page(message, words, news.language, paper)
        message["Content-Language"] = news.language  # which setting the content would take away
        return to, message.as_bytes()

    def _values(self, notice: Notice) -> dict[str, str]:
        """What fills the gaps of a text."""
        said, text = notice.news.values, TEXTS[notice.news.word][notice.news.language]
        links = [f"{self.origin}{path}{self.token(said[kind])}" for kind, path in LINKS.items() if kind in said]
        return {
            "link": "".join(links),
            "digits": digits(self.token(said["digits"])) if "digits" in said else "",
            "left": said.get("left", ""),
            "count": said.get("count", ""),
            "authority": said.get("authority", ""),
            "reason": text.get("reasons", {}).get(said.get("reason"), ""),
            "topic": text.get("topics", {}).get(said.get("topic"), ""),
            "when": in_words(notice.written, MOMENT, tzinfo=self.zone(), locale=notice.news.language),
            "home": f"{self.origin}/",
            "host": urlsplit(self.origin).hostname or self.origin,
        }
