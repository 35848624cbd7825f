"""The second step of signing in: an app with codes, recovery codes, and what is left of them."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Final

from babel import Locale
from babel.dates import format_date
from markupsafe import Markup
from pydantic import Field

from practice.accounts.model import Practitioner
from practice.factors import codes
from practice.notices.model import News, Word
from practice.organisation.rights import Right
from signaling import sessions
from signaling.rest import account
from signaling.rest.endpoint import Call
from signaling.rest.entries import own
from signaling.second_factor import set_up_by
from signaling.typedefs import SETTINGS, STORE, ZONE
from vault.audit import Act
from vault.records.writing import Along
from web.account.pages import end_others
from web.forms import NOT_ASKED, Fields, Form, Page, Password, Shown
from web.locale import CATALOGUES
from web.render import spoken

LOCALES: Final = {language: Locale.parse(language) for language in CATALOGUES}


class Confirmed(Fields):
    """The password once more."""

    password: Password = NOT_ASKED


class NewApp(Confirmed):
    """And what the app shows."""

    code: Annotated[str, Field(min_length=1, max_length=codes.LONGEST)]


async def show(call: Call) -> Mapping[str, object]:
    """What there is, and until when nothing has to be."""
    app = call.request.app
    held = await app[STORE].factors.of(call.scope)
    by = set_up_by(app[SETTINGS], held)
    words = None if by is None else day(by.astimezone(app[ZONE]()), spoken(call.request)[0])
    return {"held": held, "by": words, "demanded": app[SETTINGS].second_factor == "demanded"}


async def show_app(call: Call) -> Mapping[str, object]:
    """The secret for an app: the same as long as this session sets it up."""
    store = call.request.app[STORE]
    person = await store.practitioners.get(call.scope)
    secret = await store.factors.proposed(call.scope, str(call.session))
    return {"secret": secret, "qr": drawn(codes.address(secret, person.mail))}


async def set_app(call: Call) -> object:
    """From now on its codes are asked for."""
    person = await account.confirmed(call, call.body.password.get_secret_value())
    factors = call.request.app[STORE].factors
    made = await factors.set_totp(call.scope, str(call.session), call.body.code, news(call, person, "app-added"))
    await end_others_of(call, person)
    return told(made)


async def renew_codes(call: Call) -> object:
    """Ten others."""
    person = await account.confirmed(call, call.body.password.get_secret_value())
    made = await call.request.app[STORE].factors.new_codes(call.scope, news(call, person, "codes-made"))
    await end_others_of(call, person)
    return told(made)


async def remove_app(call: Call) -> None:
    """Its codes are worth nothing any more."""
    person = await account.confirmed(call, call.body.password.get_secret_value())
    app, gone = call.request.app, news(call, person, "app-removed")
    demanded = app[SETTINGS].second_factor == "demanded"
    await app[STORE].factors.remove(call.scope, None, demanded=demanded, along=gone)
    await end_others_of(call, person)


def news(call: Call, person: Practitioner, word: Word) -> Along:
    """A mail to who is signed in, written with what it is about."""
    return call.request.app[STORE].notices.of(person.id, News(word, person.mail, person.language))


def told(made: tuple[str, ...]) -> Shown | None:
    """Recovery codes, if there are new ones."""
    return shown_once(made) if made else None


def shown_once(made: tuple[str, ...]) -> Shown:
    """Recovery codes are seen once."""
    return Shown("account/codes.html", {"codes": [codes.shown(one) for one in made]})


async def end_others_of(call: Call, person: Practitioner) -> None:
    """Whoever was signed in otherwise signs in anew; this browser goes on, in a session that began with two factors."""
    await end_others(call)
    call.after.append(lambda response: sessions.begin(call.request, response, person, "factors"))


def day(moment: date, language: str) -> str:
    """As it is said: 13 december 2026."""
    return format_date(moment, "long", LOCALES[language])


def drawn(text: str) -> Markup:
    """A QR code, dark on light whatever the page's colours are: telephones read no other."""
    import segno  # not at each start, which it would slow down

    code = segno.make(text, error="m", micro=False)
    svg = code.svg_inline(scale=4, border=4, dark="#000", light="#fff", svgclass="qr", lineclass=None)
    return Markup(svg)  # noqa: S704 -- drawn by us, squares only


SECURITY: Final = Page("/account/security", "account/security.html", show, right=Right.ACCOUNT, who=sessions.setting_up)
APP: Final = Page("/account/security/app", "account/app.html", show_app, right=Right.ACCOUNT, who=sessions.setting_up)

WRONG: Final = {
    "sign_in_refused": ("password", "security.password.wrong"),
    "factor_refused": ("code", "error.factor_refused"),
    "bad_state": ("", "security.last"),
}

PAGES: Final = (SECURITY, APP)
FORMS: Final = (
    Form("/account/security/app/set", APP, NewApp, set_app, done="factor", goes="/account/security", says=WRONG,
         entered=own(Act.FACTOR_ADDED, "totp")),
    Form("/account/security/app/remove", SECURITY, Confirmed, remove_app, done="removed", says=WRONG,
         entered=own(Act.FACTOR_REMOVED, "totp")),
    Form("/account/security/codes", SECURITY, Confirmed, renew_codes, says=WRONG,
         entered=own(Act.RECOVERY_CODES_MADE)),
)  # fmt: skip
