"""What is inside the sealed column of a bank account, and its table: nothing there leads to an appointment."""

from typing import Any

from practice.billing.model import BankAccount
from vault.errors import Unreadable
from vault.records.content import Layout, number
from vault.records.records import Sealed, kept_table

bank_accounts = kept_table("bank_accounts", "IBAN")

BANK_ACCOUNT = Sealed("bank_accounts", Layout(frozenset(("iban",))))


def seal_bank_account(key: bytes, one: BankAccount) -> dict[str, Any]:
    """The row of a bank account."""
    return BANK_ACCOUNT.row(key, one, {"iban": one.iban})


def open_bank_account(key: bytes, row: Any) -> BankAccount:
    """The bank account in a row. Errors: Unreadable, Newer."""
    content, unknown = BANK_ACCOUNT.open(key, row)
    try:
        return BankAccount(row.id, row.owner, str(content["iban"]), number(row.version), unknown)
    except ValueError:
        raise Unreadable from None


BANK_ACCOUNTS = BANK_ACCOUNT.kind(
    bank_accounts,
    open_bank_account,
    seal_bank_account,
    # All of it only to who has just used a second factor, which a file does not ask for.
    export=lambda one: {"iban": one.masked},
)
