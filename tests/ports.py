"""Ports for servers that have to be told theirs before they start."""

import contextlib
import socket

LOOPBACK = "127.0.0.1"


def free_port() -> int:
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """As many different ports of loopback, TCP and UDP; free until somebody else takes them."""
    with contextlib.ExitStack() as held:
        return [_hold(held) for _ in range(count)]


def _hold(held: contextlib.ExitStack) -> int:
    while True:
        stream = held.enter_context(socket.socket())
        stream.bind((LOOPBACK, 0))
        port: int = stream.getsockname()[1]
        with contextlib.suppress(OSError):
            held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)).bind((LOOPBACK, port))
            return port
