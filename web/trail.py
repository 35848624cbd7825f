"""What an entry of the trail says beside its act, in words: for each act the details that it may have."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, get_args

from practice.accounts.model import Retention
from practice.agenda.ages import LIFT_REASONS
from practice.agenda.wishes import WISHES
from practice.agreements.model import DOCUMENTS
from practice.breaches.model import RISKS
from practice.circulars.model import Use as CircularUse
from practice.contacts.model import CONTACT_REASONS
from practice.notices.model import Reason
from practice.notices.smtp import Step
from practice.pictures.model import Use
from practice.registrations.model import NEW_ROLES
from practice.requests.model import ENDINGS, WHATS
from practice.sights.model import SightReason
from practice.sms_providers.sending import Step as SmsStep
from vault.audit import Act, Entry
from vault.records.scope import Label
from web.locale import NAMES

DEPARTMENTS: Final = "detail.departments"
LINES: Final = "detail.lines"
RECORDS: Final = "detail.records"
ROLES: Final = "detail.roles"


@dataclass(frozen=True)
class Details:
    """Those of one act. ``words`` are keys of texts by what the trail has; ``counted`` is the key of the text of a
    number, empty where there is none; ``names`` are what needs no translation.
    """

    words: Mapping[str, str] = field(default_factory=dict)
    counted: str = ""
    names: Mapping[str, str] = field(default_factory=dict)

    def said(self, detail: str, text: Callable[..., str]) -> str | None:
        """A detail in the language of ``text``. None for one that is not known."""
        if detail in self.names:
            return self.names[detail]
        if detail in self.words:
            return text(self.words[detail])
        return text(self.counted, n=int(detail)) if self.counted and detail.isdecimal() else None


def worded(family: str, *words: str) -> dict[str, str]:
    """Keys of a family of texts."""
    return {word: f"{family}.{word}" for word in words}


KEPT: Final = worded("detail.kept", *get_args(Retention))
REMOVED: Final = Details(worded("detail", "removed"))
SET: Final = Details(worded("detail", "set", "removed"))
CIRCULAR: Final = Details(worded("detail.circular", *get_args(CircularUse)))
PICTURE: Final = Details(worded("detail.picture", *get_args(Use)))
WHOLE: Final = Details(worded("detail", "whole", "bad"))

DETAILS: Final[Mapping[Act, Details]] = {
    Act.SIGNED_IN: Details(worded("detail.signed-in", "factors", "passkey", "set-up")),
    Act.MAIL_CONFIRMED: Details(worded("detail.address", "old", "new")),
    Act.SESSIONS_ENDED: Details(counted="detail.sessions"),
    Act.RECOVERY_CODE_USED: Details(counted="detail.codes"),
    Act.FACTOR_ADDED: Details(worded("detail.factor", "totp", "passkey")),
    Act.FACTOR_REMOVED: Details(worded("detail.factor", "totp", "passkey", "recover")),
    Act.FACTOR_LIFTED: Details(worded("people.factor.reason", *get_args(Reason))),
    Act.PASSKEY_REFUSED: Details(worded("detail.passkey", "backup-changed", "counter-back")),
    Act.ACCOUNT_ADDED: Details(worded("detail", "invited", "registered")),
    Act.REGISTRATION_ASKED: Details(worded("detail.registration", "new", "known")),
    Act.MAIL_DOMAIN_ADDED: Details(worded("role", *NEW_ROLES)),
    Act.MAIL_DOMAIN_REMOVED: Details(worded("role", *NEW_ROLES)),
    Act.PARTICULARS_CHANGED: REMOVED,
    Act.BANK_ACCOUNT_CHANGED: REMOVED,
    Act.ROLES_CHANGED: Details({"owner": "role.owner"}, ROLES),
    Act.INVITED: Details(counted=ROLES),
    Act.INVITATION_RENEWED: Details(counted=ROLES),
    Act.PEOPLE_LISTED: Details(counted="detail.people"),
    Act.DEPARTMENTS_READ: Details(counted=DEPARTMENTS),
    Act.DEPARTMENTS_CHANGED: Details(counted=DEPARTMENTS),
    Act.ENGAGEMENT_CHANGED: Details(worded("label", *get_args(Label))),
    Act.WORKED_FOR: Details(
        worded("act", *Act) | worded("detail.event", "watch", "tell", "write", "announce", "decline", "call-in")
    ),
    Act.POLICY_CHANGED: Details({**KEPT, "any": "policies.any"}),
    Act.DATA_EXPORTED: Details(worded("detail.exported", "withdrawn", "sent", "fetched")),
    Act.DATA_IMPORTED: Details(counted="detail.appointments"),
    Act.FILE_REFUSED: PICTURE,
    Act.PICTURE_CHANGED: PICTURE,
    Act.MAIL_SERVER_CHANGED: SET,
    Act.MAIL_TESTED: Details(worded("detail.mail", "accepted", *get_args(Step))),
    Act.SMS_PROVIDER_CHANGED: SET,
    Act.SMS_TESTED: Details(worded("sms.outcome", "accepted", *get_args(SmsStep))),
    Act.FEED_CHANGED: SET,
    Act.CIRCULARS_READ: CIRCULAR,
    Act.CIRCULAR_WRITTEN: CIRCULAR,
    Act.CIRCULAR_DISCARDED: CIRCULAR,
    Act.CIRCULAR_SENT: CIRCULAR,
    Act.CONTACT_LOGGED: Details(worded("contact.reason", *CONTACT_REASONS)),
    Act.AGREEMENT_ACCEPTED: Details(worded("detail.document", *DOCUMENTS)),
    Act.AVAILABILITY_CHANGED: Details(
        worded("detail.availability", "open", "closed", "address", "hours", "hour-open", "hour-closed")
    ),
    Act.APPOINTMENT_CANCELLED: Details(worded("detail.cancelled", "left")),
    Act.APPOINTMENT_CREATED: Details(worded("detail.planned", "booked", "walked-in")),
    Act.PUSH_CHANGED: SET,
    Act.GUARDIAN_LIFTED: Details(worded("lift", *LIFT_REASONS)),
    Act.PATIENT_SAID: Details(worded("day.wish", *WISHES)),
    Act.APPOINTMENTS_LISTED: Details(counted="detail.appointments"),
    Act.REQUEST_FILED: Details(worded("request.what", *WHATS)),
    Act.REQUESTS_LISTED: Details(counted="detail.requests"),
    Act.REQUEST_ANSWERED: Details(worded("request.outcome", *ENDINGS)),
    Act.MINOR_ERASED: Details(counted="detail.appointments"),
    Act.BREACHES_LISTED: Details(counted="detail.breaches"),
    Act.BREACH_CHANGED: Details(worded("breach.risk", *RISKS)),
    Act.REQUEST_REMINDED: Details(counted="detail.days"),
    Act.SIGHT_ASKED: Details(worded("sight.reason", *get_args(SightReason))),
    Act.SIGHT_ENDED: Details(worded("detail.sight", "withdrawn", "refused", "ended")),
    Act.SIGHT_KNOWN: Details(counted="detail.sights"),
    Act.LEGAL_EXPORTED: Details(counted="detail.appointments"),
    Act.LEGAL_PRESERVED: Details(counted="detail.appointments"),
    Act.LEGAL_SECONDED: Details(counted="detail.appointments"),
    Act.RECEIPTS_READ: Details(counted="detail.receipts"),
    Act.RETENTION_CHANGED: Details(KEPT),
    Act.SENTENCES_READ: Details(counted="detail.languages"),
    Act.SENTENCE_CHANGED: Details(names=NAMES),
    Act.KEYS_ROTATED: Details(worded("detail.keys", "root", "epoch")),
    Act.KEYS_VERIFIED: WHOLE,
    Act.BACKUP_MADE: Details(counted=RECORDS),
    Act.BACKUP_RESTORED: Details(counted=RECORDS),
    Act.DESTRUCTION_PROVED: Details(worded("detail.proof", "destroyed", "found", "waiting")),
    Act.SUPPORT_LOOKED: Details(counted=LINES),
    Act.AUDIT_READ: Details(counted=LINES),
    Act.AUDIT_EXPORTED: Details(counted=LINES),
    Act.AUDIT_VERIFIED: WHOLE,
    Act.AUDIT_PRUNED: Details(counted=LINES),
    Act.AUDIT_LOST: Details(counted=LINES),
}
"""What is not here has no detail."""


def said(act: str, detail: str | None, text: Callable[..., str]) -> str:
    """A detail in the language of ``text``: as it stands where a newer server wrote it, empty where there is none."""
    if detail is None:
        return ""
    known = next((kinds for one, kinds in DETAILS.items() if one == act), Details())
    return known.said(detail, text) or detail


def act_said(act: str, text: Callable[..., str]) -> str:
    """An act in the language of ``text``: as it stands where a newer server wrote it."""
    return text(f"act.{act}") if act in set(Act) else act


def entry_said(entry: Entry, text: Callable[..., str]) -> str:
    """Both, on one line."""
    act, detail = act_said(entry.act, text), said(entry.act, entry.detail, text)
    return f"{act} ({detail})" if detail else act
