"""What an entry says: words of a closed list, pseudonyms, a moment. There is no field for anything else."""

import getpass
import hmac
import json
import os
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from enum import StrEnum
from operator import attrgetter
from typing import Any, Literal

CHAIN_BYTES = 32
DETAIL = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")

Kind = Literal[
    "practitioner", "patient", "operator", "support", "server", "appointment", "invitation", "request", "breach",
    "receipt",
]  # fmt: skip
OUR_OWN: frozenset[Kind] = frozenset({"operator", "support"})


class Act(StrEnum):
    """Everything that is entered."""

    SIGNED_IN = "signed-in"
    SIGNED_OUT = "signed-out"
    PASSWORD_CHANGED = "password-changed"  # noqa: S105 -- an act
    RESET_ASKED = "reset-asked"
    PASSWORD_RESET = "password-reset"  # noqa: S105 -- an act
    MAIL_CHANGE_ASKED = "mail-change-asked"
    MAIL_CONFIRMED = "mail-confirmed"
    MAIL_CHANGE_STOPPED = "mail-change-stopped"
    MAIL_CHANGED = "mail-changed"
    SESSIONS_ENDED = "sessions-ended"
    RECOVERY_CODE_USED = "recovery-code-used"
    FACTOR_ADDED = "factor-added"
    FACTOR_REMOVED = "factor-removed"
    FACTORS_READ = "factors-read"
    FACTOR_LIFTED = "factor-lifted"
    RECOVERY_CODES_MADE = "recovery-codes-made"
    PASSKEY_REFUSED = "passkey-refused"
    TOKEN_REUSED = "token-reused"  # noqa: S105 -- an act
    ACCOUNT_ADDED = "account-added"
    ACCOUNT_CHANGED = "account-changed"
    PARTICULARS_CHANGED = "particulars-changed"
    BANK_ACCOUNT_CHANGED = "bank-account-changed"
    BANK_ACCOUNT_READ = "bank-account-read"
    LIMITS_LIFTED = "limits-lifted"
    DATA_READ = "data-read"
    DATA_EXPORTED = "data-exported"
    DATA_IMPORTED = "data-imported"
    CLOSURE_ASKED = "closure-asked"
    ACCOUNT_CLOSED = "account-closed"
    ROLES_CHANGED = "roles-changed"
    MEMBER_DEACTIVATED = "member-deactivated"
    MEMBER_REACTIVATED = "member-reactivated"
    INVITED = "invited"
    INVITATION_RENEWED = "invitation-renewed"
    INVITATION_WITHDRAWN = "invitation-withdrawn"
    REGISTRATION_ASKED = "registration-asked"
    MAIL_DOMAINS_READ = "mail-domains-read"
    MAIL_DOMAIN_ADDED = "mail-domain-added"
    MAIL_DOMAIN_REMOVED = "mail-domain-removed"
    MEMBER_LET_IN = "member-let-in"
    MEMBER_TURNED_DOWN = "member-turned-down"
    ORGANISATION_FOUNDED = "organisation-founded"
    PEOPLE_LISTED = "people-listed"
    DEPARTMENTS_READ = "departments-read"
    DEPARTMENT_MADE = "department-made"
    DEPARTMENT_RENAMED = "department-renamed"
    DEPARTMENT_CLOSED = "department-closed"
    DEPARTMENTS_CHANGED = "departments-changed"
    ENGAGED = "engaged"
    ENGAGEMENT_CHANGED = "engagement-changed"
    ENGAGEMENT_ENDED = "engagement-ended"
    WORKED_FOR = "worked-for"
    ORGANISATION_ENDED = "organisation-ended"
    ORGANISATION_CHANGED = "organisation-changed"
    POLICY_CHANGED = "policy-changed"
    FILE_REFUSED = "file-refused"
    PICTURE_CHANGED = "picture-changed"
    MAIL_SERVER_CHANGED = "mail-server-changed"
    MAIL_TESTED = "mail-tested"
    SMS_PROVIDER_CHANGED = "sms-provider-changed"
    SMS_TESTED = "sms-tested"
    FEED_CHANGED = "feed-changed"
    AVAILABILITY_CHANGED = "availability-changed"
    PUSH_CHANGED = "push-changed"
    NEWSLETTER_ASKED = "newsletter-asked"
    NEWSLETTER_GIVEN = "newsletter-given"
    NEWSLETTER_WITHDRAWN = "newsletter-withdrawn"
    CIRCULARS_READ = "circulars-read"
    CIRCULAR_WRITTEN = "circular-written"
    CIRCULAR_DISCARDED = "circular-discarded"
    CIRCULAR_SENT = "circular-sent"
    CONTACTS_READ = "contacts-read"
    CONTACT_LOGGED = "contact-logged"
    AGREEMENT_ACCEPTED = "agreement-accepted"
    PICTURE_SHOWN = "picture-shown"
    APPOINTMENT_CREATED = "appointment-created"
    APPOINTMENT_READ = "appointment-read"
    APPOINTMENTS_LISTED = "appointments-listed"
    APPOINTMENT_CHANGED = "appointment-changed"
    APPOINTMENT_CANCELLED = "appointment-cancelled"
    APPOINTMENT_KEPT = "appointment-kept"
    PATIENT_TOLD = "patient-told"
    APPOINTMENT_ENDED = "appointment-ended"
    CONSULT_HANDED_OVER = "consult-handed-over"
    APPOINTMENT_HANDED_OVER = "appointment-handed-over"
    HANDING_OVER_ASKED = "handing-over-asked"
    SIGHT_ASKED = "sight-asked"
    SIGHT_GIVEN = "sight-given"
    SIGHT_USED = "sight-used"
    SIGHT_ENDED = "sight-ended"
    SIGHT_KNOWN = "sight-known"
    REQUEST_FILED = "request-filed"
    REQUEST_CONFIRMED = "request-confirmed"
    REQUEST_REPLIED = "request-replied"
    REQUESTS_LISTED = "requests-listed"
    REQUEST_READ = "request-read"
    REQUEST_ASKED_BACK = "request-asked-back"
    REQUEST_EXTENDED = "request-extended"
    REQUEST_ANSWERED = "request-answered"
    REQUEST_REMINDED = "request-reminded"
    OPERATOR_ADDED = "operator-added"
    OPERATOR_REMOVED = "operator-removed"
    LEGAL_EXPORTED = "legal-exported"
    LEGAL_PRESERVED = "legal-preserved"
    LEGAL_SECONDED = "legal-seconded"
    LEGAL_TOLD = "legal-told"
    PAPER_SENT = "paper-sent"
    PAPER_SEEN = "paper-seen"
    MINOR_ERASED = "minor-erased"
    BREACHES_LISTED = "breaches-listed"
    BREACH_READ = "breach-read"
    BREACH_ENTERED = "breach-entered"
    BREACH_CHANGED = "breach-changed"
    LINK_OPENED = "link-opened"
    PATIENT_SAID = "patient-said"
    CONSENT_GIVEN = "consent-given"
    CONSENT_WITHDRAWN = "consent-withdrawn"
    CONSENTS_CHANGED = "consents-changed"
    GUARDIAN_LIFTED = "guardian-lifted"
    QUESTIONS_CHANGED = "questions-changed"
    QUESTIONS_ANSWERED = "questions-answered"
    DESTROYED = "destroyed"
    RECEIPTS_READ = "receipts-read"
    RETENTION_CHANGED = "retention-changed"
    PRESETS_CHANGED = "presets-changed"
    SENTENCES_READ = "sentences-read"
    SENTENCE_CHANGED = "sentence-changed"
    CLOCK_CONFIRMED = "clock-confirmed"
    KEYS_ROTATED = "keys-rotated"
    KEYS_VERIFIED = "keys-verified"
    BACKUP_MADE = "backup-made"
    BACKUP_RESTORED = "backup-restored"
    SNAPSHOT_TAKEN = "snapshot-taken"
    SNAPSHOT_RESTORED = "snapshot-restored"
    DESTRUCTION_PROVED = "destruction-proved"
    TECHNICAL_CHECK_READ = "technical-check-read"
    SUPPORT_CODE_GIVEN = "support-code-given"
    SUPPORT_LOOKED = "support-looked"
    AUDIT_READ = "audit-read"
    AUDIT_EXPORTED = "audit-exported"
    AUDIT_VERIFIED = "audit-verified"
    AUDIT_PRUNED = "audit-pruned"
    AUDIT_LOST = "audit-lost"


