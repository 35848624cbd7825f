"""An organisation, its members and who is invited, as they leave storage: decrypted, immutable, silent in ``repr``."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Literal

from practice.accounts.model import Language, Practitioner
from vault.records.content import Fields
from vault.records.records import Damaged

MemberRole = Literal[
    "owner", "administrator", "department_administrator", "practitioner", "assistant", "auditor", "support", "officer"
]
MemberState = Literal["active", "deactivated"]

PRACTITIONER: frozenset[MemberRole] = frozenset({"practitioner"})
FIRST: frozenset[MemberRole] = frozenset({"owner", "practitioner"})
"""Of the first member of all."""

REFUSED: Final = datetime.fromtimestamp(0, UTC)
"""Stands for when somebody asked who was turned down, so their account closes as one that nobody answered does."""


@dataclass(frozen=True, slots=True)
class Colours:
    """An organisation's own colour on light pages and on dark ones, each as ``#rrggbb`` in small letters."""

    light: str
    dark: str


@dataclass(frozen=True, slots=True)
class Profile:
    """What an organisation says of itself; ``zone`` is a name of the tz database, which a browser knows too. Without
    ``colours`` pages have ours.
    """

    name: str = field(repr=False)
    address: str = field(repr=False)
    phone: str = field(repr=False)
    language: Language
    zone: str
    colours: Colours | None = None


@dataclass(frozen=True, slots=True)
class Organisation:
    """One, opened. ``unknown`` is what a newer program keeps beside these fields."""

    id: str
    profile: Profile
    version: int
    unknown: Fields = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Member:
    """What an account is in an organisation, its ``owner``. Some of its ``departments`` may have closed since.

    ``asked`` is when who registered did, until somebody let them in; ``REFUSED`` of who was turned down.
    """

    id: str
    owner: str
    account: str
    roles: frozenset[MemberRole] = field(repr=False)
    state: MemberState
    version: int
    departments: frozenset[str] = field(default=frozenset(), repr=False)
    asked: datetime | None = None
    unknown: Fields = field(default_factory=dict, repr=False, compare=False)

    @property
    def active(self) -> bool:
        """Whether they may sign in."""
        return self.state == "active"

    @property
    def waits(self) -> bool:
        """Whether they registered and are to be let in, or turned down, by somebody."""
        return not self.active and self.asked is not None and self.asked != REFUSED


@dataclass(frozen=True, slots=True)
class Invitation:
    """What somebody was asked to be in an organisation, its ``owner``, at an address. ``by`` is the account that asked.

    ``token`` is the keyed hash of the link's, which says for which link these roles are, and ``index`` the blind index
    of the address; both in hexadecimal.
    """

    id: str
    owner: str
    mail: str = field(repr=False)
    roles: frozenset[MemberRole] = field(repr=False)
    language: Language
    by: str
    written: datetime
    until: datetime
    token: str = field(repr=False)
    index: str = field(repr=False)
    version: int
    departments: frozenset[str] = field(default=frozenset(), repr=False)
    unknown: Fields = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Department:
    """A part of an organisation, its ``owner``, with members and administrators of its own."""

    id: str
    owner: str
    name: str = field(repr=False)
    version: int
    unknown: Fields = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Invited:
    """A new invitation, and what its link holds: nobody gets that a second time."""

    invitation: Invitation
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Welcome:
    """What whoever opens the link of an invitation reads: who asks them, and at which address."""

    organisation: str = field(repr=False)
    mail: str = field(repr=False)
    language: Language


@dataclass(frozen=True, slots=True)
class Standing:
    """What somebody who is signed in may be told apart by: an account, its organisation, its roles.

    An account that is no member yet, because a server of an earlier release has just made it, is a practitioner.
    """

    account: str
    organisation: str | None = None
    roles: frozenset[MemberRole] = PRACTITIONER


@dataclass(frozen=True, slots=True)
class Colleague:
    """A member by the name of the account; None where nobody can read it."""

    account: str
    name: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Person:
    """A member and whose account it is: None where its profile cannot be read. ``changeable`` by who asked."""

    member: Member
    account: Practitioner | None
    changeable: bool = False


@dataclass(frozen=True, slots=True)
class Roster:
    """All members of an organisation, and those that cannot be read."""

    people: list[Person]
    damaged: list[Damaged]
