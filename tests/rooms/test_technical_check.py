"""What a practitioner reads of a timeline."""

from datetime import timedelta

import pytest

from rooms.diagnostics import Sample, TakenSample
from rooms.technical_check import check
from tests.people import START


def taken(participant: str, seconds: int, **fields: object) -> TakenSample:
    return TakenSample(
        participant=participant, taken=START + timedelta(seconds=seconds), sample=Sample.model_validate(fields)
    )


def test_nothing_was_measured() -> None:
    assert check([]) == []


@pytest.mark.duty("S-11")
def test_each_side_has_its_line_in_words_and_no_address() -> None:
    patient = {"role": "patient", "candidate": "relay", "transport": "tcp", "address": "203.0.113.7"}
    timeline = [
        taken("p1", 0, **patient, event="connected"),
        taken("d1", 1, role="practitioner", candidate="host", transport="udp", event="connected"),
        taken("p1", 2, **patient, event="first-frame"),
        taken("p1", 2, **patient, event="first-sound"),
        taken("p1", 3, **patient, loss_permille=10, rtt_ms=80),
        taken("p1", 4, **patient, loss_permille=60, rtt_ms=90),
        taken("p1", 5, **patient, loss_permille=40, rtt_ms=900),
        taken("p1", 6, event="reconnecting"),
        taken("p2", 20, **patient, event="reconnecting"),
        taken("p2", 21, **patient, event="connected"),
    ]
    patient_side, practitioner_side = check(timeline)
    assert (patient_side.role, practitioner_side.role) == ("patient", "practitioner")
    assert (patient_side.network, patient_side.udp, patient_side.reconnects) == ("relayed", False, 2)
    assert (patient_side.connection, patient_side.loss, patient_side.rtt) == ("weak", 40, 90)
    assert (patient_side.sound, patient_side.picture) == ("good", "good")
    assert (patient_side.first, patient_side.last) == (START, START + timedelta(seconds=21))
    assert (practitioner_side.network, practitioner_side.udp) == ("direct", True)
    # Nothing came that anybody could have seen or heard.
    assert (practitioner_side.sound, practitioner_side.picture) == ("unknown", "unknown")
    assert "203.0.113.7" not in repr(check(timeline))


@pytest.mark.parametrize(
    ("samples", "word"),
    [
        ([{}], "unknown"),
        ([{"event": "connected"}], "good"),
        ([{"event": "connected"}, {"event": "failed"}], "failed"),
        ([{"event": "failed"}, {"event": "connected"}], "good"),
        ([{"loss_permille": 0}], "good"),
        ([{"loss_permille": 30}], "weak"),
        ([{"rtt_ms": 400}], "weak"),
        ([{"loss_permille": 150}], "bad"),
    ],
)
def test_a_connection_is_one_word(samples: list[dict[str, object]], word: str) -> None:
    (side,) = check([taken("p", number, role="patient", **fields) for number, fields in enumerate(samples)])
    assert side.connection == word


@pytest.mark.parametrize(
    ("event", "sound", "picture"), [("audio-silent", "silent", "unknown"), ("encryption-stopped", "unknown", "stopped")]
)
def test_what_went_wrong_is_said(event: str, sound: str, picture: str) -> None:
    (side,) = check([taken("p", 0, role="patient", event=event)])
    assert (side.sound, side.picture) == (sound, picture)
