"""Datagrams from off the path to a relay's port, in a process of its own.

``python -m bench.load.flooder`` takes one JSON object on standard input: host, port, count, rate (a second), seed,
ssrcs and ufrag of a call that is going on, to look like. It says how many it sent and in how many seconds.
"""

import json
import random
import socket
import sys
import time
from dataclasses import dataclass
from struct import pack

from aioice import stun

_SOCKETS = 16
_STEP_SECONDS = 0.001
_MOST_BYTES = 1_500


@dataclass(frozen=True)
class Flood:
    """What is sent where. An attacker who is off the path knows neither ``ssrcs`` nor ``ufrag``: this one does."""

    host: str
    port: int
    count: int
    rate: int
    seed: int
    ssrcs: list[int]
    ufrag: str


def datagram(dice: random.Random, flood: Flood) -> bytes:
    """Noise, or what each of the protocols on the port would take for its own at first sight."""
    noise = dice.randbytes(dice.randrange(_MOST_BYTES))
    match dice.randrange(6):
        case 0:
            return noise
        case 1:
            header = pack(
                "!BBHII", 0x90, dice.choice((96, 111)), dice.getrandbits(16), dice.getrandbits(32), _of(dice, flood)
            )
            return header + noise
        case 2:
            return pack("!BBHI", 0x80, dice.randrange(200, 207), dice.getrandbits(8), _of(dice, flood)) + noise
        case 3:
            return bytes((dice.randrange(20, 64), 0xFE, 0xFD)) + noise
        case 4:
            return _check(dice, flood)
        case _:
            return _check(dice, flood)[: dice.randrange(60)]


def _of(dice: random.Random, flood: Flood) -> int:
    return dice.choice(flood.ssrcs) if flood.ssrcs and dice.random() < 0.5 else dice.getrandbits(32)


def _check(dice: random.Random, flood: Flood) -> bytes:
    """A binding request under a password that is not the one."""
    message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST, transaction_id=dice.randbytes(12))
    message.attributes["USERNAME"] = f"{flood.ufrag if dice.random() < 0.5 else dice.randbytes(4).hex()}:other"
    message.attributes["PRIORITY"] = 1
    message.attributes["USE-CANDIDATE"] = None
    message.add_message_integrity(dice.randbytes(16))
    return bytes(message)


def send(flood: Flood) -> tuple[int, float]:
    """How many were sent, in how many seconds. They are made beforehand: making one takes longer than sending it."""
    dice = random.Random(flood.seed)
    made = [datagram(dice, flood) for _ in range(min(flood.count, 5_000))]
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(_SOCKETS)]
    for each in sockets:
        each.setblocking(False)
    began, sent = time.monotonic(), 0
    while sent < flood.count:
        due = min(flood.count, int((time.monotonic() - began) * flood.rate) + 1)
        while sent < due:
            try:
                sockets[sent % _SOCKETS].sendto(made[sent % len(made)], (flood.host, flood.port))
            except BlockingIOError:
                break
            sent += 1
        time.sleep(_STEP_SECONDS)
    for each in sockets:
        each.close()
    return sent, time.monotonic() - began


def main() -> None:
    flood = Flood(**json.loads(sys.stdin.readline()))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sent, seconds = send(flood)
    sys.stdout.write(json.dumps({"sent": sent, "seconds": seconds}) + "\n")


if __name__ == "__main__":
    main()