@dataclass(frozen=True, slots=True)
class Party:
    """Who acts, or what is acted on. ``id`` never reaches the trail; a pseudonym of it does, here ``name`` if known."""

    kind: Kind
    id: str = field(default="", repr=False)
    owner: str = field(default="", repr=False)
    name: str | None = field(default=None, repr=False)

    def named(self, key: bytes) -> "Party":
        """The same with its pseudonym, made by who has its key at hand."""
        return replace(self, name=pseudonym(key, self))


SERVER = Party("server")
"""The server itself: the sweeper, the housekeeper."""

PATIENT = Party("patient")
"""Whoever holds a patient's link; the appointment says which."""


def practitioner(practitioner_id: str) -> Party:
    """An account, as who acts or as what is acted on."""
    return Party("practitioner", practitioner_id, practitioner_id)


def appointment(owner: str, appointment_id: str) -> Party:
    """An appointment that still has its key."""
    return Party("appointment", appointment_id, owner)


def invitation(organisation: str, invitation_id: str) -> Party:
    """An invitation that still has its key."""
    return Party("invitation", invitation_id, organisation)


def request(organisation: str, request_id: str) -> Party:
    """What somebody asked by right, while it has its key."""
    return Party("request", request_id, organisation)


def breach(organisation: str, breach_id: str) -> Party:
    """What happened to data, in the register of an organisation."""
    return Party("breach", breach_id, organisation)


