"""What is taken along, checked by ourselves: FHIR's invariants and codes, and cells that are no formulas."""

import csv
import io
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from practice.accounts.model import Practitioner
from practice.agenda.model import Appointment, Contact, Guest
from practice.portability import fhir
from practice.portability.file import checked
from practice.portability.tables import MARK, cell, head, rows

HOST = fhir.practitioner(Practitioner("p", "a@example.org", "Alice", "nl", "30d", 1))
PLANNED = Appointment(
    *("id", "p", "Jan", datetime(2027, 3, 28, 1, 30, tzinfo=timezone(timedelta(hours=1))), 30, "nl", "planned"),
    *(None, "secret", None, 1),
    contact=Contact("jan@example.org", "+31612345678"),
    guests=(Guest("g", "Maria", "guardian", "fr", "secret", Contact("maria@example.org")),),
)


def made() -> dict[str, Any]:
    return {one["resourceType"]: one for one in deepcopy(fhir.of(PLANNED, HOST))}


def known() -> set[str]:
    return {f"urn:uuid:{one['id']}" for one in (HOST, *made().values())}


def test_what_we_make_is_as_fhir_has_it() -> None:
    assert [found for one in (HOST, *made().values()) for found in fhir.wrong(one, known())] == []
    planned = made()["Appointment"]
    assert (planned["start"], planned["end"]) == ("2027-03-28T01:30:00+01:00", "2027-03-28T02:00:00+01:00")
    assert made()["RelatedPerson"]["relationship"][0]["coding"][0]["code"] == "GUARD"
    assert made()["Patient"]["id"] == fhir.of(replace(PLANNED, minutes=45), HOST)[0]["id"], "the same in each file"


WRONG: dict[str, dict[str, Any]] = {
    "status bookd": {"status": "bookd"},
    "participant: none": {"participant": []},
    "app-1": {"participant": [{"status": "accepted"}]},
    "participant: code": {"participant": [{"actor": {"reference": "urn:uuid:x"}, "status": "yes"}]},
    "app-2": {"end": None},
    "app-3": {"start": None, "end": None},
    "app-4": {"cancelationReason": {"text": "ill"}},
    "instant": {"start": "2027-03-28T01:30:00"},
    "instant 2027-02-30": {"start": "2027-02-30 01:30:00Z"},
    "end before begin": {"end": "2027-03-28T00:30:00+00:00"},
    "minutesDuration": {"minutesDuration": 0},
    "reference": {"participant": [{"actor": {"reference": "urn:uuid:nobody"}, "status": "accepted"}]},
    "id": {"id": "a b"},
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_not_as_fhir_has_it_is_found_before_it_leaves(what: str) -> None:
    planned = made()["Appointment"] | WRONG[what]
    planned = {name: value for name, value in planned.items() if value is not None}
    assert any(found.startswith(what) for found in fhir.wrong(planned, known())), what
    with pytest.raises(ValueError, match=r"^[a-zA-Z0-9:-]+$"):
        checked([planned], HOST)


def test_what_became_of_an_appointment_is_a_code_of_the_list() -> None:
    at = datetime(2027, 3, 1, tzinfo=UTC)
    found = {
        fhir.status(PLANNED): "booked",
        fhir.status(replace(PLANNED, attended="held")): "fulfilled",
        fhir.status(replace(PLANNED, state="ended", ended_at=at)): "fulfilled",
        fhir.status(replace(PLANNED, attended="missed")): "noshow",
        fhir.status(replace(PLANNED, cancelled_at=at)): "cancelled",
    }
    assert all(said == meant for said, meant in found.items()) and found.keys() < fhir.STATUS


@pytest.mark.parametrize(
    "text", ["=1+1", "+31612345678", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\u200b=1", "\uff1d1", "'=1"]
)
def test_no_cell_is_a_formula_and_each_is_read_back(text: str) -> None:
    assert cell(text) == f"'{text}"
    data = head(["a", "b"]) + rows(["a", "b"], [{"a": text, "b": 'x";,\n'}])
    assert data.startswith(MARK)
    (line,) = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""))
    assert (line["a"].removeprefix("'"), line["b"]) == (text, 'x";,\n')


def test_other_cells_stay_as_they_are() -> None:
    assert [cell(one) for one in ("Jan", None, True, 30, -1, ["a"])] == ["Jan", "", "true", "30", "-1", '["a"]']
