"""The SMS providers whom organisations may send by: whether they can be reached and trusted. Nothing is sent."""

from operate.doctor.finding import Finding, unknown
from operate.doctor.services import all_greeted
from practice.https import Asking
from practice.outgoing import Door
from practice.settings import PracticeSettings


async def sms(settings: PracticeSettings) -> list[Finding]:
    """One finding for all of them, or one for each that cannot be sent by."""
    hosts = settings.sms.hosts
    if not hosts:
        meaning = "No SMS provider is listed: no organisation sends text messages."
        return [unknown("sms", meaning, "Set practice.sms.hosts if organisations shall send some.")]
    return await all_greeted(Asking(Door.of(settings), settings.sms.ca_file), "sms", "SMS provider", hosts)
