"""Whose mail addresses may register, and who is about to, as they leave storage."""

from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from practice.accounts.model import Language, Practitioner
from vault.records.content import Fields

NewRole = Literal["practitioner", "assistant"]
"""What somebody becomes who registers in an organisation."""

NEW_ROLES: Final[tuple[NewRole, ...]] = get_args(NewRole)


@dataclass(frozen=True, slots=True)
class MailDomain:
    """One whose addresses may register in an organisation, its ``owner``. ``name`` is as the DNS has it.

    With ``approval`` somebody who looks after the organisation lets each of them in. ``index`` is what it is found by:
    a keyed hash of the name, in hexadecimal.
    """

    id: str
    owner: str
    name: str = field(repr=False)
    role: NewRole = field(repr=False)
    approval: bool
    index: str = field(repr=False)
    version: int
    unknown: Fields = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Applicant:
    """Who is about to register: the ``mail`` that a link went to. ``token`` and ``index`` are keyed hashes."""

    token: bytes = field(repr=False)
    index: bytes = field(repr=False)
    mail: str = field(repr=False)
    language: Language


@dataclass(frozen=True, slots=True)
class Destination:
    """An organisation that somebody may register in; with ``approval`` they wait to be let in."""

    organisation: str
    name: str = field(repr=False)
    approval: bool


@dataclass(frozen=True, slots=True)
class Opened:
    """What whoever opens a link of a registration reads: for which address, in which organisations, or one's own."""

    mail: str = field(repr=False)
    language: Language
    hosts: tuple[Destination, ...]
    founding: bool


@dataclass(frozen=True, slots=True)
class Registered:
    """A new account. Who ``waits`` is let in by somebody else; ``codes`` are those for recovery, with a passkey."""

    person: Practitioner
    organisation: str
    waits: bool
    codes: tuple[str, ...] = field(default=(), repr=False)
