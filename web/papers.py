"""The papers that a practice keeps, made of the settings, of the inventory and of the code as they are now.

The register of processing (GDPR art. 30), the annex of a processor agreement (art. 28(3)), the table of retention, the
table of what a browser keeps, the recipients, and where the audit trail has what NEN 7513 asks. ``web.practice.papers``
shows them, ``spreekkamer papers`` writes them as files. Nothing in them is typed by anybody but names and hosts.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, get_args

from practice.outgoing import PURPOSES, Door
from signaling.settings import SignalingSettings
from vault.audit.entry import Entry
from vault.inventory import Item, Purpose, Retention, inventory
from vault.settings import VaultSettings
from web.settings import WebSettings
from web.storage import KEPT

DAY: Final = 86_400
HOUR: Final = 3600
FAMILY: Final = "privacy.data"
ANNEX: Final = (
    *("subject", "duration", "nature", "people", "instructions", "confidence"),
    *("measures", "others", "help", "end", "proof"),
)
"""What article 28(3) wants said, in its order, but for the kinds of data, which are a table."""

TRAIL: Final = (*Entry.__dataclass_fields__, "chain")
"""What an entry of the trail has."""

Text = Callable[..., str]


@dataclass(frozen=True)
class Known:
    """What the papers are made of beside the inventory. ``turn`` is the host of the TURN server."""

    web: WebSettings
    vault: VaultSettings
    signaling: SignalingSettings
    door: Door
    turn: str | None


@dataclass(frozen=True)
class Paper:
    """One of them: facts as (what, how it is), then a table, whose first row is its head."""

    name: str
    title: str
    text: str
    facts: Sequence[tuple[str, str]]
    rows: Sequence[tuple[str, ...]]


def papers(known: Known, t: Text) -> list[Paper]:
    """All of them, in the language of ``t``."""
    made = {
        "register": (controllers(known, t), register(known, t)),
        "annex": (annex(known.web, t), kinds_of_data(t)),
        "retention": ([], retention(known, t)),
        "cookies": ([], cookies(t)),
        "recipients": ([(t("record.where"), places(known, t))], recipients(known, t)),
        "trail": ([(t("record.trail"), t("record.days", n=known.vault.audit_days))], trail(t)),
    }
    return [Paper(name, t(f"papers.{name}"), t(f"papers.{name}.text"), *made[name]) for name in made]


def controllers(known: Known, t: Text) -> list[tuple[str, str]]:
    """Who answers for it, and whom to ask."""
    operator, officer = known.web.operator, known.web.dpo
    unset = t("record.unset")
    return [
        (t("record.operator"), ", ".join(filter(None, (operator.name, operator.address, operator.mail))) or unset),
        (t("privacy.contact.dpo"), ", ".join(filter(None, (officer.name, officer.mail))) or unset),
        (t("record.authority"), f"{known.web.authority.name}, {known.web.authority.web}"),
    ]


def register(known: Known, t: Text) -> list[tuple[str, ...]]:
    """Each purpose with all that is stored for it."""
    head = (t("privacy.data.why"), t("privacy.data.what"), t("papers.whose"), t("record.basis"), t("privacy.data.long"))
    rows = [
        (
            t(f"{FAMILY}.purpose.{purpose}"),
            t(f"{FAMILY}.item.{item.label}"),
            t(f"{FAMILY}.category.{item.category}"),
            t(f"{FAMILY}.basis.{item.basis}"),
            period(known, item.retention, t),
        )
        for purpose, items in by_purpose()
        for item in items
    ]
    return [head, *rows]


def processing(settings: WebSettings, t: Text) -> Paper:
    """The annex alone, of which nothing depends on more than these settings: whoever agrees reads it with that."""
    return Paper("annex", t("papers.annex"), t("papers.annex.text"), annex(settings, t), kinds_of_data(t))


def annex(settings: WebSettings, t: Text) -> list[tuple[str, str]]:
    """What article 28(3) wants said."""
    who = settings.operator.name or t("record.unset")
    return [(t(f"papers.annex.{one}"), t(f"papers.annex.{one}.text", operator=who)) for one in ANNEX]


def kinds_of_data(t: Text) -> list[tuple[str, ...]]:
    """What is processed on the practitioner's behalf, and in which form it stands."""
    ours = [item for item in inventory().entry if item.category == "appointment"]
    rows = [(t(f"{FAMILY}.item.{item.label}"), t(f"{FAMILY}.form.{item.form}")) for item in ours]
    return [(t("privacy.data.what"), t("papers.form")), *rows]


