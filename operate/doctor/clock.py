"""The clock: destruction and credentials go by it."""

import asyncio
import socket
import struct
import time
from typing import Final

from operate.doctor.finding import Finding, bad, good, unknown, warn
from vault.clock import kernel_synchronised

SECONDS: Final = 3.0
SINCE_1900: Final = 2_208_988_800
WARN_SECONDS, FAIL_SECONDS = 1.0, 60.0


async def clock(server: tuple[str, int] | None) -> list[Finding]:
    """Against an NTP server when one is given, else what the kernel says."""
    if server is None:
        if kernel_synchronised():
            return [good("clock", "The kernel says that a time service keeps its clock.")]
        meaning = "Nothing says that this clock is right."
        return [unknown("clock", meaning, "Run chrony or systemd-timesyncd; compare with --ntp SERVER.")]
    try:
        offset = await asyncio.to_thread(ask, *server)
    except (OSError, ValueError, struct.error):
        return [unknown("clock", "The NTP server does not answer.", "Give another one; open UDP 123 outward.")]
    meaning = f"The clock is {abs(offset):.3f} s {'behind' if offset > 0 else 'ahead'}."
    if abs(offset) >= FAIL_SECONDS:
        return [
            bad("clock", meaning, "Set it right: with a wrong clock TURN refuses, and destruction comes early or late.")
        ]
    if abs(offset) >= WARN_SECONDS:
        return [warn("clock", meaning, "Run chrony or systemd-timesyncd.")]
    return [good("clock", meaning)]


def ask(host: str, port: int) -> float:
    """How far the server's clock is ahead of ours, in seconds (SNTP, RFC 4330, 5). Blocks."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(SECONDS)
        asking.connect((host, port))
        sent = time.time()
        asking.send(b"\x23" + bytes(47))
        answer = asking.recv(512)
        received = time.time()
    seconds = struct.unpack("!12I", answer[:48])
    stratum = answer[1]
    if not 1 <= stratum <= 15 or answer[0] & 7 != 4 or answer[0] >> 6 == 3:
        raise ValueError("not a synchronised server")
    arrived, left = (seconds[i] - SINCE_1900 + seconds[i + 1] / (1 << 32) for i in (8, 10))
    offset: float = ((arrived - sent) + (left - received)) / 2
    return offset
