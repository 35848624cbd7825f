"""The SMS providers whom organisations may send by: whether they can be reached and trusted. Nothing is sent."""

import asyncio

from operate.doctor.finding import Finding, bad, good, unknown
from practice.https import Asking, Garbled, Untrusted
from practice.outgoing import Door, Forbidden, Unanswered
from practice.settings import PracticeSettings


async def sms(settings: PracticeSettings) -> list[Finding]:
    """One finding for all of them, or one for each that cannot be sent by."""
    hosts = settings.sms.hosts
    if not hosts:
        meaning = "No SMS provider is listed: no organisation sends text messages."
        return [unknown("sms", meaning, "Set practice.sms.hosts if organisations shall send some.")]
    asking = Asking(Door.of(settings), settings.sms.ca_file)
    found = await asyncio.gather(*(_greeted(asking, host) for host in hosts))
    return [one for one in found if one] or [good("sms", "Every listed SMS provider answers and is who it says.")]


async def _greeted(asking: Asking, host: str) -> Finding | None:
    try:
        async with asking.line("sms", host):
            return None
    except Forbidden:
        meaning = f"We may not go to the SMS provider {host}: it is at an address of a local network."
        return bad("sms", meaning, "If it is in your network, name it in practice.local_hosts.")
    except Untrusted:
        meaning = f"The certificate of the SMS provider {host} is not trusted, or is another host's."
        return bad("sms", meaning, "practice.sms.ca_file is for an authority of your own.")
    except (Unanswered, Garbled):
        meaning = f"The SMS provider {host} does not answer at port 443."
        return bad("sms", meaning, "See practice.sms.hosts, and every firewall before it.")
