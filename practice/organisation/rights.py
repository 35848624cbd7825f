"""Who may do what: one table, in which every route, page and event of somebody who is signed in has its line.

A right is for all that is one's own: whose records somebody gets at is said by their ``Scope``. What somebody has no
right to answers ``not_found``, as if it were nowhere.
"""

from collections.abc import Collection, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, get_args

from practice.organisation.model import MemberRole
from vault.errors import DomainError
from vault.records.scope import Scope

ROLES: Final[tuple[MemberRole, ...]] = get_args(MemberRole)


class Right(StrEnum):
    """Everything that somebody may be allowed to do."""

    ACCOUNT = "account"
    AGENDA = "agenda"
    PLAN = "plan"
    GREET = "greet"
    ASSIST = "assist"
    CONSULT = "consult"
    RETENTION = "retention"
    SENTENCES = "sentences"
    TECHNICAL = "technical"
    OWN_ASSISTANTS = "own-assistants"
    PEOPLE = "people"
    ASSISTANTS = "assistants"
    CHANGE_PEOPLE = "change-people"
    CHANGE_OWNERS = "change-owners"
    DEPARTMENTS = "departments"
    LIFT_FACTORS = "lift-factors"
    END_ORGANISATION = "end-organisation"
    HAND_OVER = "hand-over"
    ORGANISATION = "organisation"
    POLICIES = "policies"
    NEWSLETTER = "newsletter"
    SERVICE_NOTICES = "service-notices"
    REGISTRATION = "registration"
    OVERSIGHT = "oversight"
    SIGHT = "sight"
    REQUESTS = "requests"


def _of(*roles: MemberRole) -> frozenset[MemberRole]:
    return frozenset(roles)


RIGHTS: Final[Mapping[Right, frozenset[MemberRole]]] = MappingProxyType(
    {
        Right.ACCOUNT: frozenset(ROLES),
        Right.AGENDA: _of("practitioner"),
        Right.PLAN: _of("practitioner", "assistant"),
        Right.GREET: _of("practitioner", "assistant"),
        Right.ASSIST: _of("assistant"),
        Right.CONSULT: _of("practitioner"),
        Right.RETENTION: _of("practitioner"),
        Right.SENTENCES: _of("practitioner"),
        Right.TECHNICAL: _of("practitioner"),
        Right.OWN_ASSISTANTS: _of("practitioner"),
        Right.PEOPLE: _of("owner", "administrator", "department_administrator", "auditor"),
        Right.ASSISTANTS: _of("owner", "administrator"),
        Right.CHANGE_PEOPLE: _of("owner", "administrator", "department_administrator"),
        Right.CHANGE_OWNERS: _of("owner"),
        Right.DEPARTMENTS: _of("owner", "administrator"),
        Right.LIFT_FACTORS: _of("owner"),
        Right.END_ORGANISATION: _of("owner"),
        Right.HAND_OVER: _of("owner", "administrator"),
        Right.ORGANISATION: _of("owner", "administrator"),
        Right.POLICIES: _of("owner", "administrator"),
        Right.NEWSLETTER: _of("owner", "administrator"),
        Right.SERVICE_NOTICES: _of("owner", "administrator"),
        Right.REGISTRATION: _of("owner"),
        Right.OVERSIGHT: _of("owner", "administrator", "auditor"),
        Right.SIGHT: _of("owner", "administrator"),
        Right.REQUESTS: _of("officer"),
    }
)

MEANING: Final[Mapping[Right, str]] = MappingProxyType(
    {
        Right.ACCOUNT: "Their own account: who they are, signing out, closing it.",
        Right.AGENDA: "Appointments of their own: all destroyed at once; receipts.",
        Right.PLAN: "Plan, read, correct, end, reopen, destroy: appointments of their own, or of whom they assist.",
        Right.GREET: "See who waits, and tell them so: those of their own, or of whom an assistant works for.",
        Right.ASSIST: "For whom they work, and the pages of that.",
        Right.CONSULT: "Their own consults: the desk, letting people in, taking part.",
        Right.RETENTION: "Their own central setting of destruction.",
        Right.SENTENCES: "What whoever waits for them reads.",
        Right.TECHNICAL: "How the connections of their own consults were; a code for support.",
        Right.OWN_ASSISTANTS: "Who works for them, and how much of a patient's label these see.",
        Right.PEOPLE: "Who is a member, and in which roles: of the organisation, or of their departments.",
        Right.ASSISTANTS: "For which practitioners an assistant works.",
        Right.CHANGE_PEOPLE: "Invite, change roles, deactivate, reactivate; in their departments roles below theirs.",
        Right.CHANGE_OWNERS: "The same where the role of owner is given, taken, or held.",
        Right.DEPARTMENTS: "Make, rename and close departments, and say who is in them.",
        Right.LIFT_FACTORS: "See the second factor of others, and lift it for who lost it; not one's own.",
        Right.END_ORGANISATION: "Close the organisation, with all accounts.",
        Right.HAND_OVER: "Hand what a member has to come over to another; of an owner only with the one on owners.",
        Right.ORGANISATION: "What the organisation says of itself: name, address, telephone, language, zone, colours.",
        Right.POLICIES: "What the organisation decides for everybody: the longest retention, what a consult may have.",
        Right.NEWSLETTER: "Write the newsletter and send it to who asked for it; of these only their number is shown.",
        Right.SERVICE_NOTICES: "Write a service notice to everybody in the organisation.",
        Right.REGISTRATION: "The mail domains whose addresses may register in the organisation by themselves.",
        Right.OVERSIGHT: "The audit trail, looked through, taken along, checked; the record, papers, statistics.",
        Right.SIGHT: "Ask for an hour's sight of another's agenda, use it, give it to somebody else who asked.",
        Right.REQUESTS: "Requests by right, masked papers, breaches; destroying what a report of a child names.",
    }
)
"""For the document."""


def allowed(right: Right, roles: Collection[str]) -> bool:
    """Whether somebody in these roles has it."""
    return not RIGHTS[right].isdisjoint(roles)


def demand(scope: Scope, right: Right) -> str:
    """The organisation of who is signed in and has this right there. Errors: ``not_found``."""
    scope.demand("practitioner")
    if scope.organisation is None or not allowed(right, scope.roles):
        raise DomainError("not_found")
    return scope.organisation
