"""The audit trail: who did what to which object, without saying who anybody is.

    await store.audit.record(Act.APPOINTMENT_READ, practitioner(owner), appointment(owner, id))
    await store.audit.record(Act.KEYS_ROTATED, operator())                # a command of the operator
    await store.audit.record(Act.BACKUP_MADE, operator(), detail="3")

    store.audit.entries(first=…, last=…, act=…)                                # oldest first
    store.audit.newest(Search(first=…, last=…, act=…, names=…), 50)            # newest first
    store.audit.verify() -> TrailReport                                        # names the first bad line
    store.audit.tidy()                                                    # each minute: retention, anchor

**Names are pseudonyms under the key of what they name.** A practitioner or an appointment is called by an HMAC under
its own data key, so when that key is destroyed nobody can tell any more whose entries these are, whatever else they
hold. A destruction is entered under its receipt, never under the appointment's pseudonym.

One chain for all processes, in the database: each entry carries an HMAC over itself and the entry before it, under a
key of the key store. The newest number and HMAC are anchored in the key store at most a minute later, so a tail
that was cut off is missed.

``entry`` is what a line is made of, ``trail`` writes them, ``search`` finds some, ``verify`` walks over all.
"""

from vault.audit.entry import (
    PATIENT,
    SERVER,
    Act,
    Draft,
    Entry,
    Party,
    appointment,
    breach,
    invitation,
    operator,
    practitioner,
    receipt,
    request,
    support,
)
from vault.audit.verify import TrailReport

__all__ = [
    "PATIENT",
    "SERVER",
    "Act",
    "Draft",
    "Entry",
    "Party",
    "TrailReport",
    "appointment",
    "breach",
    "invitation",
    "operator",
    "practitioner",
    "receipt",
    "request",
    "support",
]
