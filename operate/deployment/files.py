"""The files that the compose file mounts: made once, never written over, each for the one account that reads it."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from operate.deployment import acl, firewall, openbao
from operate.deployment.strength import PASSWORD_LENGTH, weakness
from practice import dkim
from signaling.derived import call_key_text
from turn.coturn import render
from turn.settings import TurnSettings
from vault.errors import StartRefused
from vault.faults import reason
from vault.keys.files import write_new

SERVER: Final = 10001
"""The account of our image, of Valkey and of coturn."""
POSTGRES: Final = 70
OPENBAO: Final = 100

Random = Callable[[int], bytes]


@dataclass(frozen=True)
class Place:
    """Where all this is for."""

    domain: str
    address: IPv4Address
    address6: IPv6Address | None = None


@dataclass(frozen=True)
class Made:
    """What `make` did: names of new files, of files that were there, and of those that no longer fit the others."""

    new: tuple[str, ...]
    kept: tuple[str, ...]
    stale: tuple[str, ...]
    unowned: tuple[str, ...]


OWN: Final[dict[str, tuple[int, Callable[[Random], str]]]] = {
    "signaling": (SERVER, lambda random: base64.b64encode(random(48)).decode()),
    "root_key": (SERVER, lambda random: base64.b64encode(random(32)).decode()),
    "turn": (SERVER, lambda random: random(32).hex()),
    "valkey": (SERVER, lambda random: random(32).hex()),
    "valkey_media": (SERVER, lambda random: random(32).hex()),
    "database": (POSTGRES, lambda random: random(32).hex()),
    "keystore": (POSTGRES, lambda random: random(32).hex()),
    "openbao_seal": (OPENBAO, lambda random: base64.b64encode(random(32)).decode()),
    "openbao_token": (SERVER, lambda random: random(32).hex()),
}
"""Secrets of their own. All that follows is made from these."""


def derived(own: dict[str, str], place: Place) -> dict[str, tuple[int, str]]:
    """Configuration that carries secrets: file name → account, text."""
    secrets = [SecretStr(secret) for secret in own["turn"].split()]
    turn = TurnSettings(address=place.address, secrets=secrets, relay_peers=[place.address])
    return {
        "database_url": (SERVER, f"postgresql://spreekkamer:{own['database']}@postgres/spreekkamer"),
        "keystore_url": (SERVER, f"postgresql://keystore:{own['keystore']}@keystore/keystore"),
        "redis_url": (SERVER, f"redis://{acl.USER}:{own['valkey']}@valkey:6379/0"),
        "media": (SERVER, call_key_text(own["signaling"])),
        "media_redis_url": (SERVER, f"redis://{acl.MEDIA_USER}:{own['valkey_media']}@valkey:6379/0"),
        "valkey.acl": (SERVER, acl.rules(own["valkey"], own["valkey_media"])),
        "turnserver.conf": (SERVER, render(turn)),
        "openbao.hcl": (OPENBAO, openbao.configuration(seal=own["openbao_seal"], token=own["openbao_token"])),
    }


def environment(place: Place) -> str:
    """The skeleton of ``.env``; what is empty refuses the start until it is filled in."""
    lines = (
        "# Where people find the server, and the public addresses of this host; ADDRESS6 may be empty.",
        f"DOMAIN={place.domain}",
        f"ADDRESS={place.address}",
        f"ADDRESS6={place.address6 or ''}",
        "# The mail server that takes our mail, and the address that it comes from; empty: no mail is sent. What",
        "# SMTP_USER signs in with stands in secrets/smtp_password.",
        *(f"{name}=" for name in ("SMTP_HOST", "SMTP_PORT", "SMTP_USER", "SMTP_SENDER")),
        "# The name under which the keys of secrets/dkim are published (docs/operations.md); empty: we sign no mail.",
        "DKIM_SELECTOR=",
        "# The address that mail comes back to, as bounces@example.org, and where its mailbox is read (IMAP), by what",
        "# stands in secrets/imap_password; empty: mail comes back to SMTP_SENDER.",
        *(f"{name}=" for name in ("BOUNCES", "IMAP_HOST", "IMAP_USER")),
        "# The address that people mail what they ask about their data to, as privacy@example.org, and where that",
        "# mailbox is read (IMAP), by what stands in secrets/requests_password; everything in it is deleted; empty:",
        "# none is read.",
        *(f"{name}=" for name in ("REQUESTS", "REQUESTS_HOST", "REQUESTS_USER")),
        "# Who may make an account uninvited: domains, founding or both (docs/operations.md); empty: nobody.",
        "REGISTRATION=",
        '# SMS providers whom organisations may send by, as ["gw.cmtelecom.com"]; empty: no text messages.',
        "SMS_HOSTS=",
        '# Push services that may wake a desk, as ["fcm.googleapis.com"] (docs/operations.md); empty: none.',
        "PUSH_HOSTS=",
        "# What the privacy page says: the organisation and its data protection officer. What has a # or a $ in it",
        "# stands in single quotes, else it is cut off there.",
        *(f"{name}=" for name in ("PRACTICE", "POSTAL", "MAIL", "OFFICER", "OFFICER_MAIL")),
    )
    return "\n".join(lines) + "\n"


def make(folder: Path, place: Place, random: Random, now: datetime) -> Made:
    """Everything that is missing in ``folder``. Errors: StartRefused (not writable, a secret that is too weak)."""
    secrets = folder / "secrets"
    try:
        secrets.mkdir(mode=0o700, parents=True, exist_ok=True)
        secrets.chmod(0o700)
        return _Making(secrets).all(place, random, now)
    except (OSError, UnicodeDecodeError) as error:
        raise StartRefused(reason(error, f"{folder}")) from None


class _Making:
    """One run over a folder."""

    def __init__(self, secrets: Path) -> None:
        self._secrets = secrets
        self._new: list[str] = []
        self._kept: list[str] = []
        self._stale: list[str] = []
        self._unowned: list[str] = []

    def all(self, place: Place, random: Random, now: datetime) -> Made:
        own = {}
        for name, (owner, generate) in OWN.items():
            self._put(name, owner, generate(random), fixed=False)
            own[name] = (self._secrets / name).read_text().strip()
            if wrong := weakness(own[name], PASSWORD_LENGTH):
                raise StartRefused(f"secrets/{name} {wrong}: remove the file and run this again.")
        for name, (owner, text) in derived(own, place).items():
            self._put(name, owner, text, fixed=True)
        # Somebody else's to say; until it is written in here, it is a password of nobody.
        for name in ("smtp_password", "imap_password", "requests_password"):
            self._put(name, SERVER, random(32).hex(), fixed=False)
        self._put("dkim", SERVER, dkim.made(), fixed=False)
        self._certificate(now)
        for name, text in ((".env", environment(place)), ("firewall.nft", firewall.rules(place.address))):
            self._beside(name, text)
        return Made(tuple(self._new), tuple(self._kept), tuple(self._stale), tuple(self._unowned))

    def _beside(self, name: str, text: str) -> None:
        """What the operator goes on with; never compared, for it is his."""
        path = self._secrets.parent / name
        if path.exists():
            self._kept.append(name)
        else:
            write_new(path, text.encode())
            path.chmod(0o600)
            self._new.append(name)

    def _certificate(self, now: datetime) -> None:
        """Both halves or none: a certificate fits no other key."""
        names = ("openbao_tls", "openbao_ca")
        if all((self._secrets / name).exists() for name in names):
            self._kept += names
            return
        for name in names:
            (self._secrets / name).unlink(missing_ok=True)
        made = openbao.certificate("openbao", now)
        self._put("openbao_tls", OPENBAO, made.pair.decode(), fixed=False)
        self._put("openbao_ca", SERVER, made.certificate.decode(), fixed=False)

    def _put(self, name: str, owner: int, text: str, *, fixed: bool) -> None:
        path = self._secrets / name
        if path.exists():
            path.chmod(path.stat().st_mode & 0o600)
            self._kept.append(name)
            if fixed and path.read_text().strip() != text.strip():
                self._stale.append(name)
        else:
            write_new(path, text.rstrip("\n").encode() + b"\n")
            self._new.append(name)
        if os.geteuid() == 0:
            os.chown(path, owner, owner)
        elif path.stat().st_uid != owner:
            self._unowned.append(name)
