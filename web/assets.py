"""Static files, read, stripped of comments and compressed once when the application is built.

A request never touches the disk, so it cannot block the loop and no path can leave the folder. A page names its files
below ``/static/<version>/``, where the version is a hash of them all: relative imports stay inside, what was fetched
once is kept for good, and after an update no page mixes old and new modules. Under any other version, such as that of
another node during an update, and under none the present file is given and revalidated by its ETag.
"""

import gzip
import hashlib
import mimetypes
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path, PurePosixPath
from posixpath import normpath

from aiohttp import web

from web.bare import SCRIPT, STYLE, without_comments

ROOT = Path(__file__).parent / "static"
TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".wasm": "application/wasm",
}
TEXT = frozenset({"text/html", "text/javascript", "text/css", "image/svg+xml", "application/json", "text/plain"})
NOT_SERVED = frozenset({".md", ".ts", ".py"})
COMMENTS = {".js": SCRIPT, ".css": STYLE}

STYLES = {
    "plain": (),
    "entrance": ("entrance",),
    "prose": ("prose",),
    "forms": ("prose", "forms"),
    "masking": ("prose", "forms", "masking"),
    "patient": ("patient", "call", "call-bar", "chat", "call-small"),
    "desk": ("waiting", "desk", "agenda", "call", "call-bar", "chat", "call-small"),
}
"""The style sheets of each kind of page, joined in this order to one file: a request costs more than its rules."""

IMPORT = re.compile(r"""^(?:import|export)\b[^'";]*?['"](\.[^'"]+)['"]""", re.MULTILINE)
VERSION = re.compile(r"([0-9a-f]{16})/(.+)")
FOR_GOOD = "max-age=31536000, immutable"


def takes_gzip(request: web.Request) -> bool:
    """Whether Accept-Encoding allows gzip (RFC 9110 12.5.3)."""
    for part in request.headers.get("Accept-Encoding", "").lower().split(","):
        coding, _, weight = part.partition(";")
        if coding.strip() == "gzip":
            return not re.fullmatch(r"q=0(\.0*)?", weight.strip())
    return False


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

    def response(self, request: web.Request) -> web.Response:
        """As this client takes it: compressed or not."""
        pack = self.packed is not None and takes_gzip(request)
        return web.Response(
            body=self.packed if pack else self.body,
            content_type=self.content_type,
            charset="utf-8" if self.content_type in ("text/html", "text/plain") else None,
            headers={"Vary": "Accept-Encoding"} | ({"Content-Encoding": "gzip"} if pack else {}),
        )


@dataclass(frozen=True)
class Files:
    """All that is served, by path under ``/static/``."""

    assets: Mapping[str, Asset]

    @cached_property
    def version(self) -> str:
        """16 hex digits that change with any of the files."""
        told = "".join(f"{name} {asset.etag}\n" for name, asset in sorted(self.assets.items()))
        return hashlib.sha256(told.encode()).hexdigest()[:16]

    @property
    def address(self) -> str:
        """Where the files of this version are, without a slash at its end."""
        return f"/static/{self.version}"

    def modules(self, script: str) -> list[str]:
        """``script`` and all that it imports, once each, the importing before the imported."""
        found = [script]
        for name in found:
            folder = PurePosixPath(name).parent
            for target in IMPORT.findall(self.assets[name].body.decode()):
                path = normpath(str(folder / target))
                if path not in found:
                    found.append(path)
        return found


def content_type_of(path: Path) -> str:
    return TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "text/plain"


@cache
def read(root: Path = ROOT) -> Mapping[str, Asset]:
    """Path under ``/static/`` to asset, of every file that is served; once per process. Other people's stay whole."""
    found = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.is_file() and path.suffix not in NOT_SERVED and not any(part[0] == "." for part in name.split("/")):
            body = path.read_bytes()
            if path.suffix in COMMENTS and "vendor" not in path.parts:
                body = without_comments(body.decode(), COMMENTS[path.suffix]).encode()
            found[name] = Asset.of(body, content_type_of(path))
    return found


def styles(read: Mapping[str, Asset]) -> dict[str, Asset]:
    """``css/pages/<kind>.css`` for each kind of page."""
    joined = {}
    for kind, own in STYLES.items():
        names = ("tokens", "base", "controls", "dialogs", *own, "preferences")
        joined[f"css/pages/{kind}.css"] = Asset.of(b"".join(read[f"css/{name}.css"].body for name in names), "text/css")
    return joined


def handler(files: Files) -> Callable[[web.Request], Awaitable[web.Response]]:
    """A request handler for ``/static/{name:.+}``."""

    async def static(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        versioned = VERSION.fullmatch(name)
        asset = files.assets.get(versioned[2] if versioned else name)
        if asset is None:
            raise web.HTTPNotFound
        if versioned and versioned[1] == files.version:
            response = asset.response(request)
            response.headers["Cache-Control"] = FOR_GOOD
            return response
        same = asset.etag in {tag.value for tag in request.if_none_match or ()}
        response = web.Response(status=304) if same else asset.response(request)
        response.headers.update({"Cache-Control": "no-cache", "ETag": f'"{asset.etag}"', "Vary": "Accept-Encoding"})
        return response

    return static
