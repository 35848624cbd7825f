"""Short consults that come and go for an hour: what of each is left in the server and its media worker.

    python -m bench.soak --minutes 60 --consults 2000 --write
    python -m bench.soak --minutes 2 --consults 66

One node with a media worker of its own, as ``spreekkamer serve`` starts them. Each consult is planned, the patient
comes by the link, is called in, both send and get sound and picture over DTLS-SRTP, and the practitioner leaves.
"""

import asyncio
import statistics
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

import aiohttp
from aiortc import RTCCertificate

from bench.command import command
from bench.host import machine, pressure
from bench.load import cluster
from bench.load.clerk import Clerk
from bench.load.cluster import Cluster
from bench.load.door import eventually
from bench.load.person import Person
from bench.load.resources import Held, children, counting, held, resident_kib
from bench.load.resources import command as command_of
from bench.load.visitor import Refused, Visitor
from signaling.protocol.model import API

TALK_SECONDS = 10.0
_PACE_SECONDS = 0.02
_SAMPLE_SECONDS = 5.0
_AFTERWARDS_SECONDS = 90.0
_SETTLE_SECONDS = 30.0
_MOST_KIB = 10
_MORE_AT_ONCE = 10
_LINES = [
    {"mid": "0", "use": "microphone"},
    {"mid": "1", "use": "camera"},
    {"mid": "2", "use": "slot", "slot": 0},
    {"mid": "3", "use": "slot", "slot": 0},
]


class Sample(NamedTuple):
    """After so many consults; memory of the node and of its media worker in KiB."""

    seconds: float
    consults: int
    node: int
    worker: int


@dataclass
class Soak:
    """What was seen."""

    samples: list[Sample] = field(default_factory=list)
    ended: int = 0
    failed: list[str] = field(default_factory=list)
    packets: int = 0
    before: Held | None = None
    after: Held | None = None
    left: float = 0


class Talk:
    """One consult, from its planning to its end."""

    def __init__(self, soak: Soak, clerk: Clerk, session: aiohttp.ClientSession, place: tuple[str, str]) -> None:
        """``place`` is where the node is, and the origin that its pages have."""
        self._soak = soak
        self._clerk = clerk
        self._session = session
        self._url, self._origin = place

    async def run(self, certificate: RTCCertificate) -> None:
        """What goes wrong is noted: it is a finding, and no reason for the others to stop."""
        try:
            async with asyncio.timeout(TALK_SECONDS + 2 * _SETTLE_SECONDS):
                await self._run(certificate)
        except (Refused, TimeoutError, RuntimeError, aiohttp.ClientError) as error:
            self._soak.failed.append(repr(error))
        self._soak.ended += 1

    async def _run(self, certificate: RTCCertificate) -> None:
        appointment, link = await self._plan()

        async def patient() -> str:
            return await self._clerk.join(link)

        tokens = (self._clerk.ticket, patient)
        visitors = [Visitor(self._session, self._url, self._origin, appointment, token) for token in tokens]
        persons = [Person(certificate, "127.0.0.1") for _ in visitors]
        try:
            await self._meet(*visitors)
            for visitor, person in zip(visitors, persons, strict=True):
                await self._connect(visitor, person)
            await _speak(persons)
            self._soak.packets += sum(each.received for person in persons for each in person.into.values())
            for visitor in visitors:
                with suppress(Refused):
                    await visitor.request("leave")
        finally:
            for visitor in visitors:
                await visitor.close()
            for person in persons:
                await person.close()

    async def _plan(self) -> tuple[str, str]:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        body = {"patient": "Somebody", "starts_at": now, "minutes": 30, "anyway": True}
        status, said = await self._clerk.call("POST", "/appointments", body)
        if status != 201:
            raise RuntimeError(f"no appointment: {said}")
        return str(said["appointment"]), str(said["link"]).partition("#")[2]

    async def _meet(self, practitioner: Visitor, patient: Visitor) -> None:
        await patient.open()
        await patient.arrive()
        await practitioner.open()
        await practitioner.admit(patient)
        for visitor in (practitioner, patient):
            await eventually(partial(_ready, visitor), "the room has media", _SETTLE_SECONDS)

    async def _connect(self, visitor: Visitor, person: Person) -> None:
        body = {"fence": visitor.view["media"]["fence"], "sdp": person.offer(), "lines": _LINES}
        answer = await visitor.request("offer", body)
        await person.connect(answer["sdp"])


async def _ready(visitor: Visitor) -> bool:
    media = visitor.view.get("media") if visitor.view else None
    return bool(visitor.admitted and media and media["ready"])


async def _speak(persons: list[Person]) -> None:
    """A packet of sound and one of picture from each, 50 times a second."""
    end, reported = time.monotonic() + TALK_SECONDS, 0.0
    while (now := time.monotonic()) < end:
        for person in persons:
            for stream in person.out:
                person.send(stream)
            while person.receive():
                pass
            if now - reported >= 1:
                person.send_reports()
        reported = now if now - reported >= 1 else reported
        await asyncio.sleep(_PACE_SECONDS)
    if not all(person.into for person in persons):
        raise RuntimeError("somebody got nothing")


