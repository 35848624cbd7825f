"""The host that is measured on: what it is, how busy it is, and by which address it reaches itself."""

import asyncio
import os
import platform
import re
import socket
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

QUIET_PERCENT = 5.0


async def quiet(patience: float) -> None:
    """Wait until hardly anything waits for a processor, but not for ever."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + patience
    while pressure("avg10") >= QUIET_PERCENT and loop.time() < deadline:  # noqa: ASYNC110 - the kernel has no event
        await asyncio.sleep(1)


def pressure(window: str) -> float:
    """Percent of the time in which something waited for a processor; 0 where Linux does not say."""
    with suppress(OSError):
        found = re.search(rf"{window}=([0-9.]+)", Path("/proc/pressure/cpu").read_text())
        return float(found[1]) if found else 0.0
    return 0.0


def machine() -> str:
    """Processor, cores, kernel, versions."""
    model = "unknown processor"
    with suppress(OSError):
        found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
        model = found[1] if found else model
    return (
        f"{os.cpu_count()} cores ({model}), Linux {platform.release().split('-')[0]}, "
        f"Python {platform.python_version()}, aiortc {version('aiortc')}"
    )


def prefer_the_generator() -> None:
    """Where that is allowed, what measures goes before what is measured."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, -15)


def own_address() -> str:
    """An address of this host that is not loopback: Janus has no candidates on loopback. No packet is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(("192.0.2.1", 9))
        return str(sock.getsockname()[0])
