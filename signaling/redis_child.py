"""The private Redis of one server, as a child process: ``python -m signaling.redis_child FOLDER``.

A ``redis-server`` or ``valkey-server`` found on PATH, else fakeredis; on a Unix socket in FOLDER (mode 0700), keeping
nothing on disk. Prints one line, the kind, when it answers. It ends and removes FOLDER when its standard input
closes, which happens however its parent ends.
"""

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from signaling.memory import no_core_dumps

SOCKET = "redis.sock"
PROGRAMS = ("redis-server", "valkey-server")
OPTIONS = {
    "port": "0",
    "unixsocketperm": "700",
    "save": "",
    "appendonly": "no",
    "slowlog-log-slower-than": "-1",
    "slowlog-max-len": "0",
    "daemonize": "no",
    "crash-memcheck-enabled": "no",
}
PR_SET_PDEATHSIG = 1


def main() -> None:
    folder = Path(sys.argv[1])
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    no_core_dumps()
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / SOCKET).unlink(missing_ok=True)  # of one before us that was killed
    program = next((found for name in PROGRAMS if (found := shutil.which(name))), None)
    try:
        if program:
            run_program(program, folder)
        else:
            run_fake(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(0)


def run_program(program: str, folder: Path) -> None:
    """Run the real server until standard input closes; end as well when the server ends by itself."""
    options = [part for name, value in OPTIONS.items() for part in (f"--{name}", value)]
    server = subprocess.Popen(  # noqa: S603 -- found on PATH, no argument from outside
        [program, *options, "--dir", str(folder), "--unixsocket", str(folder / SOCKET)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 -- one thread here
    )
    signal.signal(signal.SIGCHLD, lambda *_: sys.exit(1))
    try:
        announce("redis", folder)
        wait_for_parent()
    finally:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        server.kill()
        server.wait()


def run_fake(folder: Path) -> None:
    """Run fakeredis until standard input closes."""
    from fakeredis import FakeRedis

    from signaling.fake_redis import UnixFakeServer

    server = UnixFakeServer(folder / SOCKET)
    (folder / SOCKET).chmod(0o700)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    threading.Thread(target=janitor, args=(FakeRedis(server=server.fake_server),), daemon=True).start()
    announce("fakeredis", folder)
    wait_for_parent()


def janitor(redis: Any, interval: float = 60.0) -> None:
    """fakeredis keeps an expired value until somebody touches it; so each minute every key is touched."""
    while True:
        time.sleep(interval)
        sweep(redis)


def sweep(redis: Any) -> None:
    """Touch every key, which drops the expired ones."""
    for database in range(16):
        redis.select(database)
        for key in redis.keys("*"):
            redis.ttl(key)


def announce(kind: str, folder: Path) -> None:
    """Print the kind as soon as the socket accepts."""
    deadline = time.monotonic() + 10
    while True:
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(folder / SOCKET))
                break
            except OSError:
                if time.monotonic() > deadline:
                    sys.exit(1)
        time.sleep(0.01)
    sys.stdout.write(f"{kind}\n")
    sys.stdout.flush()


def wait_for_parent() -> None:
    """Return when the parent's end of our standard input is closed."""
    while os.read(0, 4096):
        pass


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    main()
