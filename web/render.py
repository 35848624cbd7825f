"""Jinja2 pages: autoescaped, in the language that was chosen or asked for. Templates are compiled once, at import."""

from pathlib import Path

from aiohttp import web
from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup

from web.locale import CATALOGUES, NAMES, negotiate
from web.settings import WebSettings
from web.storage import LANGUAGE_COOKIE

ROOT = Path(__file__).parent
SETTINGS = web.AppKey("WEB_SETTINGS", WebSettings)
YEAR = 365 * 24 * 3600

_templates = {path.name: path.read_text("utf-8") for path in sorted((ROOT / "templates").iterdir())}
ENVIRONMENT = Environment(
    loader=DictLoader(_templates), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
ENVIRONMENT.globals["sprite"] = Markup((ROOT / "static/icons/sprite.svg").read_text("utf-8"))  # noqa: S704 -- our own
for _name in _templates:
    ENVIRONMENT.get_template(_name)


def icon(name: str) -> Markup:
    """One icon of the sprite; decoration only, its neighbour or parent carries the name."""
    return Markup('<svg class="icon" aria-hidden="true" focusable="false"><use href="#icon-{}"/></svg>').format(name)


ENVIRONMENT.globals["icon"] = icon


def page(request: web.Request, template: str, *, status: int = 200, **context: object) -> web.Response:
    """The page ``template`` in the language of this request.

    ``?lang=`` is a choice by the person and is remembered in a cookie; nothing else sets one.
    """
    settings = request.app[SETTINGS]
    wish = request.query.get("lang")
    chosen = wish if wish in CATALOGUES else request.cookies.get(LANGUAGE_COOKIE)
    language, asked = negotiate(chosen, request.headers.get("Accept-Language", ""), settings.language)
    html = ENVIRONMENT.get_template(template).render(
        t=CATALOGUES[language].text,
        language=language,
        asked=asked,
        languages={code: NAMES[code] for code in CATALOGUES},
        settings=settings,
        path=request.path,
        **context,
    )
    response = web.Response(text=html, content_type="text/html", status=status)
    response.headers["Content-Language"] = language
    response.headers["Vary"] = "Accept-Language, Cookie"
    if wish in CATALOGUES:
        response.set_cookie(LANGUAGE_COOKIE, language, max_age=YEAR, samesite="Lax", secure=request.secure)
    return response
