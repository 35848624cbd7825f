"""What arguments are made of: each refuses by a sentence of its own, which the parser prints with status 2."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterable
from datetime import date
from ipaddress import ip_address
from pathlib import Path
from typing import TypeVar


def port(text: str) -> int:
    """A TCP port, or 0 for any."""
    if not text.isascii() or not text.isdecimal() or not 0 <= int(text[:9]) <= 65_535:
        raise argparse.ArgumentTypeError("must be a number from 0 to 65535")
    return int(text)


def host_and_port(standard: int) -> Callable[[str], tuple[str, int]]:
    """``host``, ``host:port`` or ``[IPv6]:port``, or an IPv6 address alone."""

    def taken_apart(text: str) -> tuple[str, int]:
        if text.count(":") > 1 and not text.startswith("["):
            return text, standard
        found = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[\w.-]+)(?::(.+))?", text, re.ASCII)
        if found is None:
            raise argparse.ArgumentTypeError(f"must be a host or an address, as 192.0.2.1 or 192.0.2.1:{standard}")
        return found[1].strip("[]"), port(found[2]) if found[2] else standard

    return taken_apart


def nameserver(text: str) -> tuple[str, int]:
    """The address of a name server, with a port if it has one of its own."""
    host, number = host_and_port(53)(text)
    try:
        return str(ip_address(host)), number
    except ValueError:
        raise argparse.ArgumentTypeError("must be an address, as 192.0.2.53") from None


def day(text: str) -> date:
    """Of the calendar, as 2027-03-01."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("must be a day that exists, as 2027-03-01") from None


def path(text: str) -> Path:
    """Not the empty text, which would be the folder one is in."""
    if not text.strip() or "\0" in text:
        raise argparse.ArgumentTypeError("must be a path")
    if text.startswith("~"):
        raise argparse.ArgumentTypeError(
            "begins with ~, which the shell replaces only at the start of a word of its own"
        )
    return Path(text)


Word = TypeVar("Word", bound=str)


def one_of(words: Iterable[Word]) -> Callable[[str], Word]:
    """One of these words."""
    known = {str(word): word for word in words}

    def chosen(text: str) -> Word:
        if text not in known:
            raise argparse.ArgumentTypeError(f"must be one of {', '.join(known)}")
        return known[text]

    return chosen
