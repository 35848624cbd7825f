"""Keys of texts that code makes of a word of a closed list: every one of them has to be there."""

from typing import Any, get_args

from practice.agenda.ages import BANDS, LIFT_REASONS
from practice.agenda.model import PURPOSES as CONSENTED
from practice.agenda.model import Attendance
from practice.agenda.questions import QUESTION_KINDS, YES_NO
from practice.agenda.wishes import WISHES
from practice.agreements.model import DOCUMENTS
from practice.breaches.model import RISKS
from practice.circulars.model import Topic
from practice.consents.model import ASKABLE
from practice.contacts.model import CONTACT_REASONS, CONTACT_WAYS
from practice.invitations.model import BOUNCED, WAYS
from practice.invitations.model import WORDS as TOLD_WORDS
from practice.invitations.model import State as TellingState
from practice.kinds import KINDS
from practice.notices.model import Reason
from practice.notices.smtp import Step
from practice.organisation.rights import ROLES
from practice.pictures.masking import NAMES as NAMES_OF_BOXES
from practice.policies.model import FEATURES, HOURS
from practice.requests.model import ENDINGS, WHATS, Proof
from practice.requests.model import WAYS as WAYS_IN
from practice.requests.model import Phase as RequestPhase
from practice.requests.purposes import PURPOSES
from practice.sights.looks import Who
from practice.sights.model import Phase, SightReason
from practice.sms_providers.model import Format
from practice.sms_providers.numbers import Reason as Unfit
from practice.sms_providers.sending import Step as SmsStep
from practice.statistics.model import TALLIES, WAITS
from signaling.exports import State as ExportState
from signaling.exports import Way as ExportWay
from signaling.protocol.errors import CATALOGUE, Doubt
from signaling.protocol.events import EndReason, HoldMessage, Role, Unusable
from signaling.protocol.guests import GuestRole
from signaling.protocol.rest import Retention
from signaling.protocol.technical import PersonCheckView
from signaling.protocol.waiting_room import DeclineMessage, Found, Status
from tests.web.forms.withheld import WITHHELD
from vault.audit import Act
from vault.audit.entry import Kind as PartyKind
from vault.records.records import Kind
from vault.records.scope import Label
from web.account import security
from web.agreements import PARTS
from web.forms.fields import PROBLEMS
from web.pages import STORED
from web.papers import ANNEX, TRAIL
from web.practice.menu import ENTRIES
from web.practice.report import CLAIMS
from web.rights.sections import SECTIONS
from web.routes import FORMS
from web.storage import KEPT


def given(kind: Kind[Any]) -> set[str]:
    """Fields of what is sealed that their owner is shown."""
    return set(kind.layout.fields | kind.layout.optional) - WITHHELD.get(kind.name, set())


