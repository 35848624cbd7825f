"""A Redis that cannot be used: real ones, and what may stand in its place, each with the sentence that mends it."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from pydantic import SecretStr

from media.redis_address import redis_address
from operate import certificates
from signaling.redis import open_redis
from tests.ports import free_ports
from vault.errors import StartRefused

PASSWORD = "pâss#w/o?r@d:%25 [x]"
ESCAPED = quote(PASSWORD, safe="")


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A Redis with a password, four databases and a TLS port: what stands in braces below."""
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program is None:
        pytest.skip("NOT TESTED: install redis-server")
    folder = tmp_path_factory.mktemp("redis")
    pair = certificates.self_signed("localhost", "test", datetime.now(UTC), timedelta(days=2), authority=True)
    (folder / "pair.pem").write_bytes(pair.pair)
    (folder / "authority.pem").write_bytes(pair.certificate)
    plain, tls = free_ports(2)
    options = {
        "port": plain, "tls-port": tls, "tls-cert-file": folder / "pair.pem", "tls-key-file": folder / "pair.pem",
        "tls-auth-clients": "no", "requirepass": PASSWORD, "databases": 4, "save": "",
        "appendonly": "no", "dir": folder,
    }  # fmt: skip
    command = [program, *(part for name, value in options.items() for part in (f"--{name}", str(value)))]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        for port in (plain, tls):
            until_it_listens(port)
        yield {
            "plain": f"127.0.0.1:{plain}", "tls": f"localhost:{tls}", "password": ESCAPED,
            "authority": str(folder / "authority.pem"), "folder": str(folder),
        }  # fmt: skip
        process.kill()


def until_it_listens(port: int) -> None:
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("it does not start")


async def opened(url: str) -> None:
    async with open_redis(redis_address(SecretStr(url)).get_secret_value()) as redis:
        assert redis.kind == "external"


@pytest.mark.parametrize(
    "url",
    [
        "redis://:{password}@{plain}/0",
        "redis://default:{password}@{plain}/3",
        "rediss://:{password}@{tls}/0?ssl_ca_certs={authority}",
        "valkeys://:{password}@{tls}?ssl_ca_certs={authority}",
    ],
)
async def test_a_password_of_any_characters_is_taken_when_it_is_escaped(guarded: dict[str, str], url: str) -> None:
    await opened(url.format(**guarded))


@pytest.mark.parametrize(
    ("url", "remedy"),
    [
        ("redis://{plain}/0", "correct them in"),
        ("redis://:wrong@{plain}/0", "the user or the password; correct them"),
        ("redis://nobody:{password}@{plain}/0", "the user or the password; correct them"),
        ("redis://:{password}@{plain}/9", "write another one at the end"),
        ("redis://:{password}@{plain}?db=9", "write another one at the end"),
        ("redis://:{password}@{tls}/0", "write rediss://"),
        ("rediss://:{password}@{tls}/0", "ssl_ca_certs=FILE"),
        ("rediss://:{password}@{tls}/0?ssl_ca_certs={folder}/nowhere.pem", "is not there"),
        ("unix:///nowhere/redis.sock", "is not there; start Redis or correct the path"),
        ("unix://{folder}/pair.pem", "No Redis listens there"),
        ("redis://127.0.0.1:1/0", "No Redis listens there"),
        ("redis://nowhere.invalid/0", "correct its name"),
    ],
)
async def test_each_wrong_address_has_a_sentence_of_its_own(guarded: dict[str, str], url: str, remedy: str) -> None:
    with pytest.raises(StartRefused) as refused:
        await opened(url.format(**guarded))
    said = str(refused.value)
    assert remedy in said and said.endswith(".") and "\n" not in said
    assert ESCAPED not in said and PASSWORD not in said


@pytest.mark.parametrize(
    ("answers", "remedy"),
    [
        (lambda line: line.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "is no Redis; correct host and port"),
        (lambda _: None, "hangs up at once"),
        (lambda _: time.sleep(20), "does not answer in time"),
    ],
    ids=["a web server", "hangs up", "silent"],
)
async def test_what_is_no_redis_is_named(answers: Callable[[socket.socket], None], remedy: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve(line: socket.socket) -> None:
            with line:
                line.recv(64)
                answers(line)

        def accept() -> None:
            while True:
                try:
                    line, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=serve, args=(line,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        with pytest.raises(StartRefused, match=remedy):
            await opened(f"redis://127.0.0.1:{server.getsockname()[1]}/0")
