"""What the audit trail says of each REST call that touched stored data; ``signaling.routes`` says which says what."""

from collections.abc import Callable, Sequence
from typing import Any

from signaling.protocol.rest import AppointmentList, Me, ReceiptList, RetentionSet, SentenceList, SentenceView, TokenSet
from signaling.rest.endpoint import Call
from vault.audit import Act, Draft, appointment, practitioner

Entry = Callable[[Call, Any], Draft]


def one(act: Act) -> Callable[[Call, Any], Draft]:
    """An act on the appointment that the answer is about."""

    def draft(call: Call, reply: Any) -> Draft:
        return Draft(act, practitioner(call.practitioner), appointment(call.whom, reply.appointment))

    return draft


def own(act: Act, detail: str | None = None) -> Entry:
    """An act of whoever is signed in, on what is theirs or their organisation's."""
    return lambda call, _reply: Draft(act, practitioner(call.practitioner), detail=detail)


def lifted(call: Call, reply: Any) -> Draft:
    """With why."""
    about = appointment(call.whom, reply.appointment)
    return Draft(Act.GUARDIAN_LIFTED, practitioner(call.practitioner), about, detail=call.body.reason)


def push_changed(detail: str) -> Entry:
    """Which browser is in no entry."""
    return own(Act.PUSH_CHANGED, detail)


def all_created(call: Call, reply: AppointmentList) -> Sequence[Draft]:
    """Of a series each."""
    return [one(Act.APPOINTMENT_CREATED)(call, view) for view in reply.appointments]


def signed_in(_call: Call, reply: Me | TokenSet) -> Draft:
    return Draft(Act.SIGNED_IN, practitioner(str(reply.practitioner)))


def signed_in_twice(_call: Call, reply: Me | TokenSet) -> Draft:
    return Draft(Act.SIGNED_IN, practitioner(str(reply.practitioner)), detail="factors")


def signed_in_with_passkey(_call: Call, reply: Me) -> Draft:
    return Draft(Act.SIGNED_IN, practitioner(str(reply.practitioner)), detail="passkey")


def listed(call: Call, reply: AppointmentList) -> Draft:
    return Draft(Act.APPOINTMENTS_LISTED, practitioner(call.practitioner), detail=str(len(reply.appointments)))


def receipts_read(call: Call, reply: ReceiptList) -> Draft:
    return Draft(Act.RECEIPTS_READ, practitioner(call.practitioner), detail=str(len(reply.receipts)))


def sentences_read(call: Call, reply: SentenceList) -> Draft:
    return Draft(Act.SENTENCES_READ, practitioner(call.practitioner), detail=str(len(reply.sentences)))


def sentence_changed(call: Call, reply: SentenceView) -> Draft:
    return Draft(Act.SENTENCE_CHANGED, practitioner(call.practitioner), detail=reply.language)


def retention_changed(call: Call, reply: RetentionSet) -> Draft:
    return Draft(Act.RETENTION_CHANGED, practitioner(call.practitioner), detail=reply.retention)
