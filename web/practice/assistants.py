"""For which practitioners an assistant works: said on the assistant's page among the people."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from practice.assistants.model import Engagement
from practice.assistants.records import assists
from practice.organisation.model import Member
from practice.organisation.rights import Right, allowed
from signaling.rest.endpoint import Call
from signaling.typedefs import STORE
from vault.audit import Act, Draft, practitioner
from web.forms import Fields, Form, Page


class Served(Fields):
    """For whom."""

    practitioner: Annotated[str, Field(min_length=1, max_length=22)]


class Which(Fields):
    """One of those."""

    engagement: Annotated[str, Field(min_length=1, max_length=22)]


async def shown(call: Call, member: Member) -> Mapping[str, object]:
    """What the page has of it: for whom this member works and could work, nothing of who is no assistant."""
    if not (allowed(Right.ASSISTANTS, call.scope.roles) and member.active and assists(member)):
        return {"serves": None, "could_serve": []}
    store = call.request.app[STORE]
    serves, roster = await store.assistants.of(call.scope, member.account), await store.organisation.roster(call.scope)
    but = {member.account, *(one.engagement.owner for one in serves)}
    could = [
        (one.account.id, one.account.display_name)
        for one in roster.people
        if one.account and one.member.active and allowed(Right.AGENDA, one.member.roles) and one.account.id not in but
    ]
    return {"serves": serves, "could_serve": could}


async def engage(call: Call) -> Engagement:
    """From now on this assistant works for that practitioner."""
    assistants = call.request.app[STORE].assistants
    return await entered(
        call, Act.ENGAGED, await assistants.engage(call.scope, call.path["account"], call.body.practitioner)
    )


async def release(call: Call) -> Engagement:
    """And no more."""
    assistants = call.request.app[STORE].assistants
    ended = await assistants.release(call.scope, call.path["account"], call.body.engagement)
    return await entered(call, Act.ENGAGEMENT_ENDED, ended)


async def entered(call: Call, act: Act, one: Engagement) -> Engagement:
    """In the trail of both: the assistant, and for whom."""
    by = practitioner(call.practitioner)
    drafts = [Draft(act, by, practitioner(one.account)), Draft(act, by, practitioner(one.owner))]
    await call.request.app[STORE].audit.record_all(drafts)
    return one


def forms(person: Page) -> tuple[Form, ...]:
    """Those of the page of a person."""
    return (
        Form(
            "/practice/people/{account}/engage",
            person,
            Served,
            engage,
            done="engaged",
            says={"conflict": ("practitioner", "serves.conflict"), "bad_state": ("practitioner", "serves.conflict")},
            right=Right.ASSISTANTS,
        ),
        Form("/practice/people/{account}/release", person, Which, release, done="released", right=Right.ASSISTANTS),
    )
