"""Security headers stand on every response, whoever made it."""

import pytest

from tests.web.conftest import PAGES, Client, Serve

EVERY_KIND = [
    *PAGES,
    "/nowhere",
    "/.well-known/security.txt",
    "/static/css/base.css",
    "/static/nothing.js",
    "/static/locales/patient-nl.json",
    "/api/me",
    "/api/broken",
    "/api/nowhere",
]


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS"])
@pytest.mark.parametrize("path", EVERY_KIND)
async def test_every_response_carries_them(pages: Client, path: str, method: str) -> None:
    response = await pages.request(method, path, headers={"Accept": "text/html"})
    headers = response.headers
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'self';")
    for forbidden in ("unsafe-inline", "unsafe-eval", "*", "http:", "https:", "blob:", "data:", "nonce-"):
        assert forbidden not in policy
    for directive in ("frame-ancestors 'none'", "base-uri 'none'", "object-src 'none'", "form-action 'self'"):
        assert directive in policy
    permissions = headers["Permissions-Policy"].split(", ")
    for feature in ("camera", "microphone"):
        assert f"{feature}=(self)" in permissions
    assert "geolocation=()" in permissions
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"
    document = response.content_type == "text/html"
    assert headers.get("Cross-Origin-Opener-Policy") == ("same-origin" if document else None)
    assert headers.get("X-Frame-Options") == ("DENY" if document else None)
    for feature in ("encrypted-media=()", "display-capture=(self)"):
        assert (feature in permissions) == (response.content_type == "text/html")
    assert headers["Cache-Control"] == ("no-cache" if response.status == 200 and "/static/" in path else "no-store")
    assert "aiohttp" not in headers["Server"]
    assert "Python" not in headers["Server"]


async def test_a_socket_carries_them_too(pages: Client) -> None:
    async with pages.ws_connect("/socket.io/") as socket:
        assert socket._response.headers["Referrer-Policy"] == "no-referrer"


async def test_strict_transport_security_comes_with_tls_only(serve: Serve) -> None:
    plain = await (await serve()).get("/")
    assert "Strict-Transport-Security" not in plain.headers
    secure = await (await serve(tls=True)).get("/api/me")
    assert secure.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    assert "upgrade-insecure-requests" in secure.headers["Content-Security-Policy"]


async def test_an_unchanged_file_is_not_sent_again(pages: Client) -> None:
    first = await pages.get("/static/css/base.css")
    again = await pages.get("/static/css/base.css", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status, await again.read()) == (304, b"")
    assert again.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize(
    "path",
    [
        "/static/../settings.py",
        "/static/%2e%2e/settings.py",
        "/static/css/..%2f..%2fsettings.py",
        "/static//etc/passwd",
        "/static/client/README.md",
        "/static/",
    ],
)
async def test_only_what_was_read_at_start_can_be_fetched(pages: Client, path: str) -> None:
    response = await pages.get(path)
    assert response.status == 404


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/static/pages/desk.js", "text/javascript"),
        ("/static/css/base.css", "text/css"),
        ("/static/icons/mark.svg", "image/svg+xml"),
        ("/static/locales/patient-en.json", "application/json"),
    ],
)
async def test_files_say_what_they_are(pages: Client, path: str, content_type: str) -> None:
    assert (await pages.get(path)).content_type == content_type
