"""Static files, read and compressed once when the application is built.

A request never touches the disk, so it cannot block the loop and no path can leave the folder. Everything is
revalidated by its ETag: after an update no page mixes old and new modules.
"""

import gzip
import hashlib
import mimetypes
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from aiohttp import web

ROOT = Path(__file__).parent / "static"
TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".wasm": "application/wasm",
}
TEXT = frozenset({"text/javascript", "text/css", "image/svg+xml", "application/json", "text/plain"})
NOT_SERVED = frozenset({".md", ".ts", ".py"})


@dataclass(frozen=True)
class Asset:
    """One file as it is sent: ``packed`` is its gzip form, when that is smaller."""

    body: bytes
    packed: bytes | None
    content_type: str
    etag: str

    @classmethod
    def of(cls, body: bytes, content_type: str) -> "Asset":
        packed = gzip.compress(body, 9, mtime=0) if content_type in TEXT else None
        if packed is not None and len(packed) >= len(body):
            packed = None
        return cls(body, packed, content_type, hashlib.sha256(body).hexdigest()[:32])


def content_type_of(path: Path) -> str:
    return TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "text/plain"


@cache
def read(root: Path = ROOT) -> Mapping[str, Asset]:
    """Path under ``/static/`` to asset, of every file that is served; once per process."""
    found = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.is_file() and path.suffix not in NOT_SERVED and not any(part[0] == "." for part in name.split("/")):
            found[name] = Asset.of(path.read_bytes(), content_type_of(path))
    return found


def handler(assets: Mapping[str, Asset]) -> Callable[[web.Request], Awaitable[web.Response]]:
    """A request handler for ``/static/{name:.+}``."""

    async def static(request: web.Request) -> web.Response:
        asset = assets.get(request.match_info["name"])
        if asset is None:
            raise web.HTTPNotFound
        headers = {"ETag": f'"{asset.etag}"', "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
        if asset.etag in {tag.value for tag in request.if_none_match or ()}:
            return web.Response(status=304, headers=headers)
        body = asset.body
        if asset.packed is not None and "gzip" in request.headers.get("Accept-Encoding", ""):
            body = asset.packed
            headers["Content-Encoding"] = "gzip"
        charset = "utf-8" if asset.content_type in TEXT else None
        return web.Response(body=body, content_type=asset.content_type, charset=charset, headers=headers)

    return static
