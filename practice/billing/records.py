"""What is inside the sealed column of a bank account, and its table: nothing there leads to an appointment."""

from typing import Any

from practice.billing.model import BankAccount
from vault.errors import Unreadable
from vault.keys.envelope import Place
from vault.records.content import Layout, number, open_content, seal_content
from vault.records.records import Kind, kept_row, kept_table

bank_accounts = kept_table("bank_accounts", "IBAN")

LAYOUT = Layout(frozenset(("iban",)))


def place(row_id: str, owner: str) -> Place:
    """Where the content of a bank account stands."""
    return Place("bank_accounts", "content", row_id, owner)


def seal_bank_account(key: bytes, one: BankAccount) -> dict[str, Any]:
    """The row of a bank account."""
    return kept_row(one, seal_content(key, LAYOUT, {"iban": one.iban}, place(one.id, one.owner), one.unknown))


def open_bank_account(key: bytes, row: Any) -> BankAccount:
    """The bank account in a row. Errors: Unreadable, Newer."""
    content, unknown = open_content(key, LAYOUT, row.content, place(row.id, row.owner))
    try:
        return BankAccount(row.id, row.owner, str(content["iban"]), number(row.version), unknown)
    except ValueError:
        raise Unreadable from None


BANK_ACCOUNTS = Kind(
    name="bank_accounts",
    table=bank_accounts,
    layout=LAYOUT,
    place=place,
    open=open_bank_account,
    seal=seal_bank_account,
    timed=False,
    kept=False,
    # All of it only to who has just used a second factor, which a file does not ask for.
    export=lambda one: {"iban": one.masked},
)
