"""What an organisation asks of whoever comes to one of its practitioners, and its own text, in versions (S-44)."""

from collections.abc import Mapping
from typing import Annotated, Final, get_args

from pydantic import Field

from practice.accounts.model import Language
from practice.consents.model import ASKABLE, AskedConsents
from practice.consents.store import MAX_TEXT
from practice.organisation.rights import Right
from signaling.rest.endpoint import Call
from signaling.typedefs import STORE
from vault.audit import Act, Draft, practitioner
from web.account.consents import Ask
from web.forms import Fields, Form, Page
from web.locale import NAMES
from web.practice.menu import menu

LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)
Text = Annotated[str, Field(max_length=MAX_TEXT)]


class Asked(Fields):
    """All of it, in the version that the page showed; its text in each language, empty for none."""

    asks: tuple[Ask, ...] = ()
    nl: Text = ""
    en: Text = ""
    de: Text = ""
    fr: Text = ""
    version: int


async def show(call: Call) -> Mapping[str, object]:
    """As it is now, and the texts that were."""
    asking = await call.request.app[STORE].consents.house(call.scope)
    now = {one.language: one for one in asking.texts}
    return {
        "asking": asking,
        "askable": ASKABLE,
        "names": list(NAMES.items()),
        "texts": {language: now[language].text if language in now else "" for language in LANGUAGES},
        "former": [one for one in reversed(asking.texts) if one.text and now[one.language] != one],
        "most": MAX_TEXT,
        "menu": menu(call),
    }


async def ask(call: Call) -> AskedConsents:
    """Something else: a text that differs is asked of everybody anew."""
    said = call.body
    texts = {language: getattr(said, language) for language in LANGUAGES}
    return await call.request.app[STORE].consents.ask_in_house(call.scope, said.asks, texts, said.version)


def changed(call: Call, _result: object) -> Draft:
    return Draft(Act.CONSENTS_CHANGED, practitioner(call.practitioner))


ASKED: Final = Page("/practice/consents", "practice/consents.html", show, right=Right.POLICIES)

SAID: Final = {"invalid": ("asks", "asking.house.missing")}

PAGES: Final = (ASKED,)
FORMS: Final = (Form("/practice/consents/ask", ASKED, Asked, ask, done="saved", entered=changed, says=SAID),)
"""``pages`` has each page and each form."""
