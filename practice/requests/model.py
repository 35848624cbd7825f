"""A request, as it leaves storage: decrypted, immutable, silent in ``repr`` about who asks and what."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal, get_args

from practice.accounts.model import Language
from practice.requests import clock
from practice.requests.purposes import BY_ADDRESS, Purpose, is_withdrawal
from vault.records.content import Fields

What = Literal[
    "access", "correction", "erasure", "objection", "portability", "complaint", "minor", "breach", "unspecified"
]
"""Which right it is of (S-41 to S-47), a complaint, that data is a child's (S-16), that something leaked (S-52); of a
mail only a person says which (S-47)."""

Way = Literal["dashboard", "link", "form", "mailbox"]
"""By which it came: signed in, a patient's link with its code, a form without either, mail."""

Proof = Literal["", "account", "link", "confirmed"]
"""How the address was proven to be of who asks: not at all; they were signed in; they had the link and its code; they
pressed a button behind a link that was mailed to it. Who sends a mail is proven by nothing in it (S-47)."""

Outcome = Literal["granted", "partly", "refused"]
Ending = Literal["granted", "partly", "refused", "none"]
"""What was answered, or that it was no request: an advertisement, something meant for others."""

Phase = Literal["open", "asked", "answered"]

WHATS: Final[tuple[What, ...]] = get_args(What)
WAYS: Final[tuple[Way, ...]] = get_args(Way)
OUTCOMES: Final[tuple[Outcome, ...]] = get_args(Outcome)
ENDINGS: Final[tuple[Ending, ...]] = get_args(Ending)

DAILY: Final = frozenset[What](("breach", "minor"))
"""What has days rather than weeks: 72 hours to tell the authority (S-52), a child's data that is still there (S-16)."""

MOST: Final = 4000
"""Characters of what somebody asks, and of what is answered."""

KEPT: Final = timedelta(days=30)
"""So long after its answer a request can be read, then it is destroyed."""


@dataclass(frozen=True, slots=True)
class Filing:
    """What somebody asks for. ``mail`` is where they want to be answered, as they typed it, where nothing proves one.

    ``once`` is what a form holds, so that sending it twice asks once; ``secret`` the second half of a patient's or
    guest's link whose code was typed. Without ``text`` a question is asked back. ``enclosed`` is how many things hung
    on a mail, of which nothing is kept, None where nobody could say; ``cut`` is whether its text went on.
    ``about`` is the account whose practice is asked, where what was typed names it.
    """

    what: What
    way: Way
    language: Language
    text: str = field(default="", repr=False)
    purpose: Purpose | None = None
    mail: str = field(default="", repr=False)
    once: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)
    enclosed: int | None = 0
    cut: bool = False
    about: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """One; ``owner`` is the organisation that was asked.

    ``account`` is who asks, or whose patient does, or whose address it is to which an objection was granted. ``due`` is
    the first moment at which an answer is late, counted in ``zone``; ``reminded`` the day of the last reminder, 0 once
    its officer was told that it came. ``subject`` is a keyed hash of who asks and ``token`` one of what the link to it
    holds, both in hexadecimal; ``seed`` is what that is made of. An extension counts from when its mail was
    ``extension_sent``. ``erased`` is when an appointment was destroyed for a report of a child's data, which is done
    once. ``enclosed`` and ``cut`` are as of the filing.
    """

    id: str
    owner: str
    what: What
    way: Way
    language: Language
    text: str = field(repr=False)
    purpose: Purpose | None
    mail: str = field(repr=False)
    proven: Proof
    account: str | None
    asked: datetime
    zone: str
    due: datetime
    subject: str = field(repr=False)
    token: str = field(repr=False)
    seed: str = field(repr=False)
    reminded: int = -1
    question: str = field(default="", repr=False)
    questioned: datetime | None = None
    reply: str = field(default="", repr=False)
    replied: datetime | None = None
    extension: str = field(default="", repr=False)
    extension_sent: datetime | None = None
    erased: datetime | None = None
    outcome: Ending | None = None
    answer: str = field(default="", repr=False)
    decided: datetime | None = None
    decider: str | None = None
    enclosed: int | None = 0
    cut: bool = False
    version: int = 1
    unknown: Fields = field(default_factory=dict, repr=False, compare=False)

    @property
    def phase(self) -> Phase:
        """Whether somebody works on it, waits for a reply while its time goes on, or has answered."""
        if self.decided is not None:
            return "answered"
        return "asked" if self.questioned is not None and self.replied is None else "open"

    @property
    def tellable(self) -> bool:
        """Whether what it is about may be told to its address."""
        return bool(self.proven and self.mail)

    @property
    def discardable(self) -> bool:
        """Whether it may turn out to be no request: of somebody who was known it never does, nor what takes a consent
        back, which is never turned down.
        """
        return self.decided is None and not self.proven and not is_withdrawal(self.purpose)

    @property
    def readable(self) -> bool:
        """Whether whoever has its link, or is signed in, may read the answer."""
        return bool(self.proven)

    @property
    def pauses(self) -> bool:
        """Whether its purpose stands still: until somebody decides, and for good where they grant it. It does for an
        account, or an address, before which it is asked.
        """
        if self.what != "objection" or self.purpose in (None, "other") or self.outcome not in (None, "granted"):
            return False
        return self.proven == "account" or (self.proven != "link" and bool(self.mail) and self.purpose in BY_ADDRESS)

    @property
    def until(self) -> datetime | None:
        """When it dies; None while it is open, and of an objection that holds. What was no request dies at once."""
        if self.decided is None or (self.pauses and self.account is not None):
            return None
        return self.decided if self.outcome == "none" else self.decided + KEPT

    @property
    def reminders(self) -> Sequence[int]:
        """The days after its own on which whoever answers is reminded: each, of what may be leaking or is a child's."""
        if self.what in DAILY:
            return range(1, clock.LATE)
        return clock.AFTER_EXTENSION if self.extension_sent else clock.REMINDERS

    def overdue(self, now: datetime) -> bool:
        """Whether nobody answered in time."""
        return self.decided is None and now >= self.due


@dataclass(frozen=True, slots=True)
class Filed:
    """A request that was filed, and what the link to it holds; ``new`` unless the same person had asked the same."""

    request: Request
    token: str = field(repr=False)
    new: bool


@dataclass(frozen=True, slots=True)
class NamedRequest:
    """One, and the shown names of who stands in it, by account: of some there may be none any more."""

    request: Request
    names: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class RequestList:
    """Requests, those to be answered first by when they are late; ``unreadable`` is how many cannot be read."""

    requests: tuple[Request, ...]
    unreadable: int


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many wait for an answer, how many of them too long, and for how many seconds the oldest has: of all
    organisations together, and nothing of what or who.
    """

    waiting: int
    overdue: int
    oldest: float
