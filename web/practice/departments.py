"""Departments of an organisation, and who is in them."""

from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import Field

from practice.organisation.departments import MAX_NAME
from practice.organisation.model import Department, Member
from practice.organisation.rights import Right, allowed
from signaling.rest.endpoint import Call
from signaling.rest.entries import own
from signaling.typedefs import STORE
from vault.audit import Act, Draft, practitioner
from web.forms import Fields, Form, Page
from web.practice.menu import menu

Named = Annotated[str, Field(min_length=1, max_length=MAX_NAME)]
Which = Annotated[str, Field(min_length=1, max_length=22)]


class New(Fields):
    """What it is called."""

    name: Named


class Renamed(Fields):
    """Another name for one, in the version that the page showed."""

    department: Which
    name: Named
    version: int


class Closed(Fields):
    """One of them."""

    department: Which


class Within(Fields):
    """All that somebody is in from now on, in the version that the page showed."""

    departments: tuple[str, ...] = ()
    version: int


async def show(call: Call) -> Mapping[str, object]:
    """All of them, and how many are in each."""
    store = call.request.app[STORE]
    found, roster = await store.departments.of(call.scope), await store.organisation.roster(call.scope)
    numbers = Counter(one for person in roster.people for one in person.member.departments)
    return {"departments": [(one, numbers[one.id]) for one in found], "most": MAX_NAME, "menu": menu(call)}


async def make(call: Call) -> Department:
    """One more."""
    return await call.request.app[STORE].departments.make(call.scope, call.body.name)


async def rename(call: Call) -> Department:
    """Another name."""
    asked: Renamed = call.body
    return await call.request.app[STORE].departments.rename(call.scope, asked.department, asked.name, asked.version)


async def close(call: Call) -> Department:
    """It is no more."""
    return await call.request.app[STORE].departments.close(call.scope, call.body.department)


async def shown(call: Call, member: Member) -> Mapping[str, object]:
    """What the page of a person has of it: all that whoever looks sees, which are theirs, and if that may change."""
    found = await call.request.app[STORE].departments.of(call.scope)
    return {
        "departments": [(one.id, one.name) for one in found],
        "within": [one.id for one in found if one.id in member.departments],
        "may_place": allowed(Right.DEPARTMENTS, call.scope.roles),
    }


async def place(call: Call) -> Member:
    """In these and no other."""
    asked, organisation = call.body, call.request.app[STORE].organisation
    return await organisation.set_departments(call.scope, call.path["account"], asked.departments, asked.version)


def listed(call: Call, page: Mapping[str, object]) -> Draft:
    found = page["departments"]
    assert isinstance(found, list)
    return Draft(Act.DEPARTMENTS_READ, practitioner(call.practitioner), detail=str(len(found)))


def placed(call: Call, member: Member) -> Draft:
    by, on = practitioner(call.practitioner), practitioner(member.account)
    return Draft(Act.DEPARTMENTS_CHANGED, by, on, str(len(member.departments)))


MADE: Final = own(Act.DEPARTMENT_MADE)
RENAMED: Final = own(Act.DEPARTMENT_RENAMED)
CLOSED: Final = own(Act.DEPARTMENT_CLOSED)
DEPARTMENTS: Final = Page(
    "/practice/departments", "practice/departments.html", show, entered=listed, right=Right.DEPARTMENTS
)

TAKEN: Final = {"conflict": ("name", "departments.taken")}

PAGES: Final = (DEPARTMENTS,)
FORMS: Final = (
    Form("/practice/departments/make", DEPARTMENTS, New, make, done="department-made", entered=MADE, says=TAKEN),
    Form("/practice/departments/rename", DEPARTMENTS, Renamed, rename, done="saved", entered=RENAMED, says=TAKEN),
    Form("/practice/departments/close", DEPARTMENTS, Closed, close, done="department-closed", entered=CLOSED),
)
"""``pages`` has each page and each form."""


def forms(person: Page) -> tuple[Form, ...]:
    """That of the page of a person."""
    path = "/practice/people/{account}/departments"
    return (Form(path, person, Within, place, done="saved", entered=placed, right=Right.DEPARTMENTS),)