def receipt(text: str) -> Party:
    """What was destroyed, by the only name that is left of it."""
    return Party("receipt", text)


def operator() -> Party:
    """Whoever typed the command, by the account of this machine."""
    return Party("operator", _login())


def support() -> Party:
    """The same person, looking with a code that somebody read out."""
    return Party("support", _login())


def _login() -> str:
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be entered. ``detail`` is a word or a number of our own: a retention setting, a count."""

    act: Act
    by: Party
    on: Party | None = None
    detail: str | None = None

    def __post_init__(self) -> None:
        if self.detail is not None and not DETAIL.fullmatch(self.detail):
            raise ValueError("a detail is a word or a number of our own")


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the trail, as it is stored. ``number`` counts from 1; ``at`` is milliseconds since the Unix epoch."""

    number: int
    at: int
    actor: str
    actor_name: str | None
    act: str
    subject: str | None
    subject_name: str | None
    detail: str | None

    @property
    def moment(self) -> datetime:
        """When, in UTC."""
        return datetime.fromtimestamp(self.at / 1000, UTC)

    def values(self) -> tuple[Any, ...]:
        """The columns of the table, without the link."""
        values: tuple[Any, ...] = COLUMNS(self)
        return values

    def chained(self, key: bytes, before: bytes) -> bytes:
        """This entry's link: an HMAC over it and the link before."""
        return hmac.digest(key, before + json.dumps(self.values(), separators=(",", ":")).encode(), "sha256")


COLUMNS = attrgetter(*(one.name for one in fields(Entry)))
"""What ``astuple`` gives, in a thirtieth of the time: that copies, and a check of the trail asks for every entry."""


def pseudonym(key: bytes, party: Party) -> str:
    """A name of 22 characters that only the holder of the key can make again."""
    mark = hmac.digest(key, f"audit|{party.kind}|{party.id}".encode(), "sha256")
    return urlsafe_b64encode(mark[:16]).rstrip(b"=").decode()
