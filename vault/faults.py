"""Why a place cannot be opened, as one sentence for the operator with what to do; it holds no part of an address."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from typing import Final

FULL: Final = "The disk is full: make room for {}."
READ_ONLY: Final = "{} is on a file system that is read-only: mount it for writing, or choose another place."
FORBIDDEN: Final = "{} cannot be written: give this account the right to, or choose another place."

FILES: Final = {
    errno.ENOSPC: FULL,
    errno.EDQUOT: "The quota of this account is used up: make room for {}.",
    errno.EROFS: READ_ONLY,
    errno.EACCES: FORBIDDEN,
    errno.EPERM: FORBIDDEN,
    errno.ENOTDIR: "{} is a file or lies below one, where a folder should be: choose another place.",
    errno.EEXIST: "{} is a file or lies below one, where a folder should be: choose another place.",
    errno.EISDIR: "{} is a folder where a file should be: choose another place.",
    errno.ENOENT: "{} is not there: make it, or choose another place.",
    errno.ENAMETOOLONG: "{} has too long a name: choose another place.",
    errno.EMFILE: "Too many files are open to open {}: raise the limit (ulimit -n, LimitNOFILE=).",
    errno.ENFILE: "Too many files are open to open {}: raise the limit (ulimit -n, LimitNOFILE=).",
    errno.EIO: "The disk reports errors for {}: look at it before anything else.",
}
SAID: Final = (
    # What SQLite, libpq and PostgreSQL say, in the order to look for it
    (r"database or disk is full|No space left on device|could not extend file", FULL),
    (r"readonly database", FORBIDDEN),
    (r"read-only transaction", "{} cannot be written: the database is read-only (default_transaction_read_only)."),
    (r"unable to open database file", "{} cannot be opened: correct its path, and the rights of its folder."),
    (r"not a database|malformed|file is encrypted", "{} is damaged or no database: restore a backup."),
    (r"disk I/O error", "The disk takes nothing for {}: see whether it is full, then whether it reports errors."),
    (r"database is locked", "{} is locked by another program: end it and try again."),
    (
        r"password authentication failed|no password supplied|SCRAM",
        "{} refuses the user or the password: correct them.",
    ),
    (r'role ".*" does not exist|role .* is not permitted', "{} does not know this user: correct it or make it."),
    (r'database ".*" does not exist', "There is no database of this name at the address of {}: correct it or make it."),
    (r"no pg_hba.conf entry|pg_hba", "{} refuses this address or user (pg_hba.conf): allow it there."),
    (r"(?i)connection refused", "Nothing listens at the address of {}: start it, or correct host and port."),
    (
        r"failed to resolve|could not translate host|Name or service not known|[Nn]ame resolution",
        "The host of {} is not known: correct its name.",
    ),
    (r"timeout|timed out", "{} does not answer in time: look at the network and the firewall between."),
    (r"certificate|SSL|ssl", "{} and we do not agree on TLS: correct sslmode and sslrootcert."),
    (r"statement pooling mode", "{} is behind a pooler in statement mode: set pool_mode to session or transaction."),
    (r"starting up|shutting down|recovery", "{} is starting or stopping: try again in a moment."),
    (r"too many (clients|connections)|remaining connection slots", "{} takes no more connections: raise its limit."),
    (r"No such file or directory", "There is no socket where {} should be: start it, or correct the address."),
    (
        r"invalid connection option|invalid (URI|dsn)|invalid .* value",
        "The address of {} has an option that it must not.",
    ),
    (r"permission denied", "The user of {} may do too little there: make it the owner of its database."),
)


def reason(error: BaseException, what: str) -> str:
    """One sentence about a failure to open or to write ``what`` ("The database (rooms.database_url)")."""
    small = what[:1].lower() + what[1:]
    for one in _chain(error):
        if isinstance(one, OSError) and one.errno in FILES:
            return _filled(FILES[one.errno], what, small)
    text = " ".join(str(one) for one in _chain(error))
    for pattern, sentence in SAID:
        if re.search(pattern, text):
            return _filled(sentence, what, small)
    return f"{what} cannot be opened: correct its address, and see that it runs."


def _filled(sentence: str, what: str, small: str) -> str:
    return sentence.format(what if sentence.startswith("{}") else small)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what it came from."""
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        seen.append(error)
        yield error
        error = getattr(error, "orig", None) or error.__cause__ or error.__context__
