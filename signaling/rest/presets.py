"""What a practitioner plans often."""

from dataclasses import asdict

from signaling.protocol.planning import PresetList, PresetView
from signaling.rest.endpoint import Call
from signaling.typedefs import STORE


async def all_of_them(call: Call) -> PresetList:
    """In the order in which they were made; they are changed on the page for it."""
    found = await call.request.app[STORE].presets.of(call.scope)
    return PresetList(presets=[PresetView(**asdict(one)) for one in found.presets])
