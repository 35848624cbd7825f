"""Before the first start: `setup FOLDER` makes every secret that the compose file mounts."""

from __future__ import annotations

import argparse
import re
import secrets
from ipaddress import IPv4Address, IPv6Address, ip_address

from operate.commands.arguments import path
from operate.commands.configured import Configured
from vault.clock import utc_now
from vault.errors import StartRefused

DOMAIN = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?")


def attach(commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    making = commands.add_parser("setup", parents=[common], help="make all secrets for docker compose, once")
    making.add_argument(
        "folder", type=path, help="where docker-compose.yml is; secrets/, .env and firewall.nft are written there"
    )
    making.add_argument("--domain", required=True, help="name of the server, such as consult.example.org")
    making.add_argument(
        "--address",
        required=True,
        action="append",
        help="public IPv4 address; once more for the IPv6 address",
    )
    making.set_defaults(operate=setup)
    telling = commands.add_parser("media-secret", parents=[common], help="print media.secret, for workers on their own")
    telling.set_defaults(operate=media_secret)


async def setup(_: Configured, arguments: argparse.Namespace) -> str:
    """What was made; nothing that was there is written over."""
    domain = arguments.domain.lower().rstrip(".")
    if not DOMAIN.fullmatch(domain):
        raise StartRefused("--domain must be a host name, such as consult.example.org.")
    address, address6 = addresses(arguments.address)
    from operate.deployment.files import Place, make

    made = make(arguments.folder, Place(domain, address, address6), secrets.token_bytes, utc_now())
    lines = [f"New: {', '.join(made.new) or 'nothing'}.", f"Left as they were: {', '.join(made.kept) or 'none'}."]
    if made.stale:
        lines.append(f"These no longer fit the others; remove them and run this again: {', '.join(made.stale)}.")
    if made.unowned:
        lines.append("The containers cannot read them yet: run this as root.")
    lines.append("Copy secrets/root_key offline now, fill in .env, then: docker compose up --detach")
    return "\n".join(lines)


def addresses(given: list[str]) -> tuple[IPv4Address, IPv6Address | None]:
    """One of each family, the second one if there is any."""
    four: list[IPv4Address] = []
    six: list[IPv6Address] = []
    for text in given:
        try:
            found = ip_address(text.strip().strip("[]"))
        except ValueError:
            raise StartRefused("--address must be an address of this host, as 203.0.113.5 or 2001:db8::5.") from None
        if isinstance(found, IPv4Address):
            four.append(found)
        else:
            six.append(found)
    if len(four) > 1 or len(six) > 1:
        raise StartRefused("--address can be given once for IPv4 and once for IPv6; leave the others out.")
    if not four:
        raise StartRefused("--address needs the IPv4 address too: people without IPv6, and TURN, come by it.")
    return four[0], six[0] if six else None


async def media_secret(settings: Configured, _: argparse.Namespace) -> str:
    """The key of calls, which is all that media workers on their own are given of ``signaling.secret``."""
    from signaling.derived import call_key_text

    if settings.signaling.secret is None:
        raise StartRefused("signaling.secret is missing; media workers on their own need servers that have one.")
    return call_key_text(settings.signaling.secret.get_secret_value())
