"""A push service of our own on loopback (RFC 8030) that believes nothing: VAPID (RFC 8292) is checked by itself."""

import json
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import web
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from practice.outgoing import Door
from practice.settings import PracticeSettings, PushSettings
from tests.servers.sms import SmsServer, running

Said = int | tuple[int, dict[str, str]]


def unpadded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def signed_by(token: str, point: bytes) -> dict[str, Any]:
    """What a token claims, whose ES256 signature (RFC 7518 section 3.4) is of the key with this point."""
    head, claims, signature = token.split(".")
    assert json.loads(unpadded(head))["alg"] == "ES256"
    raw = unpadded(signature)
    assert len(raw) == 64
    pair = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    key.verify(pair, f"{head}.{claims}".encode(), ec.ECDSA(SHA256()))
    found = json.loads(unpadded(claims))
    assert isinstance(found, dict)
    return found


@dataclass
class PushService:
    """``says`` are its answers, in order; after them 201. ``woken`` are the paths of what it took, ``wrong`` is what
    was not as it must be.
    """

    server: SmsServer
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    says: list[Said] = field(default_factory=list)
    woken: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    ttls: list[int] = field(default_factory=list)
    claims: list[dict[str, Any]] = field(default_factory=list)

    def endpoint(self, name: str = "one") -> str:
        return self.server.url(f"/push/{name}")

    def settings(self, hosts: Sequence[str] = ("localhost",)) -> PracticeSettings:
        return PracticeSettings(push=PushSettings(hosts=list(hosts), ca_file=self.server.authority))

    def door(self) -> Door:
        return Door.of(self.settings())

    async def answer(self, request: web.Request) -> web.StreamResponse:
        try:
            await self.check(request)
        except (AssertionError, ValueError, KeyError, InvalidSignature) as error:
            self.wrong.append(repr(error))
            return web.Response(status=400)
        said = self.says.pop(0) if self.says else 201
        status, headers = said if isinstance(said, tuple) else (said, {})
        if status == 201:
            self.woken.append(request.path)
        return web.Response(status=status, headers=headers)

    async def check(self, request: web.Request) -> None:
        headers = request.headers
        scheme, _, parameters = headers["Authorization"].partition(" ")
        given = dict(one.strip().split("=", 1) for one in parameters.split(","))
        assert request.method == "POST" and scheme == "vapid" and given.keys() == {"t", "k"}
        claims = signed_by(given["t"], unpadded(given["k"]))
        assert claims["aud"] == f"https://localhost:{self.server.port}"
        ends = datetime.fromtimestamp(claims["exp"], UTC)
        assert self.now < ends <= self.now + timedelta(hours=24)
        assert await request.read() == b"" and headers["Content-Length"] == "0"
        assert "Content-Encoding" not in headers and headers["Urgency"] == "high" and headers["Topic"] == "waiting"
        self.ttls.append(int(headers["TTL"]))
        self.claims.append(claims)


@asynccontextmanager
async def pushing(folder: Path, now: datetime | None = None) -> AsyncIterator[PushService]:
    """Under a certificate for ``localhost``; ``now`` is by its clock."""
    async with running(folder) as server:
        made = PushService(server)
        made.now = now or made.now
        server.answer = made.answer
        yield made
        assert made.wrong == []
