"""By which SMS provider an organisation sends: written, tried, taken out; what was written is never shown again."""

from collections.abc import Mapping
from typing import Annotated, Final, get_args

from pydantic import Field

from practice.https import MOST_URL, target
from practice.organisation.rights import Right
from practice.sms_providers.model import Format, Way
from practice.sms_providers.numbers import MOST as MOST_NUMBER
from practice.sms_providers.numbers import Untextable, mobile
from practice.sms_providers.sending import NotTexted, Text
from signaling.limiter import SMS_TESTS
from signaling.protocol.errors import UserError
from signaling.rest.endpoint import Call
from signaling.rest.entries import own
from signaling.typedefs import DOOR, LIMITER, STORE, TEXTER
from vault.audit import Act, practitioner
from vault.records.content import new_id
from web.forms import Fields, Form, Page, Secret, Shown, Wrong
from web.practice.menu import menu
from web.render import translated


class Written(Fields):
    """All of it, in the version that the page showed. Without ``sender`` it is the operator's."""

    format: Format
    url: Annotated[str, Field(min_length=1, max_length=MOST_URL)]
    secret: Annotated[Secret, Field(min_length=1, max_length=200)]
    sender: Annotated[str, Field(max_length=16)]
    version: int


class Tried(Fields):
    """Whom a message is tried at."""

    phone: Annotated[str, Field(min_length=1, max_length=MOST_NUMBER)]
    version: int


class Which(Fields):
    """That which the page showed."""

    version: int


async def show(call: Call) -> Mapping[str, object]:
    """Since when there is one, and from whom its messages come: no more of it."""
    app = call.request.app
    found = await app[STORE].sms_providers.of(call.scope)
    settings = app[TEXTER].settings
    return {
        "version": found.version if found else 0,
        "since": found and found.since,
        "sender": found and found.way.sender,
        "hosts": sorted(app[DOOR].sms),
        "operators": settings.sender or "",
        "countries": settings.countries,
        "formats": get_args(Format),
        "menu": menu(call),
    }


async def write(call: Call) -> None:
    """Another one, on a host that the operator listed."""
    app, asked = call.request.app, call.body
    host = listed(call, asked.url)
    sender = asked.sender.strip() or app[TEXTER].settings.sender
    if not sender:
        raise Wrong({"sender": "missing"})
    way = Way(asked.format, asked.url, asked.secret.get_secret_value(), sender)
    free = host in app[DOOR].local
    await app[STORE].sms_providers.write(call.scope, way, asked.version, port_is_free=free)


def listed(call: Call, url: str) -> str:
    """The host of an address. Errors: ``Wrong`` for one that the operator did not list."""
    try:
        host = target(url).host
    except ValueError:
        raise Wrong({"url": "wrong"}) from None
    if host not in call.request.app[DOOR].sms:
        raise Wrong({"url": "choice"})
    return host


async def try_out(call: Call) -> Shown:
    """A message to a number that one has at hand, and in words what came of it."""
    app, texter = call.request.app, call.request.app[TEXTER]
    found = await app[STORE].sms_providers.of(call.scope)
    if found is None:
        raise UserError("not_found")
    try:
        number = mobile(call.body.phone, texter.settings.countries)
    except Untextable as error:
        raise Wrong({"phone": error.reason}) from None
    await app[LIMITER].count(SMS_TESTS, call.practitioner)
    step, code = "accepted", None
    try:
        if not await texter.send(found.owner, Text(number, translated(call.request)("sms.test.message"), new_id())):
            raise UserError("not_found")
    except NotTexted as fault:
        step, code = fault.step, fault.code
    await app[STORE].audit.record(Act.SMS_TESTED, practitioner(call.practitioner), detail=step)
    return Shown("practice/sms_tested.html", {"step": step, "code": code, "menu": menu(call)})


async def remove(call: Call) -> None:
    """No text messages any more."""
    await call.request.app[STORE].sms_providers.remove(call.scope, call.body.version)


WRITTEN: Final = own(Act.SMS_PROVIDER_CHANGED, "set")
REMOVED: Final = own(Act.SMS_PROVIDER_CHANGED, "removed")
SMS: Final = Page("/practice/sms", "practice/sms.html", show, right=Right.POLICIES)

PAGES: Final = (SMS,)
FORMS: Final = (
    Form("/practice/sms/write", SMS, Written, write, done="saved", entered=WRITTEN),
    Form("/practice/sms/try", SMS, Tried, try_out),
    Form("/practice/sms/remove", SMS, Which, remove, done="removed", entered=REMOVED),
)
"""``pages`` has each page and each form."""
