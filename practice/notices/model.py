"""A notice: what is told to who has an account, or is to have one, in words of ours."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from practice.accounts.model import Language
from vault.records.content import Fields

Word = Literal[
    "new-device", "password-changed", "reset", "mail-asked", "mail-vouched", "mail-confirm", "mail-changed",
    "app-added", "app-removed", "passkey-added", "passkey-removed", "codes-made", "codes-low",
    "factor-lifted", "factor-recovered", "organisation-ends", "invitation", "taken-over", "mail-test", "sight-given",
    "sight-asked", "bank-changed", "bank-removed",
    "newsletter", "service", "manual",
    "register", "register-known", "arrival", "booking", "booked", "wished", "erased", "let-in", "turned-down",
    "request-mailed", "request-enclosed", "minor-erased", "minor-erased-there",
    "export-link", "export-sent",
    "request-filed", "request-asked-back", "request-extended", "request-answered",
    "request-new", "request-reminder", "request-late",
    "legal",
]  # fmt: skip
"""Which text it is (``texts.toml``)."""

Reason = Literal["lost", "broken", "replaced", "damaged"]
"""Why an owner lifted a second factor. Of a closed list: what somebody types could say anything about anybody."""


@dataclass(frozen=True, slots=True)
class News:
    """What is to be told, where and in which language. ``values`` are what the text needs beside: none is what a person
    typed, and none a secret; of a link it is only a seed.
    """

    word: Word
    to: str = field(repr=False)
    language: Language
    values: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Notice:
    """News that are written down. ``unknown`` is what a newer program keeps beside these fields.

    ``written`` says when its cause was, and gives the order; ``again`` is when it is tried next, after ``tries``.
    """

    id: str
    owner: str
    news: News
    written: datetime
    tries: int
    again: datetime
    version: int
    unknown: Fields = field(default_factory=dict, repr=False, compare=False)
