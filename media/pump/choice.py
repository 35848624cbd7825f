"""Whether the pump runs."""

import logging
from collections.abc import Callable

from media.net.udp import UdpSocket
from media.pump.library import NoPumpError, load
from media.pump.port import PumpedPort
from media.settings import MediaSettings

logger = logging.getLogger(__name__)


def pumped_port(settings: MediaSettings, sockets: list[UdpSocket], flush: Callable[[], None]) -> PumpedPort | None:
    """The pump on these sockets; None where it is not wanted, or does not work, which one line says."""
    if settings.pump == "python":
        return None
    try:
        return PumpedPort(load(), sockets, flush)
    except NoPumpError as error:
        say = logger.warning if settings.pump == "native" else logger.info
        # Logs show a message as it is, without arguments; the reason is one of our own.
        message = f"media: no pump, {error}: the relay forwards by itself"
        say(message)
    return None
