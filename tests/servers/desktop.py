"""A desktop that shows notifications, on a bus of its own, and presses one (freedesktop.org's specification 1.2)."""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from jeepney import DBusAddress, HeaderFields, Message, MessageType, new_method_return, new_signal
from jeepney.bus_messages import message_bus
from jeepney.io.asyncio import DBusConnection, open_dbus_connection

NAME = "org.freedesktop.Notifications"
PRESSED = "default"
"""The action that the notification itself is."""


@dataclass
class Desktop:
    """``bus`` is its address. ``shown`` are the titles and bodies of what stands there now, by number."""

    bus: str
    _line: DBusConnection
    shown: dict[int, tuple[str, str]] = field(default_factory=dict)

    async def press(self, number: int) -> None:
        """As somebody does who clicks on it."""
        where = DBusAddress("/org/freedesktop/Notifications", interface=NAME)
        await self._line.send(new_signal(where, "ActionInvoked", "us", (number, PRESSED)))

    async def serve(self) -> None:
        """Until cancelled."""
        await self._line.send(message_bus.RequestName(NAME))
        while True:
            asked = await self._line.receive()
            if asked.header.message_type is MessageType.method_call:
                await self._line.send(self._answer(asked))

    def _answer(self, asked: Message) -> Message:
        method = asked.header.fields[HeaderFields.member]
        if method == "GetCapabilities":
            return new_method_return(asked, "as", (["actions", "body"],))
        if method == "GetServerInformation":
            return new_method_return(asked, "ssss", ("desktop", "tests", "1", "1.2"))
        if method == "Notify":
            _, replaces, _, title, body, *_ = asked.body
            number = replaces or len(self.shown) + 1
            self.shown[number] = (title, body)
            return new_method_return(asked, "u", (number,))
        if method == "CloseNotification":
            self.shown.pop(asked.body[0], None)
        return new_method_return(asked)


def installed() -> bool:
    """Whether there is a bus to be had."""
    return shutil.which("dbus-daemon") is not None


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Desktop]:
    """Its bus is a process of its own in ``folder``."""
    command = ["dbus-daemon", "--session", "--nofork", "--print-address=1", f"--address=unix:path={folder}/bus"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as bus:
        assert bus.stdout is not None
        try:
            address = (await asyncio.to_thread(bus.stdout.readline)).strip()
            async with await open_dbus_connection(address) as line:
                made = Desktop(address, line)
                serving = asyncio.create_task(made.serve())
                try:
                    yield made
                finally:
                    serving.cancel()
                    with suppress(asyncio.CancelledError):
                        await serving
        finally:
            bus.terminate()
