"""That somebody works for somebody, as it leaves storage."""

from dataclasses import dataclass, field

from vault.records.content import Fields
from vault.records.scope import Label


@dataclass(frozen=True, slots=True)
class Engagement:
    """An assistant's ``account`` works for a practitioner, its ``owner``, and sees as much of a patient's label.

    ``admits``: whether they let in who waits, to the practitioner.
    """

    id: str
    owner: str
    account: str
    label: Label
    version: int
    admits: bool = False
    unknown: Fields = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Engaged:
    """The same with the shown name of the other of the two; None where that cannot be read."""

    engagement: Engagement
    name: str | None = field(repr=False)
