"""Whatever the server asks of a host elsewhere goes through one door; who opens connections beside it is named here."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.ours import FOLDERS, ROOT

OPENING = {
    *("open_connection", "open_unix_connection", "create_connection", "create_unix_connection", "sock_connect"),
    *("ClientSession", "urlopen", "HTTPConnection", "HTTPSConnection", "from_url", "getaddrinfo", "gethostbyname"),
    *(
        "connect_ex",
        "create_datagram_endpoint",
        "TCPConnector",
        "create_async_engine",
        "create_subprocess_exec",
        "create_subprocess_shell",
    ),
}
"""Names of what opens a connection or looks a host up, in asyncio, socket, http, aiohttp, redis."""

LIBRARIES = {
    *("aiosmtplib", "smtplib", "ftplib", "telnetlib", "imaplib", "poplib", "requests", "httpx", "urllib3", "psycopg"),
    *("paramiko", "websockets", "websocket", "boto3", "dns", "socket"),
}
"""Modules that can do nothing else, or may do it."""

ALLOWED = {
    "practice/outgoing.py": "the door",
    "practice/https.py": "speaks HTTPS over a connection of the door",
    "practice/imap.py": "speaks IMAP over a connection of the door",
    "practice/notices/smtp.py": "speaks SMTP over a connection of the door",
    "practice/pictures/scanner.py": "clamd, on a Unix socket",
    "practice/pictures/encoding.py": "starts the program that encodes a picture",
    "practice/portability/reading.py": "starts the program that opens an archive",
    "media/net/mmsg.py": "system calls on the relay's own port",
    "media/net/plain.py": "the relay's own port",
    "media/net/tcp.py": "the relay's own port",
    "media/net/udp.py": "the relay's own port",
    "media/processes.py": "starts media workers",
    "media/session/dtls.py": "the order of bytes in a number",
    "media/worker.py": "Redis",
    "signaling/fake_redis.py": "a Redis of our own, on a Unix socket",
    "signaling/listener.py": "the server's own port",
    "signaling/redis.py": "Redis",
    "signaling/redis_child.py": "a Redis of our own, on a Unix socket",
    "signaling/redis_faults.py": "names of faults",
    "turn/probe.py": "TURN: whether our own server relays",
    "vault/database/database.py": "the database",
    "vault/database/pooled.py": "the database",
    "vault/keys/connection.py": "the key store's database",
    "vault/keys/postgres.py": "the key store's database",
    "vault/keys/transit.py": "OpenBao",
    "operate/doctor/": "a command, which looks a deployment over from where it is started",
    "client/": "a client; the server has nothing of it but the command `check`",
}


def found() -> Iterator[tuple[str, str]]:
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            for name in opening(path):
                yield str(path.relative_to(ROOT)), name


def opening(path: Path) -> set[str]:
    """What in a file opens connections, or may."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {one.name.partition(".")[0] for one in node.names} & LIBRARIES
        elif isinstance(node, ast.ImportFrom):
            module = (node.module or "").partition(".")[0]
            names |= {module} & LIBRARIES if not node.level else set()
            names |= {one.name for one in node.names} & OPENING
        elif isinstance(node, ast.Attribute) and node.attr in OPENING:
            names.add(node.attr)
    return names


def allowed(file: str) -> bool:
    return any(file == one or (one.endswith("/") and file.startswith(one)) for one in ALLOWED)


def test_nothing_else_opens_connections() -> None:
    assert {file: name for file, name in found() if not allowed(file)} == {}


def test_what_may_does() -> None:
    files = {file for file, _ in found()}
    assert [one for one in ALLOWED if not any(file.startswith(one) for file in files)] == [], "these are no exceptions"
