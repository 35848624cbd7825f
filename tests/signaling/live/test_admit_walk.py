"""The walk of *admit* is what one runs: its files are entered, and what else passes it on is named here."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from practice.agenda.store import Appointments
from signaling.counting import counted
from signaling.sockets.server import Gate
from tests.ours import FOLDERS, ROOT
from tests.signaling.live.cast import Node, Practice, Worker, until
from tests.test_walks import FILE

REGISTRY = "signaling/protocol/events.py"

BESIDE = {
    "signaling/gate.py": "a line, because consults and placement each need the other",
    "signaling/consults/workers.py": "calls to the media worker, which nobody waits for",
    "media/control.py": "as above",
    "signaling/sockets/library.py": "frames that go out",
    "signaling/sockets/manager.py": "as above",
    "rooms/leading.py": "whether somebody leads the consult still: without that it is over",
    "signaling/sockets/hooks.py": "a line: whoever listens for who got a place does so in turn",
    "rooms/tally.py": "what a practice counts, written in the background",
    "practice/statistics/store.py": "as above",
    "signaling/announcing.py": "whoever gets a place is told what is said to all who wait; who is let in waits no more",
    "rooms/announced.py": "the same, as the desk shows it",
    "signaling/walking_in.py": "who came to an open hour keeps their place; of others it asks nothing",
    "signaling/counting.py": "both, unless it is a child's",
    "signaling/scopes.py": "what an appointment keeps of it, that it was held, written in the background",
}
"""What calls on another file of ours too, without being on the way, and why."""

MOST = 9

ADMITTING: ContextVar[bool] = ContextVar("ADMITTING", default=False)
"""Also in the tasks that an *admit* begins."""


def ours(frame: FrameType | None) -> str | None:
    """The file of the nearest function of ours, from this one outward."""
    while frame:
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(ROOT) and path.relative_to(ROOT).parts[0] in FOLDERS:
            return path.relative_to(ROOT).as_posix()
        frame = frame.f_back
    return None


@contextmanager
def calls() -> Iterator[set[tuple[str | None, str]]]:
    """From which file of ours into which."""
    found: set[tuple[str | None, str]] = set()

    def note(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and ADMITTING.get() and frame.f_code.co_filename.startswith(str(ROOT)):
            into = ours(frame)
            if into is not None:
                found.add((ours(frame.f_back), into))

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield found
    finally:
        sys.setprofile(before)


async def test_an_admit_takes_the_way_that_its_walk_says(
    node: Node, worker: Worker, practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    came, attend = Gate.came, Appointments.attend

    async def marked(self: Gate, eio_sid: str, data: str) -> None:
        token = ADMITTING.set('"admit"' in data)
        try:
            await came(self, eio_sid, data)
        finally:
            ADMITTING.reset(token)

    async def aside(*what: Any) -> None:
        ADMITTING.set(False)  # a task of its own, and what is stored is another walk
        await attend(*what)

    async def counting(*what: Any) -> None:
        ADMITTING.set(False)  # the same
        await counted(*what)

    monkeypatch.setattr("signaling.gate.counted", counting)
    monkeypatch.setattr(Gate, "came", marked)
    monkeypatch.setattr(Appointments, "attend", aside)
    patient, doctor = practice.patient_page(), practice.practitioner_page()
    await patient.connect(node)
    await doctor.connect(node)
    await patient.arrive(practice.appointment.id)
    with calls() as found:
        await doctor.admit(practice.appointment.id, patient)
        await until(lambda: [one for one in worker.calls if one.call == "open-room"], "the room is opened")
        await until(lambda: patient.view["me"]["state"] == "admitted", "the patient is in")

    walk = {file for file, _ in FILE.findall(ROOT.joinpath("docs/walks/admit.md").read_text())} - {REGISTRY}
    entered, passing = {into for _, into in found}, {out for out, into in found if out not in (None, into)}
    assert walk - entered == set(), "the walk leads past them"
    assert passing - walk - BESIDE.keys() == set(), "the way leads through them too"
    assert len(walk) <= MOST
