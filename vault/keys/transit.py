"""Epoch secrets in OpenBao (or Vault): an epoch's secret is encrypted under the Transit key's version of that number.

A new epoch is *rotate*; ending one is raising the minimum versions and *trim*, after which OpenBao itself no longer has
what opens the older secrets. https://openbao.org/api-docs/secret/transit/
"""

import base64
import http.client
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from vault.errors import Away, Locked, StartRefused
from vault.keys.envelope import KEY_BYTES, Place, Random
from vault.keys.epoch_secrets import Made
from vault.settings import TransitSettings

SECONDS = 2.0
RENEW_SECONDS = 600.0
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Transit:
    """Calls to one Transit key. Blocks. Errors: Locked, with a sentence for the operator."""

    def __init__(self, settings: TransitSettings) -> None:
        url = urlsplit(settings.address or "")
        if url.scheme == "http" and url.hostname not in LOOPBACK:
            raise StartRefused("OpenBao is only spoken to by https; correct rooms.transit.address.")
        self._host = (url.hostname or "", url.port or (443 if url.scheme == "https" else 80))
        try:
            self._tls = ssl.create_default_context(cafile=settings.ca_file) if url.scheme == "https" else None
        except OSError:  # ssl.SSLError is one
            raise StartRefused("rooms.transit.ca_file is no PEM file of certificates that can be read.") from None
        self._token_file = settings.token_file
        self._mount = settings.mount.strip("/")
        self._key = settings.key
        self._renewed = float("-inf")
        self._mine = threading.local()

    @contextmanager
    def connected(self) -> Iterator[http.client.HTTPConnection]:
        """What this thread calls within goes over one connection."""
        there: http.client.HTTPConnection | None = getattr(self._mine, "connection", None)
        if there is not None:
            yield there
            return
        with closing(self._connection()) as connection:
            self._mine.connection = connection
            try:
                yield connection
            finally:
                del self._mine.connection

    def key(self) -> dict[str, Any]:
        """What OpenBao says of the key. Locked when it could be copied: then trimming it would prove nothing."""
        key = self._call("GET", f"{self._mount}/keys/{self._key}")
        if key.get("exportable") or key.get("allow_plaintext_backup") or key.get("type") != "aes256-gcm96":
            raise Locked("The Transit key can be exported or is of the wrong kind; make another one in OpenBao.")
        self._renew()
        return key

    def rotate(self) -> int:
        """A new version; its number."""
        return int(self._call("POST", f"{self._mount}/keys/{self._key}/rotate")["latest_version"])

    def encrypt(self, version: int, plaintext: bytes, context: bytes) -> bytes:
        """Under this version of the key, bound to a context."""
        body = {"plaintext": encoded(plaintext), "associated_data": encoded(context), "key_version": version}
        answer = self._call("POST", f"{self._mount}/encrypt/{self._key}", body)
        ciphertext: str = answer["ciphertext"]
        return ciphertext.encode()

    def decrypt(self, ciphertext: bytes, context: bytes) -> bytes | None:
        """The plaintext; None when this key does not open it (any more)."""
        body = {"ciphertext": ciphertext.decode(), "associated_data": encoded(context)}
        answer = self._call("POST", f"{self._mount}/decrypt/{self._key}", body, refused={})
        return base64.b64decode(answer["plaintext"]) if answer else None

    def erase_before(self, version: int) -> None:
        """Destroy all older versions; nobody has them then."""
        minimum = {"min_decryption_version": version, "min_encryption_version": version}
        self._call("POST", f"{self._mount}/keys/{self._key}/config", minimum)
        self._call("POST", f"{self._mount}/keys/{self._key}/trim", {"min_available_version": version})

    def _renew(self) -> None:
        """Lengthen the token's life now and then; one that cannot be renewed is replaced in its file by others."""
        if monotonic() - self._renewed > RENEW_SECONDS:
            self._call("POST", "auth/token/renew-self", refused={})
            self._renewed = monotonic()

    def _call(
        self, method: str, path: str, body: dict[str, Any] | None = None, refused: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        try:
            token = self._token_file.read_text().strip() if self._token_file else ""
        except (OSError, UnicodeDecodeError):
            raise Locked("The file with OpenBao's token cannot be read.") from None
        try:
            status, content = self._exchange(method, path, token, json.dumps(body or {}))
            answer = json.loads(content or b"{}")
        except (OSError, http.client.HTTPException, ValueError):
            raise Away("OpenBao cannot be reached; see to it and start again.") from None
        if status == 400 and refused is not None:
            return refused
        if status not in (200, 204):
            raise (Away if status in PASSING or status >= 500 else Locked)(
                REASONS.get(status, f"OpenBao answers with an error ({status}); see its log.")
            )
        return answer.get("data") or answer.get("auth") or {}

    def _exchange(self, method: str, path: str, token: str, body: str) -> tuple[int, bytes]:
        with self.connected() as connection:
            headers = {"X-Vault-Token": token, "Content-Type": "application/json"}
            connection.request(method, f"/v1/{path}", body, headers)
            response = connection.getresponse()
            return response.status, response.read()

    def _connection(self) -> http.client.HTTPConnection:
        host, port = self._host
        if self._tls is None:
            return http.client.HTTPConnection(host, port, timeout=SECONDS)
        return http.client.HTTPSConnection(host, port, timeout=SECONDS, context=self._tls)


PASSING = (429, 472, 473)
"""A node that stands by; like all of 500 and above, it may be another one, or well, in a moment."""

REASONS = {
    403: "OpenBao refuses the token; give the server one with the policy of docs/operations.md and start again.",
    404: "The Transit key is missing in OpenBao; put it back and start again.",
    503: "OpenBao is sealed; unseal it and start again.",
}


class TransitSecrets:
    """``EpochSecrets`` that only OpenBao can open; the key store keeps their ciphertext."""

    def __init__(self, transit: Transit, random: Random) -> None:
        self._transit = transit
        self._random = random

    def make(self, after: int) -> Made:
        """Always a new version: one that is there already is a leftover of a rotation that never took effect."""
        with self._transit.connected():
            key = self._transit.key()
            if not after and key["min_available_version"]:
                raise StartRefused("The Transit key belongs to another key store; make a new one in OpenBao.")
            secret = self._random(KEY_BYTES)
            number = self._transit.rotate()
            if number <= after:
                raise Locked("The Transit key is older than the key store; put the newest one back and start again.")
            return Made(number, secret, self._transit.encrypt(number, secret, context(number)))

    def read(self, number: int, sealed: bytes) -> bytes:
        """The secret; Locked when OpenBao is not there or cannot open it."""
        if not sealed:
            raise Locked("The key store has its epoch keys in files, not in OpenBao.")
        key = self._transit.key()
        if number < key["min_decryption_version"]:
            raise Locked("The key store's epoch key is destroyed; an older copy of the key store cannot be used.")
        secret = self._transit.decrypt(sealed, context(number))
        if secret is None or len(secret) != KEY_BYTES:
            raise Locked("The Transit key does not open the key store.")
        return secret

    def erased(self, number: int) -> bool:
        """Whether OpenBao has no version that opens the secret of this epoch or of one before."""
        return int(self._transit.key()["min_available_version"]) > number

    def tidy(self, current: int) -> None:
        """Destroy the versions before this one."""
        with self._transit.connected():
            if self._transit.key()["min_available_version"] < current:
                self._transit.erase_before(current)

    def check(self) -> None:
        """Locked when OpenBao does not answer, is sealed or refuses us."""
        self._transit.key()


def context(number: int) -> bytes:
    """What an epoch's secret is bound to."""
    return Place("meta", "secret", str(number), "keystore").aad()


def encoded(content: bytes) -> str:
    """Base64, as OpenBao wants it."""
    return base64.b64encode(content).decode()
