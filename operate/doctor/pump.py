"""What forwards packets."""

from typing import Literal

from media.pump.library import NoPumpError, load
from operate.doctor.finding import Finding, good, warn


def pump(wanted: Literal["auto", "native", "python"]) -> list[Finding]:
    """Whether the pump can run here, where it is wanted."""
    if wanted == "python":
        return [good("pump", "The relay forwards packets by itself, as media.pump says.")]
    try:
        load()
    except NoPumpError as reason:
        meaning = f"There is no packet pump ({reason}): the relay forwards by itself, with more of the processor."
        fix = 'Install a C compiler and run `make install`; or write media.pump = "python".'
        return [warn("pump", meaning, fix)]
    return [good("pump", "The pump forwards packets.")]
