"""fakeredis on a Unix socket, with replies of any size.

The library's own handler writes a reply once to a socket that does not block: from some 200 kB on the rest is lost, at
times without an error. It also hangs up after an error reply. Here what a client has not read yet is kept for it, as
Redis keeps it, and a client that sends thousands of commands before it reads the first reply is read meanwhile.
"""

import select
import socket
from itertools import count
from pathlib import Path
from typing import Any, Final

from fakeredis import TcpFakeServer
from fakeredis._clients._tcp_server import TCPFakeRequestHandler, encode_reply

POLL_MILLISECONDS: Final = 10
"""How long a message that was published waits, and a client that gives up goes unnoticed."""

READ_BYTES: Final = 65_536


class Handler(TCPFakeRequestHandler):
    """One client."""

    def handle(self) -> None:
        """Until the client hangs up."""
        self.connection.setblocking(False)
        poll = select.poll()
        unread = bytearray()
        while True:
            poll.register(self.connection, select.POLLIN | (select.POLLOUT if unread else 0))
            # Replies come before more commands, so that a client with many of them gets the first ones early.
            ready = poll.poll(0 if self.current_client.can_read() else POLL_MILLISECONDS)
            events = ready[0][1] if ready else 0
            try:
                if events & select.POLLIN and not self._take():
                    return
                self._collect(unread)
                if unread:
                    del unread[: self.connection.send(unread)]
            except BlockingIOError:
                continue
            except OSError:
                return

    def _take(self) -> bool:
        """Hand on what the client sent; False when it hung up."""
        data = self.connection.recv(READ_BYTES)
        if data:
            self.current_client.get_socket().sendall(data)
        return bool(data)

    def _collect(self, unread: bytearray) -> None:
        """All replies there are."""
        while self.current_client.can_read():
            reply: Any
            try:
                reply = self.current_client.read_response()
            except Exception as error:  # noqa: BLE001 -- an error is a reply like another
                reply = error
            unread += encode_reply(reply, self.protocol_version)


class UnixFakeServer(TcpFakeServer):
    """Over a Unix socket peers have no address: each gets a number, by which the server keeps clients apart."""

    address_family = socket.AF_UNIX
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, path: Path) -> None:
        self._numbers = count()
        super().__init__(str(path))  # type: ignore[arg-type]  # a path, where it expects a port
        self.RequestHandlerClass = Handler

    def get_request(self) -> tuple[Any, Any]:
        connection, _ = self.socket.accept()
        return connection, ("unix", next(self._numbers))

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is no error of ours."""