async def soak(minutes: float, consults: int) -> Soak:
    """So many consults, evenly over these minutes."""
    result = Soak()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "tasks").mkdir()
        async with cluster.alone(folder, appointments=0, variables=counting(folder / "tasks")) as running:
            await _filled(result, running, folder / "tasks", minutes * 60, consults)
    return result


async def _filled(result: Soak, running: Cluster, told: Path, seconds: float, consults: int) -> None:
    node = running.nodes[0].process.pid
    worker = next(pid for pid in children(node) if "media.worker" in command_of(pid))
    url, certificate = running.nodes[0].url, RTCCertificate.generateCertificate()
    clerk = Clerk(running.origin, API, url, seconds=_SETTLE_SECONDS)
    try:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            await clerk.sign_in()
            talk = Talk(result, clerk, session, (url, running.origin))
            # What a server makes for its first consults is no consult's. More come at once than ever will again: its
            # pools of connections (three descriptors for each to SQLite) are then as large as they get.
            at_once = _MORE_AT_ONCE + int(TALK_SECONDS * consults / seconds)
            await asyncio.gather(*(talk.run(certificate) for _ in range(at_once)))
            result.ended = 0
            await asyncio.sleep(_SETTLE_SECONDS)
            result.before = await held(node, told) + await held(worker, told)
            began = time.monotonic()
            async with asyncio.TaskGroup() as group:
                group.create_task(_sample(result, node, worker, began, consults))
                for number in range(consults):
                    await asyncio.sleep(max(0.0, began + number * seconds / consults - time.monotonic()))
                    group.create_task(talk.run(certificate))
    finally:
        await clerk.close()
    await _settled(result, running, (node, worker), told)


async def _settled(result: Soak, running: Cluster, pids: tuple[int, int], told: Path) -> None:
    """What is left after what ends by itself had time to."""
    before, end = result.before, time.monotonic() + _AFTERWARDS_SECONDS
    assert before is not None
    names = ("spreekkamer_media_rooms", "spreekkamer_media_peers")
    while True:
        node, worker = [await held(pid, told) for pid in pids]
        result.after = after = node + worker
        result.left = sum([await cluster.gauge(running.nodes[0], name) for name in names])
        kept = after.tasks > before.tasks or after.descriptors > before.descriptors or result.left
        if not kept or time.monotonic() > end:
            return
        await asyncio.sleep(1)


async def _sample(result: Soak, node: int, worker: int, began: float, consults: int) -> None:
    while result.ended < consults:
        await asyncio.sleep(_SAMPLE_SECONDS)
        memory = resident_kib(node), resident_kib(worker)
        result.samples.append(Sample(time.monotonic() - began, result.ended, *memory))


def slope(samples: list[Sample], of: str) -> float:
    """KiB a consult over the last three quarters of the time; NaN where that is too short to say."""
    chosen = [sample for sample in samples if sample.seconds >= samples[-1].seconds / 4]
    if len({sample.consults for sample in chosen}) < 2:
        return float("nan")
    consults = [float(sample.consults) for sample in chosen]
    return statistics.linear_regression(consults, [float(getattr(sample, of)) for sample in chosen]).slope


def table(result: Soak, minutes: float, consults: int) -> str:
    before, after = result.before, result.after
    assert before is not None
    assert after is not None
    node, worker = (slope(result.samples, of) for of in ("node", "worker"))
    kept = {"tasks": after.tasks - before.tasks, "descriptors": after.descriptors - before.descriptors}
    rows = [
        ("memory that a consult leaves in the node", "< 10 KiB", f"{node:.1f} KiB", node < _MOST_KIB),
        ("memory that a consult leaves in the media worker", "< 10 KiB", f"{worker:.1f} KiB", worker < _MOST_KIB),
        *((f"{what} left", "0", str(count), count <= 0) for what, count in kept.items()),
        ("rooms and peers left on the worker", "0", f"{result.left:.0f}", not result.left),
        ("consults that went wrong", "0", f"{len(result.failed)} of {result.ended}", not result.failed),
    ]
    lines = [head(result, minutes, consults), "", "| what | reach | reached | met |", "|---|---|---|---|"]
    lines += [f"| {what} | {reach} | {value} | {'yes' if met else '**no**'} |" for what, reach, value, met in rows]
    return "\n".join([*lines, *(f"\n{error}" for error in sorted(set(result.failed)))])


def head(result: Soak, minutes: float, consults: int) -> str:
    first, last = result.samples[0], result.samples[-1]
    waited = f"in the last 5 minutes something waited for a processor {pressure('avg300'):.0f} % of the time"
    return (
        f"{datetime.now(UTC):%Y-%m-%d}; {machine()}; {waited}.\n\n"
        f"{consults:,} consults of {TALK_SECONDS:.0f} s in {minutes:g} minutes, {result.packets:,} packets arrived. "
        f"The node had {first.node / 1024:.0f} MiB after {first.seconds:.0f} s and {last.node / 1024:.0f} in the end, "
        f"its media worker {first.worker / 1024:.0f} and {last.worker / 1024:.0f}."
    )


async def measured(minutes: float, consults: int) -> str:
    return table(await soak(minutes, consults), minutes, consults)


def main() -> None:
    command("soak", __doc__, measured, minutes=60.0, consults=2_000)


if __name__ == "__main__":
    main()
