"""Every address that a person's browser opens."""

from zoneinfo import ZoneInfo

from aiohttp import web

from signaling.typedefs import ZONE
from web import assets, headers, pages, reference
from web.locale import CATALOGUES, families
from web.render import FILES, RENDERED, SETTINGS, texts
from web.settings import WebSettings


def attach(app: web.Application, settings: WebSettings | None = None, *, tls: bool = False) -> None:
    """Add the pages to ``app`` and the security headers to all its responses.

    ``tls``: browsers reach this server over https (the origin says so), which turns on HSTS.
    """
    app[SETTINGS], app[RENDERED] = settings or WebSettings(), {}
    app[ZONE] = ZoneInfo(app[SETTINGS].timezone)
    found = {**assets.read(), **assets.styles(assets.read())}
    for script in ("desk", "patient", "signin"):
        used = assets.Files(found).modules(f"pages/{script}.js")
        words = families(found[name].body.decode() for name in used)
        for language, catalogue in CATALOGUES.items():
            found[texts(script, language)] = assets.Asset.of(catalogue.json(words), "application/json")
    app[FILES] = files = assets.Files(found)

    app.router.add_get("/", pages.home, name="home")
    app.router.add_get("/signin", pages.sign_in, name="signin")
    app.router.add_get("/desk", pages.desk, name="desk")
    app.router.add_get("/c", pages.patient, name="patient")
    app.router.add_get("/privacy", pages.privacy, name="privacy")
    app.router.add_get("/api", reference.api, name="api")
    app.router.add_get("/.well-known/security.txt", pages.security_txt, name="security.txt")
    app.router.add_get("/static/{name:.+}", assets.handler(files), name="static")

    app.middlewares.append(pages.neutral_errors)
    headers.attach(app, tls=tls)
