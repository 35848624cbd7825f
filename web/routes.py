"""Every address that a person's browser opens."""

from functools import cache
from typing import Final

from aiohttp import web

from signaling.typedefs import POST, REQUESTING, STORE, ZONE
from web import (
    agreements,
    assets,
    booking,
    branding,
    consents,
    forms,
    headers,
    installed,
    open_hour,
    pages,
    pictures,
    post,
    questions,
    reference,
)
from web.account import (
    assistants,
    bank,
    before,
    export,
    feed,
    first,
    forgotten,
    importing,
    invited,
    legal,
    mail,
    newsletter,
    notices,
    particulars,
    passkeys,
    photograph,
    presets,
    register,
    security,
    sights,
)
from web.account import booking as offered
from web.account import consents as asking
from web.account import open_hour as receiving
from web.account import pages as account
from web.account import questions as questionnaires
from web.locale import CATALOGUES, families
from web.naming import PRACTICE, Practice, looking
from web.practice import (
    arrivals,
    audit,
    breaches,
    contacts,
    correcting,
    departments,
    ending,
    handing_over,
    invitations,
    mail_domains,
    mail_server,
    organisation,
    papers,
    passing_on,
    people,
    policies,
    record,
    recovery,
    report,
    served,
    service_notices,
    sms,
    statistics,
)
from web.practice import branding as looks
from web.practice import consents as house_asks
from web.practice import newsletter as newsletters
from web.practice import sights as others_sights
from web.render import FILES, RENDERED, SETTINGS, texts
from web.requests import identity, officer, own, reports
from web.requests import public as requested
from web.rights import entrance, sections
from web.settings import WebSettings

PUBLIC: Final = (
    "/",
    "/signin",
    "/desk",
    "/desk/worker.js",
    "/desk/manifest.webmanifest",
    "/c",
    "/c/code",
    "/privacy",
    "/agreement",
    "/agreement/annex",
    "/api",
    "/.well-known/security.txt",
    "/static/{name}",
    "/branding/{name}",
    "/photographs/{name}",
    "/calendar/{token}.ics",
)
"""The same for everybody, with nothing of anybody in it."""

ACCOUNTS: Final = (
    *(account, presets, particulars, bank, photograph, mail, security, passkeys, assistants, sights, feed),
    *(export, importing),
    *(offered, receiving, newsletter, notices),
    *(asking, before, questionnaires),
    legal,
    *(forgotten, first, invited, register),
)
PEOPLE: Final = (
    contacts,
    *(people, departments, invitations, arrivals, recovery, ending, handing_over, others_sights, served, correcting),
    passing_on,
)
PRACTICES: Final = (
    *(*PEOPLE, organisation, looks, policies, mail_server, sms, mail_domains),
    *(audit, record, report, statistics, newsletters, service_notices),
    house_asks,
    papers,
    breaches,
)
PARTS: Final = (
    agreements,
    *ACCOUNTS,
    *PRACTICES,
    consents,
    questions,
    entrance,
    *sections.MODULES,
    *(requested, own, officer, identity, reports),
    open_hour,
    booking,
)  # a time of its own name comes first
PAGES: Final[tuple[forms.Page, ...]] = tuple(page for part in PARTS for page in part.PAGES)
FORMS: Final[tuple[forms.Form, ...]] = tuple(form for part in PARTS for form in part.FORMS)
"""What is of somebody: each names its right."""

POSTED: Final = (newsletter.LEAVE,)
"""What other programs than browsers send to, without a cookie and without a form of ours."""


@cache
def served_files() -> assets.Files:
    """Those of ``static``, and what is made of them and of the texts; once per process."""
    found = {**assets.read(), **assets.styles(assets.read())}
    for script in ("desk", "patient", "guest", "code", "signin"):
        used = assets.Files(found).modules(f"pages/{script}.js")
        words = families(found[name].body.decode() for name in used)
        for language, catalogue in CATALOGUES.items():
            found[texts(script, language)] = assets.Asset.of(catalogue.json(words), "application/json")
    for language, catalogue in CATALOGUES.items():
        for later in ("queue", "devices", "group"):
            found[texts(later, language)] = assets.Asset.of(catalogue.json({later}), "application/json")
    return assets.Files(found)


def attach(app: web.Application, settings: WebSettings | None = None, *, tls: bool = False) -> None:
    """Add the pages to ``app`` and the security headers to all its responses.

    ``tls``: browsers reach this server over https (the origin says so), which turns on HSTS.
    """
    app[SETTINGS], app[RENDERED] = settings or WebSettings(), {}
    app[PRACTICE] = practice = Practice(app[SETTINGS], app[RENDERED].clear)
    app[ZONE] = practice.zone
    if REQUESTING in app:
        app[REQUESTING].authority, app[REQUESTING].officer = app[SETTINGS].authority.web, app[SETTINGS].dpo.mail
    if STORE in app:
        app.cleanup_ctx.append(looking)
    app[FILES] = files = served_files()

    app.router.add_get("/", pages.home, name="home")
    app.router.add_get("/signin", pages.sign_in, name="signin")
    app.router.add_get("/desk", pages.desk, name="desk")
    app.router.add_get(installed.WORKER, installed.worker, name="worker")
    app.router.add_get(installed.MANIFEST, installed.manifest, name="manifest")
    app.router.add_get("/c", pages.patient, name="patient")
    app.router.add_get("/c/code", pages.code, name="code")
    app.router.add_get("/privacy", pages.privacy, name="privacy")
    app.router.add_get("/agreement", agreements.agreement, name="agreement")
    app.router.add_get("/agreement/annex", agreements.annex, name="annex")
    app.router.add_get("/api", reference.api, name="api")
    app.router.add_get("/.well-known/security.txt", pages.security_txt, name="security.txt")
    app.router.add_get("/photographs/{name}", pictures.serve, name="photographs")
    app.router.add_get("/calendar/{token}.ics", feed.serve, name="calendar")
    app.router.add_get("/branding/{name}", branding.serve, name="branding")
    app.router.add_get("/static/{name:.+}", assets.handler(files), name="static")

    forms.attach(app, PAGES, FORMS)
    app.router.add_post(newsletter.LEAVE, newsletter.one_click, name="one-click")
    if (kept := app.get(POST)) is not None:
        post.attach(app, kept)

    app.middlewares.append(pages.neutral_errors)
    headers.attach(app, tls=tls)
