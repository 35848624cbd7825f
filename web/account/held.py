"""What is held of somebody, for a page: by kind, each field with its value, with what for, why and how long.

Made of the kinds and of the inventory alone: a kind more is a part more. What a field is called stands under
``data.field``; one without words there shows its own name.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from babel import Locale

from practice.agenda.records import APPOINTMENTS
from practice.agreements.records import ACCEPTANCES
from practice.assistants.records import ENGAGEMENTS
from practice.billing.records import BANK_ACCOUNTS
from practice.bookings.records import AVAILABILITIES
from practice.circulars.records import SUBSCRIPTIONS
from practice.consents.records import CONSENTS
from practice.contacts.records import CONTACTS
from practice.factors.records import FACTORS
from practice.feeds.records import FEEDS
from practice.particulars.records import PARTICULARS
from practice.pictures.records import PICTURES
from practice.presets.records import PRESETS
from practice.push_subscriptions.records import PUSH_SUBSCRIPTIONS
from practice.questionnaires.records import QUESTIONNAIRES
from practice.reminders.records import MANUAL_SPANS
from practice.sentences.records import SENTENCES
from vault.inventory import Item, inventory
from vault.records.export import Held
from vault.records.records import Kind
from web.locale import CATALOGUES, NAMES

MOST: Final = 50
"""Records of a kind on the page; all of them are in the file."""

CORRECTED: Final = {
    APPOINTMENTS.name: "/desk",
    SENTENCES.name: "/desk",
    FACTORS.name: "/account/security",
    PRESETS.name: "/account/presets",
    CONSENTS.name: "/account/consents",
    QUESTIONNAIRES.name: "/account/questions",
    PARTICULARS.name: "/account/particulars",
    BANK_ACCOUNTS.name: "/account/bank",
    PICTURES.name: "/account/photograph",
    ENGAGEMENTS.name: "/account/assistants",
    FEEDS.name: "/account/feed",
    AVAILABILITIES.name: "/account/booking",
    PUSH_SUBSCRIPTIONS.name: "/desk",
    SUBSCRIPTIONS.name: "/account/newsletter",
    ACCEPTANCES.name: "/agreements",
    CONTACTS.name: "/account/requests",
    MANUAL_SPANS.name: "/desk",
}
"""Where there is a page for it."""

NOT_HERE: Final = frozenset({FACTORS.name, ENGAGEMENTS.name, SUBSCRIPTIONS.name, ACCEPTANCES.name, CONTACTS.name})
"""Kinds that are taken out on their own page only: more ends with them, or begins, than a record."""

WORDED: Final[Mapping[str, Callable[[str, str], str]]] = {
    "language": lambda _, value: NAMES[value],
    "way": lambda language, value: CATALOGUES[language].text(f"contact.way.{value}"),
    "reason": lambda language, value: CATALOGUES[language].text(f"contact.reason.{value}"),
    "document": lambda language, value: CATALOGUES[language].text(f"agreements.name.{value}"),
    "label": lambda language, value: CATALOGUES[language].text(f"label.{value}"),
    "attended": lambda language, value: CATALOGUES[language].text(f"day.{value}"),
    "ceiling": lambda language, value: CATALOGUES[language].text(f"retention.{value}"),
    "wish": lambda language, value: CATALOGUES[language].text(f"day.wish.{value}"),
    "use": lambda language, _: CATALOGUES[language].text("photograph.title"),
    "data": lambda _, value: f"{len(value) * 3 / 4000:.1f} kB",
    "country": lambda language, value: str(Locale.parse(language).territories.get(value, value)),
}
"""Fields whose values are words of ours."""

Said = Callable[[datetime], str]


@dataclass(frozen=True)
class Line:
    """A field: what it is called, and its value in words."""

    name: str
    value: str = field(repr=False)


@dataclass(frozen=True)
class Part:
    """All of a kind. ``items`` is what the inventory says of its fields."""

    kind: str
    items: list[Item]
    records: Mapping[str, list[Line]] = field(repr=False)
    damaged: list[str]
    more: int
    withheld: bool
    """Whether something of it is shown to nobody: what would open a link, or sign somebody in."""

    @property
    def corrected(self) -> str | None:
        """The address of the page for it."""
        return CORRECTED.get(self.kind)

    @property
    def destroyed_here(self) -> bool:
        """Whether the page has a button for each record."""
        return self.kind not in NOT_HERE


def part(held: Held, language: str, said: Said) -> Part:
    """A kind on the page in this language; ``said`` puts a moment into words."""
    layout = held.kind.layout
    records = {row: lines(record, language, said) for row, record in held.by_id.items()}
    given = {name for record in held.records for name in record}
    hidden = bool(given) and not layout.fields | layout.optional <= given
    return Part(held.kind.name, items(held.kind), records, [one.id for one in held.damaged], held.more, hidden)


def items(kind: Kind[Any]) -> list[Item]:
    """What the inventory says of what is sealed of a kind, the whole first."""
    table = kind.table.name
    found = [one for one in inventory().entry if any(name.startswith(f"{table}.content") for name in one.content)]
    return sorted(found, key=lambda one: f"{table}.content" not in one.database)


def rest(shown: list[Item]) -> list[Item]:
    """All else that the inventory has of what is about somebody."""
    return [one for one in inventory().entry if one.category != "nobody" and one not in shown]


def lines(record: Mapping[str, Any], language: str, said: Said) -> list[Line]:
    """Each field of a record that may be taken along."""
    words = CATALOGUES[language].messages

    def worded(name: str, value: Any) -> str:
        return WORDED[name](language, value) if name in WORDED and value else valued(value, language, said)

    return [Line(str(words.get(f"data.field.{name}", name)), worded(name, value)) for name, value in record.items()]


def valued(value: Any, language: str, said: Said) -> str:
    """A value of JSON in words; empty for none."""
    t = CATALOGUES[language].text
    match value:
        case None:
            return ""
        case bool():
            return t("data.yes") if value else t("data.no")
        case list():
            return "; ".join(valued(one, language, said) for one in value)
        case dict():
            return ", ".join(filter(None, (valued(one, language, said) for one in value.values())))
    at = moment_in(value)
    return said(at) if at else str(value)


def moment_in(value: object) -> datetime | None:
    """A moment that ``datetime.isoformat`` wrote, with its offset."""
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) and "T" in value else None
    except ValueError:
        return None
    return at if at and at.tzinfo else None
