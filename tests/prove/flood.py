"""A call goes on while strangers send whatever they like to the relay's port."""

import asyncio
import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from aiortc import RTCCertificate

from bench.host import own_address
from bench.load.flooder import Flood
from bench.load.generator import Generator
from bench.load.groups import fill_own
from bench.load.person import Person
from bench.load.targets import OwnRelay, own_relay
from media.control import Inspect, Inspected
from tests.prove.figures import Figure, Size, at_most, counted

_RATE = 20_000
_MOST_LOST = 1.0
_MOST_MIB = 20.0
_WARM_UP_SECONDS = 2.0
_LEAST_COUNTED = 0.9
"""The rest may be lost in a full buffer of the kernel's."""
_TAKEN = {"received", "forwarded", "resent"}
_AFTERWARDS_SECONDS = 2.0


def prove(size: Size) -> list[Figure]:
    """Twelve people, a million datagrams; in the short form three and 20,000."""
    people, count = size.choose(12, 3), size.choose(1_000_000, 20_000)
    return asyncio.run(_prove(people, count, size.choose(_RATE, 5_000), size.random.getrandbits(32)))


async def _prove(people: int, count: int, rate: int, seed: int) -> list[Figure]:
    address, certificate = own_address(), RTCCertificate.generateCertificate()
    async with own_relay(address) as relay:
        persons = await fill_own(relay, certificate, address, people)
        generator = Generator(persons)
        try:
            return await _flooded(
                relay, persons, generator, Flood(*_port(persons), count, rate, seed, *_known(persons))
            )
        finally:
            generator.close()
            for person in persons:
                await person.close()


async def _flooded(relay: OwnRelay, persons: list[Person], generator: Generator, flood: Flood) -> list[Figure]:
    generator.run(_WARM_UP_SECONDS)
    before, memory = await _inspected(relay), _resident_mib(relay.pid)
    command = [sys.executable, "-m", "bench.load.flooder"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as flooder:
        assert flooder.stdin
        assert flooder.stdout
        flooder.stdin.write(json.dumps(asdict(flood)) + "\n")
        flooder.stdin.flush()
        flooder.stdout.readline()
        generator.run(flood.count / flood.rate + 1)
        heard = [incoming for person in persons for incoming in person.into.values() if incoming.audio]
        said = json.loads(flooder.stdout.readline())
    received, lost = sum(each.received for each in heard), sum(each.lost for each in heard)
    share = 100 * lost / (received + lost) if received else 100.0
    grown = _resident_mib(relay.pid) - memory
    generator.run(_AFTERWARDS_SECONDS)
    silent = sum(1 for person in persons if sum(each.audio for each in person.into.values()) < len(persons) - 1)
    after = await _inspected(relay)
    refused = _refused(after) - _refused(before)
    closed = max(silent, before.peers - after.peers)
    rate = f"{said['sent'] / said['seconds']:,.0f} a second"
    return [
        counted("calls closed, or in which somebody is not heard any more", closed, said["sent"], f"datagrams, {rate}"),
        Figure(
            "datagrams that the worker refused by kind",
            "printed",
            f"{refused:,}",
            refused >= said["sent"] * _LEAST_COUNTED,
        ),
        counted("exceptions in the packet loop", after.counters["errors"], said["sent"], "datagrams"),
        at_most("sound lost meanwhile", _MOST_LOST, share, "%", f"{received:,} packets"),
        at_most("growth of the worker's memory", _MOST_MIB, grown, "MiB"),
    ]


async def _inspected(relay: OwnRelay) -> Inspected:
    reply = await relay.call(Inspect())
    assert isinstance(reply, Inspected)
    return reply


def _refused(inspected: Inspected) -> int:
    """All that has a counter but is not media that went well."""
    return sum(value for name, value in inspected.counters.items() if name not in _TAKEN)


def _port(persons: list[Person]) -> tuple[str, int]:
    host, port = persons[0].sock.getpeername()
    return host, port


def _known(persons: list[Person]) -> tuple[list[int], str]:
    return [stream.ssrc for person in persons for stream in person.out], persons[0].remote_ufrag


def _resident_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:"))
