"""The pages on a server of their own; what they fetch is the business of other tests."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from web import routes
from web.bare import without_comments
from web.settings import WebSettings

STATIC = Path(routes.__file__).parent / "static"
TEMPLATES = Path(routes.__file__).parent / "templates"
PAGES = ["/", "/signin", "/desk", "/c", "/c/code", "/privacy", "/agreement", "/agreement/annex"]
LANGUAGES = ["nl", "en", "de", "fr"]

Client = TestClient[web.Request, web.Application]
Serve = Callable[..., Awaitable[Client]]


def application(settings: WebSettings | None = None, *, tls: bool = False) -> web.Application:
    """The pages, and a few routes as the signaling side has them."""
    app = web.Application()

    async def json(request: web.Request) -> web.Response:
        return web.json_response({})

    async def broken(request: web.Request) -> web.Response:
        raise web.HTTPInternalServerError

    async def socket(request: web.Request) -> web.WebSocketResponse:
        response = web.WebSocketResponse()
        await response.prepare(request)
        await response.close()
        return response

    app.router.add_get("/api/me", json)
    app.router.add_get("/api/broken", broken)
    app.router.add_get("/socket.io/", socket)
    routes.attach(app, settings, tls=tls)
    return app


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    clients: list[Client] = []

    async def start(settings: WebSettings | None = None, *, tls: bool = False) -> Client:
        client = TestClient(TestServer(application(settings, tls=tls)))
        await client.start_server()
        clients.append(client)
        return client

    yield start
    for client in clients:
        await client.close()


@pytest.fixture
async def pages(serve: Serve) -> Client:
    return await serve()


class Elements(HTMLParser):
    """All start tags of a page with their attributes, and the visible text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.inline: list[str] = []
        self._inside: str | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self._inside = tag if tag in ("script", "style") else None

    def handle_endtag(self, tag: str) -> None:
        self._inside = None

    def handle_data(self, data: str) -> None:
        if self._inside and data.strip():
            self.inline.append(data)
        else:
            self.text += data

    def with_attribute(self, name: str) -> list[tuple[str, dict[str, str]]]:
        return [(tag, attributes) for tag, attributes in self.elements if name in attributes]

    def all(self, name: str) -> list[str]:
        return [attributes[name] for _, attributes in self.with_attribute(name)]


async def read(client: Client, path: str, language: str = "nl") -> Elements:
    response = await client.get(path, headers={"Accept-Language": language, "Accept": "text/html"})
    return Elements(await response.text())


def scripts() -> dict[str, str]:
    """Name to source of every page script."""
    return {path.name: path.read_text() for path in sorted((STATIC / "pages").glob("*.js"))}


def imported_by(script: str) -> set[str]:
    """All files below /static/ that a page loads with this script, by its static imports."""
    found: set[str] = set()
    waiting = [script]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        path = STATIC / name
        targets = re.findall(r"""(?:from|import)\s*['"](\.[^'"]+)['"]""", without_comments(path.read_text()))
        waiting += [(path.parent / target).resolve().relative_to(STATIC).as_posix() for target in targets]
    return found