def retention(known: Known, t: Text) -> list[tuple[str, ...]]:
    """How long each thing is kept, the shortest words first found first said."""
    head = (t("privacy.data.long"), t("privacy.data.what"))
    rows = []
    for word in get_args(Retention):
        items = [item for item in inventory().entry if item.retention == word and item.category != "nobody"]
        if items:
            what = "; ".join(dict.fromkeys(t(f"{FAMILY}.item.{item.label}") for item in items))
            rows.append((period(known, word, t), what))
    return [head, *rows]


def cookies(t: Text) -> list[tuple[str, ...]]:
    """What our pages keep in a browser."""
    head = (t("privacy.kept.name"), t("papers.kind"), t("privacy.kept.purpose"), t("privacy.kept.life"))
    words = [
        (t(f"privacy.kept.{one.kind}"), t(f"privacy.kept.{one.text}.purpose"), t(f"privacy.kept.{one.text}.life"))
        for one in KEPT
    ]
    return [head, *((one.name, *said) for one, said in zip(KEPT, words, strict=True))]


def recipients(known: Known, t: Text) -> list[tuple[str, ...]]:
    """Whoever data go to outside this server, by what for."""
    hosts = {one: known.door.listed(one) for one in PURPOSES} | {"turn": [known.turn] if known.turn else []}
    rows = [(t(f"record.{one}"), ", ".join(sorted(listed)) or t("record.none")) for one, listed in hosts.items()]
    return [(t("privacy.data.why"), t("papers.host")), *rows]


def trail(t: Text) -> list[tuple[str, ...]]:
    """Each field of an entry, and what of NEN 7513 it answers."""
    head = (t("papers.field"), t("papers.asks"), t("papers.answers"))
    rows = [(one, t(f"papers.trail.{one}.asks"), t(f"papers.trail.{one}.answers")) for one in TRAIL]
    return [head, *rows, ("-", t("papers.trail.point.asks"), t("papers.trail.point.answers"))]


def places(known: Known, t: Text) -> str:
    """Where storage stands."""
    elsewhere = apart(known.vault, redis=known.signaling.redis_url is not None)
    names = ", ".join(t(f"record.apart.{one}") for one in elsewhere)
    return f"{t('record.where.apart')}: {names}" if elsewhere else t("record.where.here")


def by_purpose() -> list[tuple[Purpose, list[Item]]]:
    """All that is stored and about somebody, by what it is for."""
    items = [item for item in inventory().entry if item.category != "nobody"]
    found = [(purpose, [item for item in items if item.purpose == purpose]) for purpose in get_args(Purpose)]
    return [(purpose, one) for purpose, one in found if one]


def period(known: Known, retention: Retention, t: Text) -> str:
    """How long, by the settings where it is they that say so."""
    if retention == "setting":
        cap = known.vault.retention_cap
        return t("record.setting") if cap is None else t("record.setting.cap", n=cap)
    seconds = lengths(known).get(retention)
    return t(f"{FAMILY}.retention.{retention}") if seconds is None else length(seconds, t)


def lengths(known: Known) -> Mapping[str, int]:
    """How long what has its time in a setting of the operator's is kept, in seconds."""
    return {
        "audit": known.vault.audit_days * DAY,
        "refresh": known.signaling.refresh_seconds,
        "resume": known.signaling.resume_seconds,
    }


def length(seconds: int, t: Text) -> str:
    """In the largest unit that leaves nothing over."""
    for unit, size in (("days", DAY), ("hours", HOUR)):
        if seconds % size == 0:
            return t(f"record.{unit}", n=seconds // size)
    return t("record.minutes", n=-(-seconds // 60))


def apart(settings: VaultSettings, *, redis: bool) -> list[str]:
    """What is not on this server itself."""
    there = {
        "database": settings.database().get_backend_name() != "sqlite",
        "keystore": settings.keystore_address().get_backend_name() != "sqlite",
        "transit": settings.transit.address is not None,
        "redis": redis,
    }
    return [name for name, is_apart in there.items() if is_apart]


def markdown(paper: Paper, level: int = 1) -> str:
    """One as a file, with its title as a heading of this level."""
    return "\n".join(_lines(paper, level)) + "\n"


def _lines(paper: Paper, level: int) -> Iterator[str]:
    yield from (f"{'#' * level} {_plain(paper.title)}", "", _plain(paper.text), "")
    for what, how in paper.facts:
        yield f"- **{_plain(what)}**: {_plain(how)}"
    if paper.facts:
        yield ""
    head, *rows = paper.rows
    for row in (head, ("---",) * len(head), *rows):
        yield f"| {' | '.join(map(_plain, row))} |"


def _plain(text: str) -> str:
    """In one line, with nothing in it that Markdown reads as its own but what a rule of three dashes is."""
    line = " ".join(text.split())
    return "".join(f"\\{one}" if one in "\\`*_[]<>|#" else one for one in line)
