"""A port of loopback in this network namespace that leads to the same port of loopback in another one.

``python -m tests.browser.doorway PORT NAMESPACE``, as root. A socket stays in the namespace where it was made, so this
listens here and goes on as a process over there. Browsers call only localhost a secure context without TLS.
"""

import asyncio
import os
import socket
import sys

from bench.load.door import Door


def step_through(port: int, namespace: str) -> None:
    listener = socket.create_server(("127.0.0.1", port))
    listener.set_inheritable(True)
    over_there = [sys.executable, "-m", "tests.browser.doorway", str(port), namespace, str(listener.fileno())]
    os.execvp("ip", ["ip", "netns", "exec", namespace, *over_there])


async def serve(port: int, listener: socket.socket) -> None:
    await Door(("127.0.0.1", port)).open(listener=listener)
    await asyncio.Event().wait()


if __name__ == "__main__":
    port, namespace, *rest = sys.argv[1:]
    if not rest:
        step_through(int(port), namespace)
    asyncio.run(serve(int(port), socket.socket(fileno=int(rest[0]))))
