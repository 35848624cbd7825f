"""Services that the operator listed: whether they can be reached over https and trusted. Nothing is sent."""

import asyncio
from collections.abc import Iterable

from operate.doctor.finding import Finding, bad, good
from practice.https import Asking, Garbled, Untrusted
from practice.outgoing import Forbidden, Purpose, Unanswered


async def all_greeted(asking: Asking, purpose: Purpose, what: str, hosts: Iterable[str]) -> list[Finding]:
    """One finding for all of them, or one for each that cannot be sent by; ``what`` each is called."""
    found = await asyncio.gather(*(_greeted(asking, purpose, what, host) for host in hosts))
    return [one for one in found if one] or [good(purpose, f"Every listed {what} answers and is who it says.")]


async def _greeted(asking: Asking, purpose: Purpose, what: str, host: str) -> Finding | None:
    try:
        async with asking.line(purpose, host):
            return None
    except Forbidden:
        meaning = f"We may not go to the {what} {host}: it is at an address of a local network."
        return bad(purpose, meaning, "If it is in your network, name it in practice.local_hosts.")
    except Untrusted:
        meaning = f"The certificate of the {what} {host} is not trusted, or is another host's."
        return bad(purpose, meaning, f"practice.{purpose}.ca_file is for an authority of your own.")
    except (Unanswered, Garbled):
        meaning = f"The {what} {host} does not answer at port 443."
        return bad(purpose, meaning, f"See practice.{purpose}.hosts, and every firewall before it.")
