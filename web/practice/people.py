"""Who is a member of the organisation, in which roles, and who may sign in."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from practice.lookalikes import skeleton
from practice.organisation.invitations import holds
from practice.organisation.model import Invitation, Member, MemberRole, MemberState, Person
from practice.organisation.reach import looks_after_all, may_give
from practice.organisation.rights import ROLES, Right, allowed
from signaling import leaving
from signaling.gate import SIGNALING
from signaling.rest.endpoint import Call
from signaling.typedefs import POSTMAN, STORE
from vault.audit import Act, Draft, practitioner
from web.forms import Fields, Form, Page
from web.locale import NAMES
from web.practice import assistants, departments
from web.practice.menu import menu


class Roles(Fields):
    """All that somebody is from now on, in the version that the page showed."""

    roles: tuple[MemberRole, ...] = ()
    version: int


class State(Fields):
    """Whether somebody may sign in."""

    state: MemberState


async def show_all(call: Call) -> Mapping[str, object]:
    """Everybody, and whoever is invited."""
    app, mine = call.request.app, call.scope.roles
    roster = await app[STORE].organisation.roster(call.scope)
    members = {person.member.account: person.member for person in roster.people}
    waiting = await app[STORE].invitations.waiting(call.scope)
    departments = [(one.id, one.name) for one in await app[STORE].departments.of(call.scope)]
    return {
        "people": roster.people,
        "unreadable": len(roster.damaged),
        "me": call.practitioner,
        "invitations": [
            (one, stands(one, members, mine), in_reach(one, mine, {known for known, _ in departments}))
            for one in waiting
        ],
        "arrivals": arrivals(roster.people),
        "may_invite": allowed(Right.CHANGE_PEOPLE, mine),
        "departments": departments,
        "choices": to_give(mine),
        "names": list(NAMES.items()),
        "mail": app[POSTMAN] is not None,
        "may_end": allowed(Right.END_ORGANISATION, mine),
        "sights": await app[STORE].sights.waiting(call.scope) if allowed(Right.SIGHT, mine) else [],
        "menu": menu(call),
    }


def arrivals(people: Sequence[Person]) -> list[tuple[Person, list[str]]]:
    """Who waits to be let in by whoever looks, with the names of others that theirs looks like."""
    looks = [(one, skeleton(one.account.display_name), one.account.display_name) for one in people if one.account]
    return [
        (one, [name for other, look, name in looks if other is not one and one.account and look == mine])
        for one in people
        if one.member.waits and one.changeable
        for mine in [skeleton(one.account.display_name) if one.account else ""]
    ]


def stands(one: Invitation, members: Mapping[str, Member], mine: Collection[str]) -> bool:
    """Whether its link is good, as far as whoever looks sees who sent it."""
    return holds(one, members.get(one.by)) or not (one.by in members or looks_after_all(mine, Right.PEOPLE))


def in_reach(one: Invitation, mine: Collection[str], departments: Collection[str]) -> bool:
    """Whether whoever looks may send it again, or withdraw it."""
    alone = bool(one.departments) and one.departments.issubset(departments)
    return may_give(mine, one.roles) and (alone or looks_after_all(mine, Right.CHANGE_PEOPLE))


async def show_one(call: Call) -> Mapping[str, object]:
    """One of them, with what whoever looks may change."""
    person = await call.request.app[STORE].organisation.person(call.scope, call.path["account"])
    return {
        "person": person,
        "may_change": person.changeable,
        "may_hand": person.changeable and allowed(Right.HAND_OVER, call.scope.roles),
        "choices": to_give(call.scope.roles),
        "may_lift": allowed(Right.LIFT_FACTORS, call.scope.roles) and call.path["account"] != call.practitioner,
        "may_see": allowed(Right.SIGHT, call.scope.roles) and call.path["account"] != call.practitioner,
        "may_log": allowed(Right.CHANGE_PEOPLE, call.scope.roles),
        "me": call.practitioner,
        "menu": menu(call),
        **await assistants.shown(call, person.member),
        **await departments.shown(call, person.member),
    }


def to_give(own: Collection[str]) -> list[MemberRole]:
    """The roles that somebody in their own may give."""
    return [role for role in ROLES if may_give(own, [role])]


async def set_roles(call: Call) -> Member:
    """Other roles."""
    app, asked = call.request.app, call.body
    wanted, version = frozenset(asked.roles), asked.version
    member = await app[STORE].organisation.set_roles(call.scope, call.path["account"], wanted, version)
    await app[STORE].sights.lapse(call.scope, member.account)
    await leaving.changed(app[SIGNALING], member)
    return member


async def set_state(call: Call) -> Member:
    """Let somebody sign in no more, or again."""
    app = call.request.app
    member = await app[STORE].organisation.set_state(call.scope, call.path["account"], call.body.state)
    if not member.active:
        await app[STORE].sights.lapse(call.scope, member.account)
        await leaving.left(app[STORE], app[SIGNALING], member)
    return member


def listed(call: Call, shown: Mapping[str, object]) -> Draft:
    people = shown["people"]
    assert isinstance(people, list)
    return Draft(Act.PEOPLE_LISTED, practitioner(call.practitioner), detail=str(len(people)))


def looked_at(call: Call, shown: Mapping[str, object]) -> Draft:
    return Draft(Act.PEOPLE_LISTED, practitioner(call.practitioner), practitioner(call.path["account"]), "1")


def roles_changed(call: Call, member: Member) -> Draft:
    by, on = practitioner(call.practitioner), practitioner(member.account)
    return Draft(Act.ROLES_CHANGED, by, on, str(len(member.roles)))


def state_changed(call: Call, member: Member) -> Draft:
    act = Act.MEMBER_REACTIVATED if member.active else Act.MEMBER_DEACTIVATED
    return Draft(act, practitioner(call.practitioner), practitioner(member.account))


PEOPLE: Final = Page("/practice/people", "practice/people.html", show_all, entered=listed, right=Right.PEOPLE)
PERSON: Final = Page(
    "/practice/people/{account}", "practice/person.html", show_one, entered=looked_at, right=Right.PEOPLE
)

PAGES: Final = (PEOPLE, PERSON)
FORMS: Final = (
    Form(
        "/practice/people/{account}/roles",
        PERSON,
        Roles,
        set_roles,
        done="saved",
        entered=roles_changed,
        says={"last_owner": ("roles", "error.last_owner")},
        right=Right.CHANGE_PEOPLE,
    ),
    Form(
        "/practice/people/{account}/state",
        PERSON,
        State,
        set_state,
        done="saved",
        entered=state_changed,
        says={"last_owner": ("state", "error.last_owner")},
        right=Right.CHANGE_PEOPLE,
    ),
    *assistants.forms(PERSON),
    *departments.forms(PERSON),
)
"""``pages`` has each page and each form."""
