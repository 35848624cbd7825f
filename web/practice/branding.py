"""How an organisation's pages look: its colours, which everybody can read, and its logo."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Final

from pydantic import Field

from practice.organisation.model import Colours, Organisation
from practice.organisation.rights import Right
from signaling.rest.endpoint import Call
from signaling.rest.entries import own
from signaling.typedefs import INTAKE, STORE
from vault.audit import Act
from web.colours import Theme, nearest, passes, reached, tokens
from web.forms import Fields, Form, Page, Wrong
from web.forms.fields import Sent
from web.forms.state import State
from web.naming import PRACTICE
from web.pictures import SAYS, taken
from web.practice.menu import menu
from web.practice.organisation import CHANGED

Colour = Annotated[str, Field(pattern=r"^#[0-9A-Fa-f]{6}$")]


class Chosen(Fields):
    """For light pages and, where that is ticked, another one for dark pages; in the version that the page showed."""

    light: Colour
    apart: bool = False
    dark: Colour
    version: int


class Seen(Fields):
    """The version that the page showed."""

    version: int


class Nothing(Fields):
    """A button."""


async def show(call: Call) -> Mapping[str, object]:
    """As it is now."""
    found = await call.request.app[STORE].organisation.get(call.scope)
    own, logo = found.profile.colours, await call.request.app[STORE].pictures.logo(call.scope)
    return {
        "named": bool(call.request.app[PRACTICE].of(found).name),
        "own": own,
        "light": own.light if own else tokens("light")["action"],
        "dark": own.dark if own else tokens("dark")["action"],
        "apart": own is not None and own.dark != nearest(own.light, "dark"),
        "suggested": suggested,
        "version": found.version,
        "has_logo": logo.there,
        "logo_version": logo.version,
        "takes_files": call.request.app[INTAKE].on,
        "menu": menu(call),
    }


async def choose(call: Call) -> Organisation:
    """Other colours. Errors: ``Wrong``, for one in which text could not be read by everybody."""
    typed: Chosen = call.body
    light = typed.light.lower()
    asked: dict[Theme, str] = {"light": light}
    if typed.apart:
        asked["dark"] = typed.dark.lower()
    weak = {theme: colour for theme, colour in asked.items() if not passes(colour, theme)}
    if weak:
        raise Wrong(
            dict.fromkeys(weak, "contrast"),
            {theme: said(colour, theme) for theme, colour in weak.items()},
        )
    return await keep(call, Colours(light, asked.get("dark") or nearest(light, "dark")))


def said(colour: str, theme: Theme) -> dict[str, str]:
    """What is told of a colour that does not pass. The value is cut off, not rounded: 4.499 is no 4.5."""
    return {"reached": f"{int(reached(colour, theme) * 10) / 10:.1f}", "nearest": nearest(colour, theme)}


def suggested(form: State) -> Mapping[Theme, str] | None:
    """For a form that came back with colours: the nearest of each that pass."""
    try:
        typed = Sent(form.typed).checked(Chosen)
    except Wrong:
        return None
    return {"light": nearest(typed.light.lower(), "light"), "dark": nearest(typed.dark.lower(), "dark")}


async def reset(call: Call) -> Organisation:
    """Our colours again."""
    return await keep(call, None)


class Logo(Fields):
    """A file, in the version that the page showed."""

    picture: Annotated[bytes, Field(min_length=1)]
    version: int


async def set_logo(call: Call) -> None:
    """Another one, as it was encoded here."""
    app = call.request.app
    made = await taken(call, call.body.picture, "logo")
    await app[STORE].pictures.set_logo(call.scope, made, call.body.version)
    await app[PRACTICE].look(app)


async def drop_logo(call: Call) -> None:
    """None any more."""
    app = call.request.app
    await app[STORE].pictures.drop_logo(call.scope)
    await app[PRACTICE].look(app)


async def keep(call: Call, colours: Colours | None) -> Organisation:
    """All else that the organisation says of itself stays."""
    app = call.request.app
    organisation = app[STORE].organisation
    profile = replace(app[PRACTICE].of(await organisation.get(call.scope)), colours=colours)
    changed = await organisation.change(call.scope, profile, call.body.version)
    await app[PRACTICE].look(app)
    return changed


LOGO_CHANGED: Final = own(Act.PICTURE_CHANGED, "logo")
BRANDING: Final = Page("/practice/branding", "practice/branding.html", show, right=Right.ORGANISATION)

PAGES: Final = (BRANDING,)
FORMS: Final = (
    Form("/practice/branding/colours", BRANDING, Chosen, choose, done="saved", entered=CHANGED),
    Form("/practice/branding/standard", BRANDING, Seen, reset, done="saved", entered=CHANGED),
    Form("/practice/branding/logo", BRANDING, Logo, set_logo, done="saved", entered=LOGO_CHANGED, says=SAYS),
    Form("/practice/branding/no-logo", BRANDING, Nothing, drop_logo, done="removed", entered=LOGO_CHANGED),
)
"""``pages`` has each page and each form."""
