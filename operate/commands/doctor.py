"""`doctor`: looks a deployment over, from inside with its settings, or from elsewhere with its address alone."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from media.settings import MediaSettings
from operate.commands.arguments import host_and_port, nameserver
from operate.deployment.strength import Guarded
from operate.process import reveal
from operate.terminal import say
from practice.settings import MailSettings, PracticeSettings
from signaling.setting_forms import origin
from vault.clock import utc_now
from vault.errors import StartRefused

if TYPE_CHECKING:
    from operate.doctor.finding import Check, Finding

TURN_PORT, MEDIA_PORT, NTP_PORT = 3478, 40_000, 123
OUTSIDE = {80: "The proxy (http)", 443: "The proxy", MEDIA_PORT: "The media workers", TURN_PORT: "TURN"}


class Looked(Guarded, Protocol):
    """The settings that are looked at."""

    @property
    def media(self) -> MediaSettings: ...
    @property
    def practice(self) -> PracticeSettings: ...


def attach(commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    looking = commands.add_parser(
        "doctor",
        parents=[common],
        help="look the deployment over",
        description="Each check says ok, warn, fail or unknown, what that means and what to do. Changes nothing. "
        "Exit status: 0, or 1 if a check failed.",
    )
    looking.add_argument("--outside", metavar="URL", help="look at the server of this address, from another machine")
    looking.add_argument("--nameserver", type=nameserver, metavar="ADDRESS", help="ask this one, not the system's")
    looking.add_argument("--ntp", type=host_and_port(NTP_PORT), metavar="HOST", help="compare the clock with this one")
    looking.add_argument(
        "--mail-domain", metavar="DOMAIN", help="what mail is sent from; the sender's, else the server's name"
    )
    looking.add_argument("--dkim", metavar="SELECTOR", help="the name of the DKIM key")
    looking.add_argument("--json", action="store_true", help="print one line of JSON")
    looking.set_defaults(operate=examine)


async def examine(settings: Looked, arguments: argparse.Namespace) -> str:
    """What was found. Ends the process with status 1 when a check failed."""
    from operate.doctor.finding import as_json, failed, look, text

    # What goes wrong is in the findings; a library's log line would say it twice, and less carefully.
    logging.disable(logging.CRITICAL)
    try:
        findings = await look(outside(arguments) if arguments.outside else inside(settings, arguments))
    finally:
        logging.disable(logging.NOTSET)
    said = as_json(findings) if arguments.json else text(findings)
    if failed(findings):
        say(said)
        sys.exit(1)
    return said


def inside(settings: Looked, arguments: argparse.Namespace) -> dict[str, Check]:
    """Everything that this machine can know with the server's settings."""
    from operate.doctor import (
        announced,
        clock,
        mail_server,
        mailboxes,
        ports,
        pump,
        push,
        redis,
        relaying,
        requests,
        scanner,
        sms,
        storage,
    )

    rooms, media, turn = settings.rooms, settings.media, settings.turn
    folders = {"data": rooms.data, "backups": rooms.backups}
    checks: dict[str, Check] = {
        "database": lambda: storage.database(rooms),
        "key-store": lambda: storage.keys(rooms, utc_now),
        "requests-waiting": lambda: requests.waiting(rooms, utc_now()),
        "redis": lambda: redis.redis(reveal(settings.signaling.redis_url)),
        "secrets": _at_once(lambda: storage.secrets(settings)),
        "disk": _at_once(lambda: storage.disk(folders)),
        "clock": lambda: clock.clock(arguments.ntp),
        "announced": _at_once(lambda: announced.announced(media.announced, turn.address, turn.relay_peers)),
        "pump": _at_once(lambda: pump.pump(media.pump)),
        "turn": lambda: relaying.relaying(turn, utc_now()),
        "mail-server": lambda: mail_server.mail_server(settings.practice),
        "bounces": lambda: mailboxes.bounces(settings.practice),
        "requests": lambda: mailboxes.requests(settings.practice),
        "sms": lambda: sms.sms(settings.practice),
        "push": lambda: push.push(settings.practice),
        "scanner": lambda: scanner.scanner(settings.practice.uploads, utc_now()),
        "ports": _at_once(ports.from_inside),
    }
    if settings.signaling.origin:
        expected = [*media.announced, *([str(turn.address)] if turn.address else [])]
        checks |= _named(settings.signaling.origin, arguments, expected, settings.practice.mail)
    return checks


def outside(arguments: argparse.Namespace) -> dict[str, Check]:
    """Everything that needs no settings, as the world sees it."""
    from operate.doctor import ports

    try:
        address = origin(arguments.outside)
    except ValueError as error:
        raise StartRefused(f"--outside {error}.") from None
    parts = urlsplit(address)
    if parts.scheme != "https" or not parts.hostname:
        raise StartRefused("--outside must be the https:// address of a server.")
    host, wanted = parts.hostname, dict(OUTSIDE)
    wanted[parts.port or 443] = wanted.pop(443)
    return {
        **_named(address, arguments, []),
        "ports": lambda: ports.ports(host, wanted),
        "ports-udp": lambda: ports.over_udp(host, TURN_PORT, MEDIA_PORT),
    }


def _named(
    origin: str, arguments: argparse.Namespace, expected: list[str], sends: MailSettings | None = None
) -> dict[str, Check]:
    """What hangs on the server's name; with ``sends``, mail is of its sender's domain, and perhaps signed."""
    from operate.doctor import mail, names, tls
    from operate.doctor.resolving import Resolver
    from practice import dkim

    parts = urlsplit(origin)
    host, resolver = parts.hostname or "", Resolver(arguments.nameserver)
    domain = arguments.mail_domain or (sends and sends.domain) or host
    selector = sends.dkim_selector if sends and domain == sends.domain and not arguments.dkim else None
    ours = dkim.records(selector, sends.keys()) if sends and selector else None
    return {
        "dns": lambda: names.addresses(resolver, host, expected),
        "dnssec": lambda: names.dnssec(resolver, host),
        "tls": lambda: tls.tls(host, parts.port or 443, utc_now()),
        "mail": lambda: mail.mail(resolver, domain, arguments.dkim, ours),
    }


def _at_once(check: Callable[[], list[Finding]]) -> Callable[[], Awaitable[list[Finding]]]:
    async def run() -> list[Finding]:
        return await asyncio.to_thread(check)

    return run
