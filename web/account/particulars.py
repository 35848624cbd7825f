"""What somebody tells of themselves: none of it needed, each with why and how long, corrected in place (S-42).

The page says of every category of the privacy statement where it stands, also of those that are kept elsewhere.
"""

from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Annotated, Final

from babel import Locale
from pydantic import AfterValidator, Field

from practice.organisation.rights import Right
from practice.particulars.check import MOST
from practice.particulars.model import Particulars, Told
from practice.particulars.records import PARTICULARS
from signaling.rest.endpoint import Call
from signaling.rest.entries import own
from signaling.typedefs import STORE
from vault.audit import Act
from web.forms import Fields, Form, Page
from web.forms.doubts import Doubted, demand_meant
from web.render import spoken

NO_COUNTRIES: Final = frozenset({"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"})


@cache
def countries_in(language: str) -> list[tuple[str, str]]:
    """(ISO 3166-1 alpha-2, name), by name."""
    names = Locale.parse(language).territories.items()
    found = [(code, name) for code, name in names if len(code) == 2 and code not in NO_COUNTRIES]
    return sorted(found, key=lambda one: one[1])


def _country(code: str) -> str:
    if code and code not in dict(countries_in("en")):
        raise ValueError("no country")
    return code


def _day(text: str) -> str:
    """A day of a calendar, or nothing."""
    if text:
        date.fromisoformat(text)
    return text


class Typed(Doubted):
    """All of it, in the version that the page showed. A line break comes as two characters."""

    gender: Annotated[str, Field(max_length=MOST["gender"])]
    born: Annotated[str, Field(pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$"), AfterValidator(_day)]
    street: Annotated[str, Field(max_length=MOST["street"])]
    postal_code: Annotated[str, Field(max_length=MOST["postal_code"])]
    city: Annotated[str, Field(max_length=MOST["city"])]
    country: Annotated[str, AfterValidator(_country)]
    phone: Annotated[str, Field(max_length=40)]
    note: Annotated[str, Field(max_length=2 * MOST["note"])]
    version: int

    def told(self) -> Told:
        """As it is told."""
        fields = self.model_dump(exclude={"keep", "version", "born"})
        return Told(**fields, born=date.fromisoformat(self.born) if self.born else None)


class Nothing(Fields):
    """A button."""


async def show(call: Call) -> Mapping[str, object]:
    """As it is now."""
    store, countries = call.request.app[STORE], countries_in(spoken(call.request)[0])
    found = await store.particulars.of(call.scope)
    return {
        "told": found.told,
        "version": found.version,
        "countries": countries,
        "country": dict(countries).get(found.told.country, found.told.country),
        "bank": (await store.bank_accounts.of(call.scope)).masked,
        "person": await store.practitioners.get(call.scope),
    }


async def tell(call: Call) -> Particulars:
    """Something else; of who tells nothing any more, nothing is kept."""
    demand_meant(call.body, "note")
    store = call.request.app[STORE]
    found: Particulars = await store.particulars.tell(call.scope, call.body.told(), call.body.version)
    if not found.told.any:
        await store.retention.destroy(call.scope, found.id, PARTICULARS)
    return found


async def take_back(call: Call) -> None:
    """All of it, irrecoverably. Errors: ``not_found``, where there is nothing."""
    store = call.request.app[STORE]
    found = await store.particulars.of(call.scope)
    await store.retention.destroy(call.scope, found.id, PARTICULARS)


TOLD: Final = own(Act.PARTICULARS_CHANGED)
TAKEN_BACK: Final = own(Act.PARTICULARS_CHANGED, "removed")
ABOUT: Final = Page("/account/particulars", "account/particulars.html", show, right=Right.ACCOUNT)

PAGES: Final = (ABOUT,)
FORMS: Final = (
    Form("/account/particulars/tell", ABOUT, Typed, tell, done="saved", entered=TOLD),
    Form("/account/particulars/remove", ABOUT, Nothing, take_back, done="removed", entered=TAKEN_BACK),
)
"""``pages`` has each page and each form."""
