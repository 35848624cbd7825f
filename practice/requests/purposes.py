"""What somebody may object to (S-45), what it rests on, and what is paused at once.

Whatever is done with an address may be paused by whoever names it: it harms nobody, and whether it is theirs is seen to
by whoever decides. Being counted is of accounts, so only who is signed in pauses that; of a patient's link nothing is
paused, for none of these is done with patients. Nothing else that is done with data rests on an interest of ours that
could wait: what protects sign-ins, and the audit trail, go on, and whoever decides says why.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, get_args

Purpose = Literal["newsletter", "statistics", "contact", "other"]
PURPOSES: Final[tuple[Purpose, ...]] = get_args(Purpose)
Rests = Literal["consent", "legitimate-interest"]

RESTS_ON: Final[Mapping[Purpose, Rests]] = MappingProxyType(
    {
        "newsletter": "consent",
        "statistics": "legitimate-interest",
        "contact": "legitimate-interest",
        "other": "legitimate-interest",
    }
)
"""The newsletter; being counted in an organisation's statistics; being called or written to beside what an appointment
needs; whatever somebody describes, of which nothing is paused before a person has read it. To object to what rests on
consent is to withdraw it: that is never turned down."""


BY_ADDRESS: Final = frozenset[Purpose](("newsletter", "contact"))
"""Those before which it is asked whether somebody objected to it for an address."""


def is_withdrawal(purpose: Purpose | None) -> bool:
    """Whether objecting to this takes back a consent."""
    return purpose is not None and RESTS_ON[purpose] == "consent"