PAPERS = ("register", "annex", "retention", "cookies", "recipients", "trail")
DEVICES = ("camera", "microphone", "speaker")
OBSTACLES = ("in-app", "outdated", "insecure", "lockdown", "no-webrtc", "switched-off")
FAMILIES = {
    "agreements": ["conflict"],
    "contact.way": CONTACT_WAYS,
    "contact.reason": CONTACT_REASONS,
    "service.topic": get_args(Topic),
    "agreements.name": DOCUMENTS,
    "agreement": [f"{part}{title}" for part in PARTS for title in ("", ".title")],
    "error": [*CATALOGUE, "offline", "timeout"],
    "hold": [f"{message}{form}" for message in get_args(HoldMessage) for form in ("", ".short")],
    "bye.lead": [*get_args(EndReason), "declined", "withdrawn"],
    "bye.title": ["left", "cancelled", "declined", "withdrawn"],
    "decline": get_args(DeclineMessage),
    "announce.status": get_args(Status),
    "retention": get_args(Retention),
    "statistics": (*TALLIES, *WAITS, "few", "withheld"),
    "day.fate": get_args(Retention),
    "patient.progress": ["check", "wait", "talk", "goodbye"],
    "call.leave": ["patient", "practitioner"],
    "call.failed": ["media", "tampering", "outdated", "offline"],
    "line": ["good", "fair", "poor"],
    "waiting.check": [
        "green",
        *(f"{device}.{found}" for device in DEVICES[:2] for found in get_args(Found) if found != "works"),
    ],
    "desk.obstacle": OBSTACLES,
    "message": [
        f"{name}.{part}"
        for name in (
            *("link_invalid", "early", "late", "ended", *OBSTACLES, "offline", "timeout"),
            *("rate_limited", "room_full", "tampering", "elsewhere", "try_again"),
        )
        for part in ("title", "text", "remedy")
    ],
    "problem": [
        *(
            f"{which}.{problem}"
            for which in ("both", *DEVICES[:2])
            for problem in ("denied", "busy", "missing", "insecure")
        ),
        *(f"denied.{browser}" for browser in ("chrome", "firefox", "safari", "in-app")),
        *(f"{problem}.remedy" for problem in ("busy", "missing", "insecure")),
    ],
    "devices": [*DEVICES, *(f"{kind}.none" for kind in DEVICES), *(f"{kind}.unnamed" for kind in DEVICES)],
    "devices.refused": ["denied", "busy", "missing"],
    "call": [f"{kind}-{problem}" for kind in ("mic", "camera", "both") for problem in ("none", "denied", "busy")],
    "call.unusable": list(get_args(Unusable)),
    "code": [f"{said}.{way}" for said in ("sent", "other") for way in WAYS],
    "guests": [f"{act}{form}" for act in ("copy", "renew", "remove") for form in ("", ".who", ".done")],
    "guests.role": get_args(GuestRole),
    "guest.as": get_args(GuestRole),
    "call.compare": ["came", "left", "renewed"],
    "call.person": ["practitioner", "patient", "guest"],
    "signin": ["mail.missing", "password.missing"],
    "form": ["stale"],
    "password": ["wrong"],
    "picture": ["too_large"],
    "mail": [
        *("taken", "confirmed.old", "confirmed.new"),
        *(f"told.{state}" for state in ("waits", "done", "done.text", "stopped", "stopped.text")),
    ],
    "data.field": sorted(
        {"app", "codes_left", "state"}.union(*(given(kind) for kind in KINDS if kind.export is not None))
    ),
    "looked.who": get_args(Who),
    "legal": ["export", "preservation", "kept"],
    "papers": [
        *("whose", "form", "kind", "host", "field", "asks", "answers"),
        *PAPERS,
        *(f"{name}.text" for name in PAPERS),
        *(f"annex.{one}{part}" for one in ANNEX for part in ("", ".text")),
        *(f"trail.{one}.{part}" for one in (*TRAIL, "point") for part in ("asks", "answers")),
    ],
    "sight": [
        *("factor", "conflict", "late", *(f"phase.{phase}" for phase in get_args(Phase))),
        *(f"reason.{reason}" for reason in get_args(SightReason)),
    ],
    "request": [
        *(f"what.{one}" for one in WHATS),
        *(f"outcome.{one}" for one in ENDINGS),
        *(f"purpose.{one}" for one in PURPOSES),
        *(f"way.{one}" for one in WAYS_IN),
        *(f"phase.{one}" for one in get_args(RequestPhase)),
        *(f"proven.{one or 'not'}" for one in get_args(Proof)),
        *(
            "late",
            "extend.not",
            "discard.not",
            "replied.before",
            "paused",
            "linked",
            "whose",
            "decide.next",
            "next.held",
            "answer.unproven",
        ),
    ],
    "identity": [*(f"box.{one}" for one in NAMES_OF_BOXES)],
    "report": [
        *("inventory", "purposes", "kept", "here", "barred"),
        *(f"{one}.{part}" for one in ("leak", "minor") for part in ("title", "lead", "next", "text", "text.hint")),
    ],
    "breach": [*(f"phase.{one}" for one in ("told", "settled")), *(f"risk.{one}" for one in RISKS)],
    "people.factor": ["none", *(f"reason.{reason}" for reason in get_args(Reason))],
    "dissolving": ["problem.name"],
    "invite": ["conflict"],
    "invited": ["conflict", "title", "text"],
    "registering": ["conflict", "title", "text", "own.title", "own.text"],
    "domains": ["taken"],
    "told": TOLD_WORDS,
    "told.way": WAYS,
    "told.reason": ["sender", "recipient", "content", "refused", BOUNCED],
    "new.phone": ["hint", *get_args(Unfit)],
    "told.state": [state for state in get_args(TellingState) if state != "void"],
    "policies.reminders": [str(hours) for hours in HOURS],
    "role": ROLES,
    "asking": ASKABLE,
    "questions": [*YES_NO, "closed", "consent", "others", "many"],
    "questions.kind": QUESTION_KINDS,
    "questions.wrong": QUESTION_KINDS,
    "band": ["none", *BANDS],
    "lift": LIFT_REASONS,
    "before": ["consent_needed", "guardian_needed", "lift.needless"],
    "consent": ["code", "newer", "nothing"],
    "asking.house": ["missing"],
    "label": get_args(Label),
    "serves": ["conflict"],
    "served": ["doubtful"],
    "passing": ["late"],
    "departments": ["taken"],
    "act": list(Act),
    "party": get_args(PartyKind),
    "policies": list(FEATURES),
    "duty": list(CLAIMS),
    "mail_server.outcome": ["accepted", *get_args(Step)],
    "day.wish": WISHES,
    "wish": ["cancel.word", *(f"{wish}.said" for wish in WISHES)],
    "feed": ["busy"],
    "push": ["waits"],
    "export": ["spent", "factor"],
    "export.way": get_args(ExportWay),
    "own.consent": CONSENTED,
    "own.take": ["html", "json", "ics"],
    "export.state": get_args(ExportState),
    "booking": ["taken", "busy"],
    "own": [
        "what",
        "host",
        "with",
        "name",
        "mail",
        "phone",
        "said",
        "messages",
        "nothing",
        "until",
        "until.manual",
        "patient",
        "preserved",
    ],
    "rights": ["no-address", *(f"again.{way}" for way in WAYS)],
    "rights.section": [f"{one.name}{part}" for one in SECTIONS for part in ("", ".text")],
    "group": ["hold", "hand-over", "remove"],
    "group.person": get_args(Role),
    "group.role": get_args(GuestRole),
    "hour": ["closed", "full", "busy"],
    "sms.test": ["message"],
    "sms.outcome": ["accepted", *get_args(SmsStep)],
    "sms.format": get_args(Format),
    "audit.export": ["large"],
    "record": ["setting", "setting.cap", "days", "hours", "minutes"],
    "record.apart": ["database", "keystore", "transit", "redis"],
    "menu": [name for name, _ in ENTRIES],
    "form.problem": sorted(PROBLEMS),
    "done": sorted({form.done for form in FORMS if form.done}),
    "security": [*{key.partition(".")[2] for _, key in security.WRONG.values() if key.startswith("security.")}],
    "new.doubt": get_args(Doubt),
    "day": [
        "running",
        "waiting",
        "ended",
        "past",
        "planned",
        "cancelled",
        "held",
        "missed",
        "consent_needed",
        "guardian_needed",
    ],
    **{kind: ["title", "text", "yes", "button", "button.who"] for kind in ("cancel", "destroy")},
    "attend": [f"{said}{part}" for said in get_args(Attendance) for part in ("", ".button", ".who")],
    "week": [*(f"view.{view}" for view in ("day", "week", "list")), "previous", "next"],
    "new": ["patient.missing", "day.missing", "time.missing"],
    "privacy.data": [
        *(f"talk.{part}" for part in ("what", "why", "long")),
        *(f"item.{entry.label}" for _, entries in STORED for entry in entries),
        *(f"category.{category}" for category, _ in STORED),
        *{
            f"{part}.{getattr(entry, part)}"
            for _, entries in STORED
            for entry in entries
            for part in ("purpose", "basis", "retention", "form")
        },
    ],
    "technical": [
        f"{row}.{word}"
        for row in ("role", "device", "connection", "sound", "picture", "network")
        for word in get_args(PersonCheckView.model_fields[row].annotation)
    ],
    "privacy.kept": [
        *(f"{kept.text}.{part}" for kept in KEPT for part in ("purpose", "life")),
        *{kept.kind for kept in KEPT},
    ],
}
