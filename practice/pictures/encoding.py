"""Runs the program that decodes and encodes a picture (``encoder``), and believes little of what comes back."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

from practice.pictures.formats import Header, said
from practice.pictures.model import Use
from vault.errors import DomainError

PROGRAM: Final = Path(__file__).with_name("encoder.py")
SECONDS: Final = 20.0
AT_ONCE: Final = 2
MOST_MADE: Final = 400_000
MADE: Final = {"logo": "png", "photograph": "mjpeg", "masked": "mjpeg"}
UNMASKED: Final = 3
"""The program's status where what must not be seen can be."""


class Encoding:
    """A few at once."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(AT_ONCE)

    async def anew(self, data: bytes, found: Header, use: Use | Literal["masked"], boxes: Sequence[str] = ()) -> bytes:
        """The picture of our making; of a ``masked`` one these boxes are black. Errors: ``picture_unreadable``, also
        where it took too much memory or time; ``picture_unmasked``.
        """
        size = (str(found.width), str(found.height))
        command = (sys.executable, "-I", str(PROGRAM), found.codec, *size, use, *boxes)
        async with self._free:
            made = await _run(command, data)
        if len(made) > MOST_MADE or said(made).codec != MADE[use]:
            raise DomainError("picture_unreadable")
        return made


async def _run(command: tuple[str, ...], data: bytes) -> bytes:
    pipe, nowhere = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        *command, stdin=pipe, stdout=pipe, stderr=nowhere, env={}, cwd="/", close_fds=True
    )
    try:
        async with asyncio.timeout(SECONDS):
            made, _ = await process.communicate(data)
    except TimeoutError:
        raise DomainError("picture_unreadable") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode == UNMASKED:
        raise DomainError("picture_unmasked")
    if process.returncode != 0:
        raise DomainError("picture_unreadable")
    return made
