"""A version of a document that people agree to, and that somebody did, as they leave storage."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal, get_args

from practice.accounts.model import Language
from vault.records.content import Fields

DocumentName = Literal["statement", "processing"]
"""The privacy statement; the agreement by which whoever runs the server processes for others (GDPR 28)."""

DOCUMENTS: Final[tuple[DocumentName, ...]] = get_args(DocumentName)

EXPECTED: Final = timedelta(days=30)
"""So long after a version came it may be left for later without a word; then that is said. Nobody is kept out."""


@dataclass(frozen=True, slots=True)
class Document:
    """One version, as it was put before the people of the organisation that is its ``owner``, from ``since`` on.

    ``mark`` is a hash of all its ``texts``, plain ones by language: of the same text it is the same.
    """

    id: str
    owner: str
    name: DocumentName
    mark: str
    since: datetime
    texts: Mapping[Language, str] = field(repr=False)
    version: int = 1
    unknown: Fields = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Acceptance:
    """That the account that is its ``owner`` agreed ``at`` this moment to the version with this ``mark``, which stood
    there ``since`` then.
    """

    id: str
    owner: str
    name: DocumentName
    mark: str
    since: datetime
    at: datetime
    version: int = 1
    unknown: Fields = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Agreed:
    """How somebody stands to a document: what is in force, and when they accepted that, None where they did not.

    ``late`` is whether they have left it for later longer than is expected.
    """

    document: Document
    accepted: datetime | None
    late: bool
