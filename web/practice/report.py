"""What the software does for each duty (docs/privacy.md): what is set here, and by which tests it is claimed.

``claims.json`` is made of the tests (``python -m tests.test_privacy_claims``). What is live is said for the duties that
something set or done here decides about; of the others it says no more than its tests do.
"""

import asyncio
import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from practice.organisation.rights import Right
from practice.policies.model import Policy
from signaling.addresses import public_origin
from signaling.rest.endpoint import Call
from signaling.typedefs import NOW, SETTINGS, STORE, ZONE
from vault.inventory import inventory
from web import papers
from web.forms import Download, Fields, Form, Page
from web.moments import moment
from web.practice import record
from web.practice.extract import CONTENT, Format, cell, stamp
from web.render import SETTINGS as PAGES_SETTINGS
from web.render import spoken, translated
from web.storage import KEPT

CLAIMS: Final[Mapping[str, list[str]]] = json.loads(Path(__file__).with_name("claims.json").read_text("utf-8"))
"""Each duty, and the tests that fail when it is broken."""

FORMAT: Final = "spreekkamer-privacy-report"
VERSION: Final = 1
"""Of the file: counts changes that a reader has to know."""

COLUMNS: Final = ("id", "duty", "here", "claimed_by")
Facts = Mapping[str, list[tuple[str, str]]]
"""What is set or was done here, by duty: what it is, and how it is."""


class Taken(Fields):
    """As which file."""

    format: Format


@dataclass(frozen=True)
class Duty:
    """One, as the page and the file have it."""

    id: str
    text: str
    here: list[tuple[str, str]]
    tests: list[str]


async def show(call: Call) -> Mapping[str, object]:
    """All of them."""
    known, duties = await record.show(call), await report(call)
    claimed = sum(bool(one.tests) for one in duties)
    return {"duties": duties, "claimed": claimed, "made": known["made"], "menu": known["menu"]}


async def take(call: Call) -> Download:
    """The same as a file."""
    made, form = call.request.app[NOW](), call.body.format
    body = await asyncio.to_thread(written, await report(call), form, made)
    return Download(f"spreekkamer-privacy-{made:%Y-%m-%d}.{form}", CONTENT[form], body)


async def report(call: Call) -> list[Duty]:
    """The duties, in the reader's language."""
    t, facts = translated(call.request), await here(call)
    return [Duty(one, t(f"duty.{one}"), facts.get(one, []), tests) for one, tests in CLAIMS.items()]


async def here(call: Call) -> Facts:
    """What is set and was done on this server, as it is now."""
    policy = await call.request.app[STORE].policies.of(call.scope)
    return of_operator(call) | of_storage(call, await record.show(call)) | of_practice(call, policy)


def of_operator(call: Call) -> dict[str, list[tuple[str, str]]]:
    """Who runs it, where, and what is laid down of all that is stored."""
    app, t = call.request.app, translated(call.request)
    settings, unset = app[PAGES_SETTINGS], t("record.unset")
    return {
        "S-01": [(t("record.operator"), settings.operator.name or unset)],
        "S-02": [(t("privacy.contact.mail"), settings.operator.mail or unset)],
        "S-03": [(t("privacy.contact.dpo"), settings.dpo.name or unset)],
        "S-04": [(t("report.inventory"), str(len(inventory().entry)))],
        "S-19": [(t("report.purposes"), str(len(papers.by_purpose())))],
        "S-37": [(t("report.kept"), str(len(KEPT)))],
        "S-50": [(t("record.authority"), settings.authority.name)],
        "S-55": [(t("report.here"), public_origin(app[SETTINGS]))],
    }


def of_storage(call: Call, known: Mapping[str, Any]) -> dict[str, list[tuple[str, str]]]:
    """What the record of processing knows of this server."""
    t, none = translated(call.request), translated(call.request)("record.none")
    demanded = t("record.factor.demanded", n=known["grace"]) if known["demanded"] else t("record.factor.offered")
    mail = (t("record.mail"), ", ".join(known["mail"]) or none)
    sms = (t("record.sms"), ", ".join(known["sms"]) or none)
    never, verified = t("record.never"), known["verified"]
    whole = t("record.whole" if verified["whole"] else "record.not_whole") if verified else ""
    paused = [(t("record.swept"), t("record.paused"))] if known["paused"] else []
    return {
        "S-09": [sms],
        "S-10": [mail],
        "S-24": [(t("record.factor"), demanded)],
        "S-30": [
            (t("record.swept"), said(call, known["swept"])),
            (t("record.overdue"), str(known["overdue"])),
            *paused,
        ],
        "S-35": [mail, sms, (t("record.turn"), known["turn"][0] if known["turn"] else none)],
        "S-51": [
            (t("record.backup"), said(call, known["backup"]) if known["backup"] else never),
            (t("record.trail"), t("record.days", n=known["trail_days"])),
            (t("record.verified"), f"{said(call, verified['at'])}: {whole}" if verified else never),
        ],
    }


def of_practice(call: Call, policy: Policy) -> dict[str, list[tuple[str, str]]]:
    """What the organisation has decided, and the operator's cap beside it."""
    t, operators = translated(call.request), call.request.app[STORE].settings.retention_cap
    ours = t(f"retention.{policy.cap}") if policy.cap else t("policies.any")
    barred = ", ".join(t(f"policies.{one}") for one in sorted(policy.barred)) or t("record.none")
    theirs = t("record.cap.none") if operators is None else t("record.days", n=operators)
    return {
        "S-20": [(t("report.barred"), barred)],
        "S-32": [(t("policies.cap"), ours), (t("record.cap"), theirs)],
    }


def said(call: Call, at: datetime) -> str:
    """A moment, by the practice's clock."""
    app = call.request.app
    return moment(at, app[NOW](), app[ZONE](), spoken(call.request)[0])


def written(duties: list[Duty], form: Format, made: datetime) -> bytes:
    """The file: a table, or an object in each line, of which the first is about the file."""
    rows = [(one.id, one.text, [f"{what}: {how}" for what, how in one.here], one.tests) for one in duties]
    if form == "jsonl":
        about = {"format": FORMAT, "version": VERSION, "made_at": stamp(made), "duties": len(rows)}
        lines = [about, *(dict(zip(COLUMNS, row, strict=True)) for row in rows)]
        return "".join(f"{json.dumps(one, ensure_ascii=False)}\n" for one in lines).encode()
    text = io.StringIO(newline="")
    table = csv.writer(text)
    table.writerow(COLUMNS)
    table.writerows([cell(one if isinstance(one, str) else "\n".join(one)) for one in row] for row in rows)
    return text.getvalue().encode()


REPORT: Final = Page("/practice/report", "practice/report.html", show, right=Right.OVERSIGHT)

PAGES: Final = (REPORT,)
FORMS: Final = (Form("/practice/report/take", REPORT, Taken, take),)
"""``pages`` has each page and each form."""
