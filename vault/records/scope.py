"""Whose records somebody gets at: every method of ``practice.storage`` that gives or changes some demands a ``Scope``.

| role | who | what it covers |
|---|---|---|
| ``practitioner`` | who is signed in | all that is ``person``'s |
| ``assistant`` | who works for ``person`` | appointments that are ``person``'s, with patients as ``label`` says |
| ``guest`` | who came by a link | the one ``appointment`` |
| ``consult`` | a live consult, by its document | the one ``appointment``, if it is ``person``'s |
| ``looker`` | who has sight of ``person``'s agenda, or its feed | times and labels, nothing that could be reached |
| ``operator`` | who typed a command | accounts by their addresses, appointments by their ids; of a ``person`` if set |
| ``server`` | signing in, the sweeper, pages | accounts by their addresses; due times; what the organisation says |

``person`` is who the keys belong to. What a scope does not cover is ``not_found``, as if it were nowhere.
"""

from dataclasses import dataclass, field
from typing import Final, Literal

from vault.errors import DomainError

Role = Literal["practitioner", "assistant", "guest", "consult", "looker", "operator", "server"]
Label = Literal["whole", "initials", "pseudonym"]
"""How much somebody sees of what a practitioner calls a patient."""

ASSISTED: Final = frozenset({"appointments"})
"""The kinds of records that somebody gets at who works for their owner."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Made where somebody is known by their session, ticket, link or command, and nowhere else.

    ``organisation`` is whose member ``person`` is, in these ``roles``; None where nobody asked, or who is none yet.
    ``by`` is who works for ``person``.
    """

    organisation: str | None
    person: str | None
    role: Role
    appointment: str | None
    roles: frozenset[str] = field(default=frozenset(), repr=False)
    by: str | None = None
    label: Label = "whole"

    @classmethod
    def practitioner(cls, person: str, organisation: str | None = None, roles: frozenset[str] = frozenset()) -> "Scope":
        """Whoever is signed in with this account."""
        return cls(organisation, person, "practitioner", None, roles)

    @classmethod
    def guest(cls, appointment: str) -> "Scope":
        """Whoever has a link to this appointment, or says so: the link's secret is looked at apart."""
        return cls(None, None, "guest", appointment)

    @classmethod
    def consult(cls, appointment: str, owner: str) -> "Scope":
        """The live consult of this appointment."""
        return cls(None, owner, "consult", appointment)

    @classmethod
    def operator(cls, person: str | None = None) -> "Scope":
        """A command; ``person`` is whose account it is about."""
        return cls(None, person, "operator", None)

    def about(self, person: str) -> "Scope":
        """Of a member of the same organisation, for whoever has proved to have a right to that of theirs."""
        self.demand("practitioner")
        return Scope(self.organisation, person, "practitioner", None)

    def assisting(self, person: str, label: Label) -> "Scope":
        """Of somebody whom who is signed in works for: ``practice.assistants`` has looked that up, and nobody else
        makes one.
        """
        self.demand("practitioner")
        return Scope(self.organisation, person, "assistant", None, by=self.person, label=label)

    def looking(self, person: str) -> "Scope":
        """Of who may read when a member of the same organisation has something planned, and no more of it."""
        self.demand("practitioner")
        return Scope(self.organisation, person, "looker", None, by=self.person)

    @classmethod
    def subscribed(cls, person: str) -> "Scope":
        """Of a calendar program that ``person`` gave the address of their feed."""
        return cls(None, person, "looker", None)

    @property
    def looked_at(self) -> str:
        """Whose agenda this is sight of. Errors: ``not_found``, for any other scope."""
        self.demand("looker")
        return self.person or ""

    @property
    def actor(self) -> str | None:
        """Who does it: another than ``person`` where somebody works for them."""
        return self.by or self.person

    @property
    def owner(self) -> str:
        """Whose all of this is. Errors: ``not_found``, for a scope that is nobody's or of one appointment only."""
        if self.person is None or self.role not in ("practitioner", "operator"):
            raise DomainError("not_found")
        return self.person

    def owner_of(self, *kinds: str) -> str:
        """Whose all records of these kinds are, of all without any. Errors: ``not_found``, as ``owner``; who works for
        somebody gets at few kinds.
        """
        if self.role == "assistant" and self.person is not None and kinds and ASSISTED.issuperset(kinds):
            return self.person
        return self.owner

    def covers(self, owner: str, appointment: str) -> bool:
        """Whether an appointment of this owner's is in it."""
        match self.role:
            case "practitioner" | "assistant":
                return self.person == owner
            case "guest":
                return self.appointment == appointment
            case "consult":
                return (self.person, self.appointment) == (owner, appointment)
            case "operator":
                return self.person in (None, owner)
            case _:
                return False

    def demand(self, *roles: Role) -> None:
        """Errors: ``not_found`` for any other role."""
        if self.role not in roles:
            raise DomainError("not_found")


SERVER = Scope(None, None, "server", None)
