"""All that is held about oneself: seen (S-41), destroyed record by record (S-43); ``export`` takes it along."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import Field

from practice.accounts.records import practitioners
from practice.billing.records import BANK_ACCOUNTS
from practice.organisation.rights import Right, allowed
from signaling.gate import SIGNALING
from signaling.rest.endpoint import Call
from signaling.typedefs import DEVICES, NOW, STORE, ZONE
from vault.audit import Act, Draft, practitioner
from vault.errors import DomainError
from vault.inventory import Item, inventory
from vault.records.records import Kind
from web.account.bank_mail import removal_told
from web.account.held import MOST, NOT_HERE, part, rest
from web.forms import Fields, Form, Page
from web.locale import NAMES
from web.moments import moment
from web.render import spoken, translated
from web.trail import entry_said

LATELY: Final = 20
"""Lines of the trail, and receipts, on the page."""


class Which(Fields):
    """One record of a kind."""

    kind: Annotated[str, Field(max_length=32)]
    record: Annotated[str, Field(min_length=1, max_length=22)]


async def show(call: Call) -> Mapping[str, object]:
    """All of it, and of what is many a part."""
    app, store = call.request.app, call.request.app[STORE]
    person, now, zone = await store.practitioners.get(call.scope), app[NOW](), app[ZONE]()
    language, receipts = spoken(call.request)[0], await store.appointments.receipts(call.scope)
    parts = [
        part(one, language, lambda at: moment(at, now, zone, language))
        for one in await store.exports.all_of(call.scope, MOST)
    ]
    own = next(one for one in inventory().entry if str(practitioners.c.profile) in one.database)
    parts = [one for one in parts if one.records or one.damaged]
    shown = [own, *(item for one in parts for item in one.items)]
    return {
        "person": person,
        "own": own,
        "names": NAMES,
        "roles": sorted(call.scope.roles),
        "sessions": await store.sessions.of(call.scope),
        "apps": await app[SIGNALING].refresh.apps(call.practitioner),
        "known": app[DEVICES].known(call.request, person.mail, now) is not None,
        "change": await store.mail_changes.pending(call.scope),
        "invited": await invited(call),
        "parts": parts,
        "counted": await counted(call),
        "receipts": receipts[:LATELY],
        "more_receipts": len(receipts[LATELY:]),
        "trail": await store.oversight.of_oneself(call.scope, LATELY),
        "entry_said": lambda entry: entry_said(entry, translated(call.request)),
        "rest": rest(shown),
    }


async def counted(call: Call) -> list[tuple[Item, int]]:
    """How much there is of what is not given out, or is somebody else's about who asks."""
    return [(item(kind), number) for kind, number in await call.request.app[STORE].exports.numbers(call.scope)]


async def invited(call: Call) -> int:
    """How many invitations of theirs wait: the addresses are other people's."""
    if not allowed(Right.PEOPLE, call.scope.roles):
        return 0
    waiting = await call.request.app[STORE].invitations.waiting(call.scope)
    return sum(one.by == call.practitioner for one in waiting)


async def destroy(call: Call) -> None:
    """One record, irrecoverably, by the way that each goes. Errors: ``not_found``."""
    store, said = call.request.app[STORE], call.body
    kind = store.exports.kind(said.kind)
    if kind is None or kind.name in NOT_HERE:
        raise DomainError("not_found")
    along = await removal_told(call) if kind is BANK_ACCOUNTS else None
    await store.retention.destroy(call.scope, said.record, kind, along=along)


def item(kind: Kind[Any]) -> Item:
    """What the inventory says of what is sealed of a kind."""
    return next(one for one in inventory().entry if f"{kind.table.name}.content" in one.database)


def seen(call: Call, _shown: Mapping[str, object]) -> Draft:
    return Draft(Act.DATA_READ, practitioner(call.practitioner))


DATA: Final = Page("/account/data", "account/data.html", show, entered=seen, right=Right.ACCOUNT)
DESTROY: Final = Form(
    "/account/data/destroy", DATA, Which, destroy, done="destroyed", says={"bad_state": ("", "legal.kept")}
)
"""Storage enters it itself."""
