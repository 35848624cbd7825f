"""A whole application, and the pages that are forms as a browser without scripts has them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import aiohttp
import pytest

from tests.signaling.conftest import (  # noqa: F401 -- fixtures
    Server,
    first_start,
    mailing,
    opening,
    redis,
    redis_address,
    server,
    server_practice,
    server_settings,
    server_zone,
    started,
)
from tests.web.conftest import Elements

URLENCODED = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html", "Accept-Language": "nl"}


BOUNDARY = b"----formBoundary7MA4YWxkTrZu0gW"
DISPOSITION = "Content-Disposition: form-data"


@dataclass
class Seen:
    """What came."""

    status: int
    headers: Mapping[str, str]
    html: str
    body: bytes = b""
    elements: Elements = field(init=False)

    def __post_init__(self) -> None:
        self.elements = Elements(self.html)

    @property
    def location(self) -> str:
        """Where a browser goes on to."""
        return self.headers["Location"]

    def hidden(self, name: str) -> str:
        """The first hidden field of this name."""
        return next(one["value"] for tag, one in self.elements.elements if tag == "input" and one.get("name") == name)

    def field(self, name: str) -> dict[str, str]:
        """The attributes of a field."""
        return next(one for _, one in self.elements.with_attribute("name") if one["name"] == name)

    def described(self, name: str) -> str:
        """What is said beside a field."""
        ids = self.field(name).get("aria-describedby", "").split()
        return " ".join(" ".join(re.findall(rf'id="{one}">([^<]*)<', self.html)) for one in ids)


@dataclass
class Browser:
    """Somebody's, without scripts."""

    server: Server
    who: str

    async def get(self, path: str) -> Seen:
        headers = {"Accept": "text/html", "Accept-Language": "nl"}
        return await self._ask("GET", path, None, headers)

    async def send(self, path: str, body: bytes | str, **headers: str) -> Seen:
        data = body if isinstance(body, bytes) else body.encode()
        return await self._ask("POST", path, data, URLENCODED | headers)

    async def upload(self, path: str, file: bytes, **fields: str) -> Seen:
        """A form whose file is called ``picture``, as a browser sends it."""
        texts = {"form_token": await self.token()} | fields
        parts = [f'{DISPOSITION}; name="{one}"\r\n\r\n{value}'.encode() for one, value in texts.items()]
        head = f'{DISPOSITION}; name="picture"; filename="../x.svg"\r\nContent-Type: text/html\r\n\r\n'
        body = b"".join(b"--" + BOUNDARY + b"\r\n" + one + b"\r\n" for one in [*parts, head.encode() + file])
        content_type = f"multipart/form-data; boundary={BOUNDARY.decode()}"
        return await self.send(path, body + b"--" + BOUNDARY + b"--\r\n", **{"Content-Type": content_type})

    async def token(self) -> str:
        """That of the forms."""
        return (await self.get("/account")).hidden("form_token")

    async def _ask(self, method: str, path: str, data: bytes | None, headers: dict[str, str]) -> Seen:
        jar = self.server.jars.setdefault(self.who, aiohttp.CookieJar(unsafe=True))
        sent = {"Origin": self.server.origin} if method == "POST" else {}
        sent = {name: value for name, value in (sent | headers).items() if value}
        url = f"http://127.0.0.1:{self.server.port}{path}"
        async with (
            aiohttp.ClientSession(cookie_jar=jar) as session,
            session.request(method, url, data=data, headers=sent, allow_redirects=False) as answer,
        ):
            body = await answer.read()
            return Seen(answer.status, answer.headers, body.decode("utf-8", "replace"), body)


@pytest.fixture
async def alice(server: Server) -> Browser:  # noqa: F811
    await server.sign_in("alice")
    return Browser(server, "alice")
