"""What there is for those who look after an organisation: the pages that somebody may open, for a menu."""

from typing import Final

from practice.organisation.rights import Right, allowed
from signaling.rest.endpoint import Call

ENTRIES: Final = (
    ("people", Right.PEOPLE),
    ("departments", Right.DEPARTMENTS),
    ("organisation", Right.ORGANISATION),
    ("branding", Right.ORGANISATION),
    ("policies", Right.POLICIES),
    ("consents", Right.POLICIES),
    ("mail-server", Right.POLICIES),
    ("newsletter", Right.NEWSLETTER),
    ("service-notices", Right.SERVICE_NOTICES),
    ("mail-domains", Right.REGISTRATION),
    ("sms", Right.POLICIES),
    ("breaches", Right.REQUESTS),
    ("audit", Right.OVERSIGHT),
    ("record", Right.OVERSIGHT),
    ("requests", Right.REQUESTS),
    ("papers", Right.OVERSIGHT),
    ("report", Right.OVERSIGHT),
    ("statistics", Right.OVERSIGHT),
)
"""The last part of each address, which is also what its text is called, and the right that its page asks for."""


def menu(call: Call) -> list[str]:
    """The entries for who is signed in, in their order; none for most."""
    return [name for name, right in ENTRIES if allowed(right, call.scope.roles)]
