"""Who is asked to become a member: by mail, or where none can be sent by a link that is shown once."""

from typing import Annotated, Final

from pydantic import Field

from practice.accounts.model import Language
from practice.accounts.store import MAX_MAIL
from practice.mailboxes import canonical
from practice.notices.model import News
from practice.organisation.invitations import Tell
from practice.organisation.model import Invitation, Invited, MemberRole
from practice.organisation.rights import Right
from signaling.addresses import public_origin
from signaling.limiter import INVITED_ADDRESS, INVITING_ACCOUNT
from signaling.rest.endpoint import Call
from signaling.typedefs import LIMITER, POSTMAN, SETTINGS, STORE
from vault.audit import Act, Draft, invitation, practitioner
from web.forms import Fields, Form, Page, Shown
from web.practice.people import PEOPLE


class Invite(Fields):
    """Whom, as what, and in which language they are written to."""

    mail: Annotated[str, Field(min_length=1, max_length=MAX_MAIL)]
    roles: tuple[MemberRole, ...] = ()
    departments: tuple[str, ...] = ()
    language: Language


class Which(Fields):
    """One that waits."""

    invitation: Annotated[str, Field(min_length=1, max_length=64)]


async def invite(call: Call) -> Shown | None:
    """A link to become a member by."""
    app, asked = call.request.app, call.body
    await app[LIMITER].count(INVITING_ACCOUNT, call.practitioner)
    await app[LIMITER].count(INVITED_ADDRESS, canonical(asked.mail))
    made = await app[STORE].invitations.invite(
        call.scope, asked.mail, asked.roles, asked.language, telling(call), asked.departments
    )
    return await given(call, Act.INVITED, made)


async def again(call: Call) -> Shown | None:
    """Another link in place of the one that was sent."""
    app, wanted = call.request.app, call.body.invitation
    store = app[STORE].invitations
    before = await store.get(call.scope, wanted)
    await app[LIMITER].count(INVITING_ACCOUNT, call.practitioner)
    await app[LIMITER].count(INVITED_ADDRESS, canonical(before.mail))
    return await given(call, Act.INVITATION_RENEWED, await store.again(call.scope, wanted, telling(call)))


async def withdraw(call: Call) -> Invitation:
    """The link is worth nothing any more."""
    return await call.request.app[STORE].invitations.withdraw(call.scope, call.body.invitation)


def telling(call: Call) -> Tell:
    """The mail with the link."""
    notices = call.request.app[STORE].notices
    return lambda one, seed: notices.of(one.owner, News("invitation", one.mail, one.language, {"invitation": seed}))


async def given(call: Call, act: Act, made: Invited) -> Shown | None:
    """Entered, and on its way; where no mail can be sent, whoever invited hands the link over."""
    app, one = call.request.app, made.invitation
    by, on = practitioner(call.practitioner), invitation(one.owner, one.id)
    await app[STORE].audit.record(act, by, on, str(len(one.roles)))
    if app[POSTMAN] is not None:
        return None
    link = f"{public_origin(app[SETTINGS])}/invited/{made.token}"
    return Shown("practice/invitation.html", {"link": link, "invitation": one})


def withdrawn(call: Call, one: Invitation) -> Draft:
    return Draft(Act.INVITATION_WITHDRAWN, practitioner(call.practitioner), invitation(one.owner, one.id))


PAGES: Final[tuple[Page, ...]] = ()
"""The forms stand on the page of the people."""

FORMS: Final = (
    Form(
        "/practice/invitations/invite",
        PEOPLE,
        Invite,
        invite,
        done="invited",
        says={"conflict": ("mail", "invite.conflict")},
        right=Right.CHANGE_PEOPLE,
    ),
    Form("/practice/invitations/again", PEOPLE, Which, again, done="invited", right=Right.CHANGE_PEOPLE),
    Form(
        "/practice/invitations/withdraw",
        PEOPLE,
        Which,
        withdraw,
        done="withdrawn",
        entered=withdrawn,
        right=Right.CHANGE_PEOPLE,
    ),
)
