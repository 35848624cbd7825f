"""Jinja2 pages: autoescaped, in the language that was chosen or asked for. Templates are read at import and compiled
at their first use: compiling all is most of what a start would cost."""

import gc
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from aiohttp import web
from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup

from signaling.typedefs import NOW, ZONE
from web.assets import Asset, Files
from web.locale import CATALOGUES, NAMES, negotiate
from web.moments import moment
from web.naming import PRACTICE
from web.settings import WebSettings
from web.storage import LANGUAGE_COOKIE

ROOT = Path(__file__).parent
SETTINGS = web.AppKey("WEB_SETTINGS", WebSettings)
FILES = web.AppKey("WEB_FILES", Files)
RENDERED = web.AppKey("WEB_RENDERED", dict[tuple[str, str, bool], Asset])
YEAR = 365 * 24 * 3600

_folder = ROOT / "templates"
_templates = {path.relative_to(_folder).as_posix(): path.read_text("utf-8") for path in sorted(_folder.rglob("*.html"))}
ENVIRONMENT = Environment(
    loader=DictLoader(_templates), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
ENVIRONMENT.globals["sprite"] = Markup((ROOT / "static/icons/sprite.svg").read_text("utf-8"))  # noqa: S704 -- our own


def icon(name: str) -> Markup:
    """One icon of the sprite; decoration only, its neighbour or parent carries the name."""
    return Markup('<svg class="icon" aria-hidden="true" focusable="false"><use href="#icon-{}"/></svg>').format(name)


ENVIRONMENT.globals["icon"] = icon


def texts(page: str, language: str) -> str:
    """Path below ``/static/`` of what the scripts of a page say."""
    return f"locales/{page}-{language}.json"


def module(address: str, scripts: Iterable[str], modules: Iterable[str]) -> Markup:
    """The tags that load ``scripts``, and at once beside them all ``modules`` they import; paths below ``address``."""
    preload = Markup('<link rel="modulepreload" href="{}/{}">')
    load = Markup('<script type="module" src="{}/{}"></script>')
    tags = [preload.format(address, name) for name in modules if name not in scripts]
    return Markup("\n  ").join([*tags, *(load.format(address, name) for name in scripts)])


def render(app: web.Application, template: str, language: str, asked: bool, context: Mapping[str, object]) -> str:
    """The page ``template`` in this language."""
    files, page = app[FILES], template.removesuffix(".html")

    def load(*scripts: str) -> Markup:
        wanted = dict.fromkeys(name for script in scripts for name in files.modules(script))
        preload = Markup('<link rel="preload" as="fetch" crossorigin href="{}/{}">\n  ')
        before = preload.format(files.address, texts(page, language)) if "pages/language.js" in wanted else Markup()
        return before + module(files.address, scripts, wanted)

    written = ENVIRONMENT.get_template(template).render(
        t=CATALOGUES[language].text,
        language=language,
        asked=asked,
        languages={code: NAMES[code] for code in CATALOGUES},
        settings=app[SETTINGS],
        practice=app[PRACTICE].profile,
        style=app[PRACTICE].style,
        logo=app[PRACTICE].logo,
        page=page,
        static=files.address,
        module=load,
        moment=lambda at: moment(at, app[NOW](), app[ZONE](), language),
        **context,
    )
    # What a template imports with its context is in a cycle with it: all that the page shows would stay in memory.
    gc.collect(1)
    return written


def page(request: web.Request, template: str, *, status: int = 200, **context: object) -> web.Response:
    """The page ``template`` in the language of this request; ``context`` is the same in every request.

    ``?lang=`` is a choice by the person and is remembered in a cookie; nothing else sets one. Pages are compressed:
    nothing in them is secret and nothing of the request is repeated in them, so their size tells nothing (BREACH).
    """
    language, asked = spoken(request)
    rendered, key = request.app[RENDERED], (template, language, asked)
    if key not in rendered:
        rendered[key] = Asset.of(render(request.app, template, language, asked, context).encode(), "text/html")
    response = rendered[key].response(request)
    return _in_language(request, response, language, status)


def form_page(request: web.Request, template: str, context: Mapping[str, object], *, status: int = 200) -> web.Response:
    """A page for one reader: never kept, and not compressed, as it holds secrets beside what was typed (BREACH).

    Its address may be one, so no other address is told it. Where it came from its forms do say: a browser that says
    nothing at all calls its origin ``null``, which is nobody's (Fetch, *append a request Origin header*).
    """
    language, asked = spoken(request)
    html = render(request.app, template, language, asked, context)
    headers = {"Referrer-Policy": "strict-origin"}
    response = web.Response(text=html, content_type="text/html", charset="utf-8", headers=headers)
    return _in_language(request, response, language, status)


def spoken(request: web.Request) -> tuple[str, bool]:
    """The language of this request, and whether the person or the browser said anything about it."""
    wish = request.query.get("lang")
    chosen = wish if wish in CATALOGUES else request.cookies.get(LANGUAGE_COOKIE)
    return negotiate(chosen, request.headers.get("Accept-Language", ""), request.app[PRACTICE].profile.language)


def translated(request: web.Request) -> Callable[..., str]:
    """The texts in the language of this request."""
    return CATALOGUES[spoken(request)[0]].text


def _in_language(request: web.Request, response: web.Response, language: str, status: int) -> web.Response:
    response.set_status(status)
    response.headers["Content-Language"] = language
    response.headers["Vary"] = "Accept-Encoding, Accept-Language, Cookie"
    if request.query.get("lang") in CATALOGUES:
        response.set_cookie(LANGUAGE_COOKIE, language, max_age=YEAR, samesite="Lax", secure=request.secure)
    return response
