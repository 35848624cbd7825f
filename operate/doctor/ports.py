"""Doors: which should be open to the world and are, which should not be and are. Only another machine can tell."""

import asyncio
from contextlib import suppress
from typing import Final

from aioice import stun

from operate.doctor.finding import Finding, bad, good, unknown

SECONDS: Final = 3.0
TRIES: Final = 3
INNER: Final = {
    5432: "PostgreSQL",
    6379: "Valkey",
    8200: "OpenBao",
    8080: "a server without TLS",
    2019: "Caddy's admin",
}
"""What must never answer from outside."""


async def ports(host: str, wanted: dict[int, str], inner: dict[int, str] | None = None) -> list[Finding]:
    """From another machine, over TCP."""
    inner = INNER if inner is None else inner
    numbers = [*wanted, *inner]
    answers = dict(zip(numbers, await asyncio.gather(*(_open(host, number) for number in numbers)), strict=True))
    findings = [_wanted(number, what, is_open=answers[number]) for number, what in wanted.items()]
    exposed = [f"{number} ({what})" for number, what in inner.items() if answers[number]]
    if exposed:
        meaning = f"The world can reach what is for the servers alone: {', '.join(exposed)}."
        findings.append(bad("ports-closed", meaning, "Close these ports in the firewall; publish none of them."))
    else:
        findings.append(good("ports-closed", f"None of {', '.join(map(str, inner))} answers."))
    return findings


async def over_udp(host: str, turn: int, media: int) -> list[Finding]:
    """From another machine. TURN answers a STUN Binding request of anybody (RFC 8489 section 2), a worker nobody's."""
    if await _binds(host, turn):
        found = good(f"port-{turn}-udp", "TURN answers over UDP.")
    else:
        meaning = f"Nothing answers at UDP {turn}."
        fix = "Start coturn and open the port in every firewall before it; or is UDP blocked where you look from?"
        found = bad(f"port-{turn}-udp", meaning, fix)
    meaning = f"A media worker answers at UDP {media} only people in a consult, so a look from outside cannot tell."
    return [
        found,
        unknown(f"port-{media}-udp", meaning, "From here: spreekkamer check URL, which holds a consult by it."),
    ]


def from_inside() -> list[Finding]:
    """Said in their place where the look is not from elsewhere."""
    meaning = "A machine cannot see its own ports as others do: firewalls and NAT stand in between."
    fix = "On another machine: spreekkamer doctor --outside https://YOUR-NAME, and spreekkamer check for media."
    return [unknown("ports", meaning, fix)]


def _wanted(number: int, what: str, *, is_open: bool) -> Finding:
    name = f"port-{number}"
    if is_open:
        return good(name, f"{what} answers over TCP.")
    return bad(name, f"{what} does not answer at TCP {number}.", "Start it; open the port in every firewall before it.")


async def _open(host: str, number: int) -> bool:
    try:
        async with asyncio.timeout(SECONDS):
            _, writer = await asyncio.open_connection(host, number)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


async def _binds(host: str, number: int) -> bool:
    """Whether a STUN server answers there; a lost packet is sent again."""
    loop = asyncio.get_running_loop()
    request = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
    try:
        transport, inbox = await loop.create_datagram_endpoint(_Answer, remote_addr=(host, number))
    except OSError:
        return False
    try:
        for _ in range(TRIES):
            transport.sendto(bytes(request))
            try:
                async with asyncio.timeout(SECONDS / TRIES):
                    return await asyncio.shield(inbox.answered) == request.transaction_id
            except TimeoutError:
                continue
        return False
    finally:
        transport.close()
        inbox.answered.cancel()


class _Answer(asyncio.DatagramProtocol):
    """The transaction that was answered first."""

    def __init__(self) -> None:
        self.answered: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, _addr: object) -> None:
        with suppress(ValueError):
            answer = stun.parse_message(data)
            if answer.message_class is stun.Class.RESPONSE and not self.answered.done():
                self.answered.set_result(answer.transaction_id)

    def error_received(self, _error: Exception) -> None:
        """Refused, for now; coturn may just be starting."""
