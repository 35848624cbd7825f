"""Doors: which should be open to the world and are, which should not be and are. Only another machine can tell."""

import asyncio
from collections.abc import Iterable
from typing import Final

from signaling.doctor.finding import Finding, bad, good, unknown

SECONDS: Final = 3.0
INNER: Final = {
    5432: "PostgreSQL",
    6379: "Valkey",
    8200: "OpenBao",
    8080: "a server without TLS",
    2019: "Caddy's admin",
}
"""What must never answer from outside."""


async def ports(host: str, wanted: dict[int, str], inner: dict[int, str] | None = None) -> list[Finding]:
    """From another machine. TCP only: UDP that nobody answers looks like UDP that is filtered."""
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


def from_inside() -> list[Finding]:
    """Said in their place where the look is not from elsewhere."""
    meaning = "A machine can not see its own ports as others do: firewalls and NAT stand in between."
    return [unknown("ports", meaning, "On another machine: spreekkamer doctor --outside https://YOUR-NAME")]


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


def listed(settings_ports: Iterable[tuple[int, str]]) -> dict[int, str]:
    return dict(settings_ports)
