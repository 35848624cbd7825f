"""Many datagrams per system call on Linux: recvmmsg and sendmmsg on preallocated memory, through cffi.

The headers that the kernel reads are filled once; per packet only a length and a destination pointer change.
"""

import errno
import socket
import sys
from typing import Any

from media.net.arena import SLOT, TIME_WORDS, Arena, ffi
from media.net.outbox import Outbox

ffi.cdef("""
    struct iovec { void *iov_base; size_t iov_len; };
    struct msghdr { void *msg_name; unsigned int msg_namelen; struct iovec *msg_iov; size_t msg_iovlen;
                    void *msg_control; size_t msg_controllen; int msg_flags; };
    struct mmsghdr { struct msghdr msg_hdr; unsigned int msg_len; };
    int recvmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags, void *timeout);
    int sendmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags);
""")

AVAILABLE = sys.platform == "linux" and sys.maxsize > 2**32

_NAME = 32
_V4, _V6 = 8, 28
_SO_TIMESTAMPNS = 35
_WAIT = getattr(socket, "MSG_DONTWAIT", 0)

_libc: Any = ffi.dlopen(None) if AVAILABLE else None


def host_and_port(key: int | bytes) -> tuple[str, int]:
    """The address in a key made by `BatchReceiver.receive`."""
    name = destination(key)
    port = name[2] << 8 | name[3]
    if len(name) == _V4:
        return socket.inet_ntop(socket.AF_INET, name[4:8]), port
    return socket.inet_ntop(socket.AF_INET6, name[8:24]), port


def key(name: bytes, family: int) -> int | bytes:
    """A source's key of its sockaddr."""
    return int.from_bytes(name[:_V4], sys.byteorder) if family == socket.AF_INET else name[:_V6]


def key_length(family: int) -> int:
    """Bytes of a sockaddr that are in a key."""
    return _V4 if family == socket.AF_INET else _V6


def destination(key: int | bytes) -> bytes:
    """What `BatchOutbox` sends to: the beginning of a sockaddr."""
    return key.to_bytes(_V4, sys.byteorder) if isinstance(key, int) else key


class _Messages:
    """An array of mmsghdr, one iovec each; seen as 64-bit words and as 32-bit words."""

    def __init__(self, arena: Arena, count: int) -> None:
        self.headers = ffi.new("struct mmsghdr[]", count)
        self.vectors = ffi.new("struct iovec[]", count)
        for index in range(count):
            self.vectors[index].iov_base = arena.pointers[index]
            self.vectors[index].iov_len = SLOT
            self.headers[index].msg_hdr.msg_iov = ffi.addressof(self.vectors, index)
            self.headers[index].msg_hdr.msg_iovlen = 1
        self.longs = memoryview(ffi.buffer(self.headers)).cast("B").cast("Q")
        self.words = memoryview(ffi.buffer(self.headers)).cast("B").cast("I")
        self.sizes = memoryview(ffi.buffer(self.vectors)).cast("B").cast("Q")


class BatchReceiver:
    """Receives up to ``arena.slots`` datagrams into ``arena`` at once.

    A source's key is what of its sockaddr tells sources apart: for IPv4 family, port and address as one 64-bit word,
    for IPv6 their bytes, with flow label and scope.
    """

    def __init__(self, sock: socket.socket, arena: Arena) -> None:
        sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._fd = sock.fileno()
        self._arena = arena
        self._count = arena.slots
        self._messages = _Messages(arena, arena.slots)
        names = ffi.new("unsigned char[]", arena.slots * _NAME)
        for index in range(arena.slots):
            header = self._messages.headers[index].msg_hdr
            header.msg_name = names + index * _NAME
            header.msg_control = arena.control + index * TIME_WORDS
            header.msg_controllen = 8 * TIME_WORDS
            # One socket has one family, so what the kernel writes here stays long enough for the next datagram;
            # the same holds for the one control message.
            header.msg_namelen = 16 if sock.family == socket.AF_INET else _V6
        self._memory = names
        self._lengths = self._messages.words[14::16]
        self._names = ffi.buffer(names)
        self._keys = memoryview(self._names).cast("B").cast("Q")[:: _NAME // 8]
        self._cuts = [slice(index * _NAME, index * _NAME + _V6) for index in range(arena.slots)]
        self._wide = sock.family != socket.AF_INET

    def share(self, port: Any) -> None:
        """Let a ``struct port`` of the pump receive with these headers."""
        port.headers_in, port.names_in = self._messages.headers, self._memory
        port.packets_in, port.times_in = self._arena.memory, self._arena.control

    def receive(self) -> list[tuple[int, Any]]:
        """Length and source key of each datagram received, in the order of the slots; empty if there was none."""
        count = _libc.recvmmsg(self._fd, self._messages.headers, self._count, _WAIT, ffi.NULL)
        if count <= 0:
            return []
        names = self._names
        keys = [names[cut] for cut in self._cuts[:count]] if self._wide else self._keys[:count].tolist()
        return list(zip(self._lengths[:count].tolist(), keys, strict=True))


class BatchOutbox(Outbox):
    """Sends the whole box with one system call. Destinations are sockaddr keys as `BatchReceiver` gives them."""

    def __init__(self, sock: socket.socket, slots: int) -> None:
        super().__init__(slots)
        self._fd = sock.fileno()
        self._messages = _Messages(self.memory, slots)
        self._names = ffi.new("unsigned char[]", slots * _NAME)
        self._names_buffer = ffi.buffer(self._names)
        namelen = 16 if sock.family == socket.AF_INET else _V6
        for index in range(slots):
            header = self._messages.headers[index].msg_hdr
            header.msg_name = self._names + index * _NAME
            header.msg_namelen = namelen
        self._sizes = self._messages.sizes[1::2]
        self._last: list[bytes | None] = [None] * slots

    def share(self, port: Any) -> None:
        """Let a ``struct port`` of the pump send with these headers."""
        port.headers_out, port.vectors_out = self._messages.headers, self._messages.vectors
        port.packets_out, port.names_out = self.memory.memory, self._names

    def queue(self, destination: bytes, length: int) -> None:
        count = self.count
        self._sizes[count] = length
        if self._last[count] is not destination:
            self._last[count] = destination
            self._names_buffer[count * _NAME : count * _NAME + len(destination)] = destination
        self.count = count + 1
        if count + 1 == self.slots:
            self.flush()

    def flush(self) -> None:
        count, sent = self.count, 0
        self.count = 0
        headers = self._messages.headers
        while sent < count:
            done = _libc.sendmmsg(self._fd, headers + sent, count - sent, _WAIT)
            if done > 0:
                sent += done
            elif ffi.errno == errno.EINTR:
                continue
            elif ffi.errno in (errno.EAGAIN, errno.ENOBUFS):
                self.dropped += count - sent
                return
            else:
                # The error belongs to the first packet (unreachable, too long): the others may still go.
                self.dropped += 1
                sent += 1
