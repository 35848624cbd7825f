"""The push services by which desks are woken: whether they can be reached and trusted. Nothing is sent."""

from operate.doctor.finding import Finding, unknown
from operate.doctor.services import all_greeted
from practice.https import Asking
from practice.outgoing import Door
from practice.settings import PracticeSettings


async def push(settings: PracticeSettings) -> list[Finding]:
    """One finding for all that are listed by their whole name, or one for each that cannot be sent by."""
    listed = settings.push.hosts
    if not listed:
        meaning = "No push service is listed: no desk is woken when somebody waits."
        return [unknown("push", meaning, "Set practice.push.hosts if practitioners shall be able to ask for it.")]
    named = [host for host in listed if not host.startswith("*.")]
    if not named:
        meaning = "Of push services only all below a name are listed, and which those are nobody can say."
        return [unknown("push", meaning, "Turn it on in such a browser, and let somebody wait.")]
    return await all_greeted(Asking(Door.of(settings), settings.push.ca_file), "push", "push service", named)
