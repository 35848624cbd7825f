"""Ports for servers that have to be told theirs before they start."""

import contextlib
import secrets
import socket

LOOPBACK = "127.0.0.1"
LOWEST, COUNT = 10_000, 20_000
"""Below those that systems give to whoever asks for any: a port stays free while its server starts."""


def free_port() -> int:
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """As many different ports of loopback, TCP and UDP; free until somebody else takes them."""
    with contextlib.ExitStack() as held:
        return [_hold(held) for _ in range(count)]


def _hold(held: contextlib.ExitStack) -> int:
    while True:
        port = LOWEST + secrets.randbelow(COUNT)
        with contextlib.suppress(OSError):
            held.enter_context(socket.socket()).bind((LOOPBACK, port))
            held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)).bind((LOOPBACK, port))
            return port
