"""One's bank account: shown by its last four, whole and changed after password and second factor (S-14)."""

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import Field

from practice.billing.iban import LONGEST, grouped
from practice.billing.records import BANK_ACCOUNTS
from practice.factors import codes
from practice.organisation.rights import Right
from signaling.rest import factors
from signaling.rest.endpoint import Call
from signaling.rest.entries import own
from signaling.typedefs import STORE
from vault.audit import Act
from vault.errors import DomainError
from web.account.bank_mail import removal_told, told
from web.forms import NOT_ASKED, PROOF, Fields, Form, Page, Password, Shown


class Confirmed(Fields):
    """That it is who is signed in who asks."""

    password: Password = NOT_ASKED
    code: Annotated[str, Field(max_length=codes.LONGEST)] = ""


class Number(Confirmed):
    """Another one, in the version that the page showed; with what people put between its groups."""

    iban: Annotated[str, Field(min_length=1, max_length=2 * LONGEST)]
    version: int


class Nothing(Fields):
    """A button."""


async def show(call: Call) -> Mapping[str, object]:
    """Which one it is."""
    found = await call.request.app[STORE].bank_accounts.of(call.scope)
    return {"masked": found.masked, "version": found.version, "asks": await factors.asks_for_code(call)}


async def change(call: Call) -> None:
    """Another one."""
    said = call.body
    person = await factors.confirmed(call, said.password.get_secret_value(), said.code)
    store = call.request.app[STORE]
    await store.bank_accounts.set_iban(call.scope, said.iban, said.version, told(call, person, "bank-changed"))


async def read(call: Call) -> Shown:
    """All of it, once."""
    store = call.request.app[STORE]
    found = await store.bank_accounts.of(call.scope)
    if not found.version:
        raise DomainError("not_found")
    await factors.confirmed(call, call.body.password.get_secret_value(), call.body.code)
    return Shown("account/bank_whole.html", {"iban": grouped(found.iban)})


async def remove(call: Call) -> None:
    """It goes, irrecoverably, and nothing else with it. Errors: ``not_found``, where there is none."""
    store = call.request.app[STORE]
    found = await store.bank_accounts.of(call.scope)
    if not found.version:
        raise DomainError("not_found")
    await store.retention.destroy(call.scope, found.id, BANK_ACCOUNTS, along=await removal_told(call))


BANK: Final = Page("/account/bank", "account/bank.html", show, right=Right.ACCOUNT)

PAGES: Final = (BANK,)
FORMS: Final = (
    Form(
        "/account/bank/change",
        BANK,
        Number,
        change,
        done="saved",
        entered=own(Act.BANK_ACCOUNT_CHANGED),
        says=PROOF,
    ),
    Form("/account/bank/read", BANK, Confirmed, read, entered=own(Act.BANK_ACCOUNT_READ), says=PROOF),
    Form(
        "/account/bank/remove",
        BANK,
        Nothing,
        remove,
        done="removed",
        entered=own(Act.BANK_ACCOUNT_CHANGED, "removed"),
    ),
)
"""``pages`` has each page and each form."""
