"""Whose records somebody gets at: every method of ``practice.storage`` that gives or changes some demands a ``Scope``.

| role | who | what it covers |
|---|---|---|
| ``practitioner`` | who is signed in | all that is ``person``'s |
| ``guest`` | who came by a link | the one ``appointment`` |
| ``consult`` | a live consult, by its document | the one ``appointment``, if it is ``person``'s |
| ``operator`` | who typed a command | accounts by their addresses, appointments by their ids; of a ``person`` if set |
| ``server`` | signing in, the sweeper | accounts by their addresses; due times |

``person`` is who the keys belong to. What a scope does not cover is ``not_found``, as if it were nowhere.
"""

from dataclasses import dataclass
from typing import Literal

from vault.errors import DomainError

Role = Literal["practitioner", "guest", "consult", "operator", "server"]


@dataclass(frozen=True, slots=True)
class Scope:
    """Made where somebody is known by their session, ticket, link or command, and nowhere else.

    ``organisation`` is None until there are any.
    """

    organisation: str | None
    person: str | None
    role: Role
    appointment: str | None

    @classmethod
    def practitioner(cls, person: str) -> "Scope":
        """Whoever is signed in as this practitioner."""
        return cls(None, person, "practitioner", None)

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

    @property
    def owner(self) -> str:
        """Whose all of this is. Errors: ``not_found``, for a scope that is nobody's or of one appointment only."""
        if self.person is None or self.role not in ("practitioner", "operator"):
            raise DomainError("not_found")
        return self.person

    def covers(self, owner: str, appointment: str) -> bool:
        """Whether an appointment of this owner's is in it."""
        match self.role:
            case "practitioner":
                return self.person == owner
            case "guest":
                return self.appointment == appointment
            case "consult":
                return (self.person, self.appointment) == (owner, appointment)
            case "operator":
                return self.person in (None, owner)
            case "server":
                return False

    def demand(self, *roles: Role) -> None:
        """Errors: ``not_found`` for any other role."""
        if self.role not in roles:
            raise DomainError("not_found")


SERVER = Scope(None, None, "server", None)
