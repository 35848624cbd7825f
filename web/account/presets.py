"""What a practitioner plans often, to be chosen where an appointment is made: how long it takes, in which language."""

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import Field

from practice.accounts.model import Language
from practice.agenda.changes import MINUTES
from practice.organisation.rights import Right
from practice.presets.model import Preset, Presets
from practice.presets.store import MAX_NAME
from signaling.rest.endpoint import Call
from signaling.typedefs import STORE
from vault.audit import Act, Draft, practitioner
from web.forms import Fields, Form, Page
from web.locale import NAMES
from web.render import spoken


class Made(Fields):
    """One more, in the version of them that the page showed."""

    name: Annotated[str, Field(min_length=1, max_length=MAX_NAME)]
    minutes: Annotated[int, Field(ge=MINUTES.start, lt=MINUTES.stop)]
    language: Language
    version: int


class Named(Fields):
    """One of them."""

    name: Annotated[str, Field(min_length=1, max_length=MAX_NAME)]
    version: int


async def show(call: Call) -> Mapping[str, object]:
    """As they are now."""
    found = await call.request.app[STORE].presets.of(call.scope)
    return {
        "presets": [(one, NAMES[one.language]) for one in found.presets],
        "version": found.version,
        "names": list(NAMES.items()),
        "spoken": spoken(call.request)[0],
        "most": MAX_NAME,
        "bounds": (MINUTES.start, MINUTES.stop - 1),
    }


async def add(call: Call) -> Presets:
    """One more, or another of the same name."""
    said = call.body
    preset = Preset(said.name, said.minutes, said.language)
    found: Presets = await call.request.app[STORE].presets.add(call.scope, preset, said.version)
    return found


async def remove(call: Call) -> Presets:
    """All but one."""
    found: Presets = await call.request.app[STORE].presets.remove(call.scope, call.body.name, call.body.version)
    return found


def changed(call: Call, _result: object) -> Draft:
    return Draft(Act.PRESETS_CHANGED, practitioner(call.practitioner))


OFTEN: Final = Page("/account/presets", "account/presets.html", show, right=Right.AGENDA)

PAGES: Final = (OFTEN,)
FORMS: Final = (
    Form("/account/presets/add", OFTEN, Made, add, done="saved", entered=changed),
    Form("/account/presets/remove", OFTEN, Named, remove, done="removed", entered=changed),
)
"""``pages`` has each page and each form."""
