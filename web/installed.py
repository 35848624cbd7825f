"""The desk as a program of its own: its manifest, and the service worker, which says that somebody waits and that there
is no connection.

The worker is of the desk alone and keeps nothing but files whose address is a hash of them. **A browser asks for it
anew at each visit**, so that once ``web.installable`` is off it gets one instead that removes what there is.
"""

import json
from typing import Final

from aiohttp import web

from web.assets import Asset
from web.headers import CONTENT_SECURITY_POLICY, PERMISSIONS_POLICY
from web.locale import CATALOGUES
from web.render import FILES, RENDERED, SETTINGS, render, spoken

SCOPE: Final = "/desk"
WORKER: Final = "/desk/worker.js"
MANIFEST: Final = "/desk/manifest.webmanifest"
OFFLINE: Final = ("css/pages/plain.css", "icons/mark.svg")
"""What the notice without a connection needs."""

ICONS: Final = (("icons/desk-192.png", "192x192", "any"), ("icons/desk-512.png", "512x512", "any"))
MASKABLE: Final = ("icons/desk-maskable-512.png", "512x512", "maskable")
COLOUR: Final = "#faf7f2"


async def manifest(request: web.Request) -> web.Response:
    """Web app manifest (W3C). The product's name, whoever uses it: it stands on a screen that others may see."""
    files = request.app[FILES]
    if not request.app[SETTINGS].installable:
        raise web.HTTPNotFound
    said = {
        "id": SCOPE,
        "name": CATALOGUES["en"].text("brand"),
        "start_url": SCOPE,
        "scope": SCOPE,
        "display": "standalone",
        "background_color": COLOUR,
        "theme_color": COLOUR,
        "icons": [
            {"src": f"{files.address}/{name}", "sizes": sizes, "type": "image/png", "purpose": purpose}
            for name, sizes, purpose in (*ICONS, MASKABLE)
        ],
    }
    return web.json_response(
        said, content_type="application/manifest+json", headers={"Cache-Control": "no-cache"}
    )  # fmt: skip


async def worker(request: web.Request) -> web.Response:
    """The worker in the language that its address asks for, or the one that removes itself."""
    language, _ = spoken(request)
    key = (WORKER, language, True)
    rendered = request.app[RENDERED]
    if key not in rendered:
        rendered[key] = Asset.of(_script(request.app, language), "text/javascript")
    response = rendered[key].response(request)
    response.headers.update({"Service-Worker-Allowed": SCOPE, "Cache-Control": "no-cache"})
    return response


def _script(app: web.Application, language: str) -> bytes:
    files = app[FILES]
    if not app[SETTINGS].installable:
        return files.assets["worker/removal.js"].body
    said = {
        "files": [f"{files.address}/{name}" for name in OFFLINE],
        "page": render(app, "offline.html", language, True, {}),
        "waits": CATALOGUES[language].text("push.waits"),
        "icon": f"{files.address}/{ICONS[0][0]}",
        "language": language,
        "headers": {
            "Content-Type": "text/html; charset=utf-8",
            "Content-Security-Policy": CONTENT_SECURITY_POLICY,
            "Permissions-Policy": PERMISSIONS_POLICY,
            "Referrer-Policy": "no-referrer",
        },
    }
    return f"self.said = {json.dumps(said)};\n".encode() + files.assets["worker/desk.js"].body
