"""What a page costs on the wire, as Chromium counts it over DevTools' protocol."""

from dataclasses import dataclass, field
from typing import Any

from tests.browser.conftest import Person


@dataclass
class Traffic:
    """Bytes with headers by address, of what came over the network instead of from what the browser had kept."""

    sizes: dict[str, float] = field(default_factory=dict)
    started_by: dict[str, str] = field(default_factory=dict)
    """Address to what made the browser ask for it: ``parser``, ``preload``, ``script``, …"""
    _addresses: dict[str, str] = field(default_factory=dict)

    async def watch(self, person: Person) -> None:
        session = await person.context.new_cdp_session(person.page)
        session.on("Network.requestWillBeSent", self._asked)
        session.on("Network.loadingFinished", self._came)
        await session.send("Network.enable")

    def clear(self) -> None:
        self.sizes.clear()
        self.started_by.clear()

    def _asked(self, event: dict[str, Any]) -> None:
        address = event["request"]["url"].partition("#")[0]
        self._addresses[event["requestId"]] = address
        self.started_by[address] = event["initiator"]["type"]

    def _came(self, event: dict[str, Any]) -> None:
        address = self._addresses.get(event["requestId"])
        if address and event["encodedDataLength"]:
            self.sizes[address] = event["encodedDataLength"]
