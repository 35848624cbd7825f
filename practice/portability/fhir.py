"""Appointments as FHIR R4 (4.0.1) resources, and what is checked of each before it leaves.

Libraries that make such resources take unknown codes, an end before its begin and times without a zone, so the
invariants are looked at here: app-1 … app-4 of *Appointment*, instants with an offset (*instant*), the code lists, and
that every reference leads to something in the bundle.

| ours | *AppointmentStatus* |
|---|---|
| cancelled | ``cancelled`` |
| held, or ended with nobody saying otherwise | ``fulfilled`` |
| missed | ``noshow`` |
| anything else that is planned | ``booked`` |
"""

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid5

from practice.accounts.model import Practitioner
from practice.agenda.model import Appointment, Contact, Guest

SPACE: Final = UUID("6f0a2f0e-0f3b-5c54-9d0e-6a4b8a5d3c11")
"""Of which the resources' ids are made: the same record has the same id in each file."""

INSTANT: Final = re.compile(
    r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]+)?"
    r"(Z|[+-]((0[0-9]|1[0-3]):[0-5][0-9]|14:00))"
)
STATUS: Final = frozenset(
    {
        *("proposed", "pending", "booked", "arrived", "fulfilled", "cancelled", "noshow", "entered-in-error"),
        *("checked-in", "waitlist"),
    }
)
PARTICIPATION: Final = frozenset({"accepted", "declined", "tentative", "needs-action"})
REQUIRED: Final = frozenset({"required", "optional", "information-only"})
WITHOUT_TIME: Final = frozenset({"proposed", "cancelled", "waitlist"})
WITH_REASON: Final = frozenset({"cancelled", "noshow"})
ID: Final = re.compile(r"[A-Za-z0-9\-.]{1,64}")
TELECOM: Final = frozenset({"phone", "fax", "email", "pager", "url", "sms", "other"})
LANGUAGE: Final = "urn:ietf:bcp:47"
ROLE: Final = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
ROLES: Final = {"guardian": "GUARD"}
"""What the code system has a word for; the others are said in words."""

Resource = dict[str, Any]


def instant(at: datetime) -> str:
    """As FHIR has it, to the second, with the offset by which it was planned."""
    return at.replace(microsecond=0).isoformat()


def _id(*parts: str) -> str:
    return str(uuid5(SPACE, " ".join(parts)))


def _reference(one: Resource) -> dict[str, str]:
    return {"reference": f"urn:uuid:{one['id']}", "type": one["resourceType"]}


def practitioner(person: Practitioner) -> Resource:
    """Whose agenda it is."""
    return {
        "resourceType": "Practitioner",
        "id": _id("practitioner", person.id),
        "name": [{"text": person.display_name}],
        "telecom": [{"system": "email", "value": person.mail}],
        "communication": [{"coding": [{"system": LANGUAGE, "code": person.language}]}],
    }


def of(one: Appointment, host: Resource) -> list[Resource]:
    """An appointment, its patient and its guests: of a patient we know nothing beyond one appointment."""
    patient: Resource = {
        "resourceType": "Patient",
        "id": _id("patient", one.id),
        "name": [{"text": one.patient}],
        **_reached(one.contact),
        "communication": [{"language": {"coding": [{"system": LANGUAGE, "code": one.language}]}, "preferred": True}],
    }
    guests = [_guest(each, patient) for each in one.guests]
    planned: Resource = {
        "resourceType": "Appointment",
        "id": _id("appointment", one.id),
        "status": status(one),
        "start": instant(one.starts_at),
        "end": instant(one.ends_at),
        "minutesDuration": one.minutes,
        "participant": [
            {"actor": _reference(host), "required": "required", "status": "accepted"},
            {"actor": _reference(patient), "required": "required", "status": "accepted"},
            *({"actor": _reference(each), "required": "optional", "status": "accepted"} for each in guests),
        ],
    }
    return [patient, *guests, planned]


def _guest(one: Guest, patient: Resource) -> Resource:
    said: Resource = {"text": one.role}
    if one.role in ROLES:
        said["coding"] = [{"system": ROLE, "code": ROLES[one.role]}]
    return {
        "resourceType": "RelatedPerson",
        "id": _id("guest", one.id),
        "patient": _reference(patient),
        "relationship": [said],
        "name": [{"text": one.name}],
        **_reached(one.contact),
        "communication": [{"language": {"coding": [{"system": LANGUAGE, "code": one.language}]}}],
    }


def _reached(contact: Contact | None) -> Resource:
    if contact is None:
        return {}
    ways = (("email", contact.mail), ("phone", contact.phone))
    return {"telecom": [{"system": system, "value": value} for system, value in ways if value]}


def status(one: Appointment) -> str:
    """In FHIR's words."""
    if one.cancelled_at is not None:
        return "cancelled"
    if one.attended == "missed":
        return "noshow"
    return "fulfilled" if one.attended == "held" or one.state == "ended" else "booked"


def wrong(one: Resource, known: Collection[str]) -> Iterator[str]:
    """What is not as FHIR R4 has it in a resource of ours; ``known`` are the addresses that references may lead to."""
    if not ID.fullmatch(str(one.get("id", ""))):
        yield "id"
    yield from (f"reference {to}" for to in _references(one) if to not in known)
    yield from (f"telecom {each}" for each in one.get("telecom", ()) if each.get("system") not in TELECOM)
    if one.get("resourceType") == "Appointment":
        yield from _wrong_appointment(one)


def _wrong_appointment(one: Mapping[str, Any]) -> Iterator[str]:
    said, begin, end = one.get("status"), one.get("start"), one.get("end")
    if said not in STATUS:
        yield f"status {said}"
    if not one.get("participant"):
        yield "participant: none"
    for each in one.get("participant", ()):
        if not (each.get("actor") or each.get("type")):
            yield "app-1: neither actor nor type"
        if each.get("status") not in PARTICIPATION or each.get("required", "required") not in REQUIRED:
            yield "participant: code"
    if (begin is None) != (end is None):
        yield "app-2: begin without end"
    if begin is None and said not in WITHOUT_TIME:
        yield "app-3: no time"
    if "cancelationReason" in one and said not in WITH_REASON:
        yield "app-4: a reason to cancel"
    times = [at for at in (begin, end) if at is not None]
    bad = [at for at in times if not INSTANT.fullmatch(str(at))]
    yield from (f"instant {at}" for at in bad)
    if len(times) == 2 and not bad and datetime.fromisoformat(times[1]) <= datetime.fromisoformat(times[0]):
        yield "end before begin"
    length = one.get("minutesDuration", 1)
    if not isinstance(length, int) or isinstance(length, bool) or length < 1:
        yield "minutesDuration"


def _references(value: Any) -> Iterator[str]:
    match value:
        case {"reference": str(to)}:
            yield to
        case dict():
            for each in value.values():
                yield from _references(each)
        case list():
            for each in value:
                yield from _references(each)


def entry(one: Resource) -> Resource:
    """As it stands in a bundle of type *collection*."""
    return {"fullUrl": f"urn:uuid:{one['id']}", "resource": one}
