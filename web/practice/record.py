"""The record of processing (GDPR art. 30), made of the inventory and of the settings as they are now (S-04, S-19).

It says what is set and what was done, and where neither is known, that. Names of machines are in it where data leave
the server: which mail server, which TURN server; where storage stands, only whether that is a service of its own.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final, get_args

from practice.organisation.rights import Right
from signaling.rest.endpoint import Call
from signaling.typedefs import DOOR, NOW, SETTINGS, STORE, TURN
from vault.inventory import Item, Purpose
from vault.settings import VaultSettings
from web.forms import Form, Page
from web.naming import PRACTICE
from web.pages import STORED
from web.practice.menu import menu

DAY: Final = 86_400


async def show(call: Call) -> Mapping[str, object]:
    """All of it."""
    app, store = call.request.app, call.request.app[STORE]
    swept = await store.retention.status()
    backup, verified = await store.oversight.backed_up(call.scope), await store.oversight.verified(call.scope)
    return {
        "organisation": app[PRACTICE].of(await store.organisation.get(call.scope)),
        "made": app[NOW](),
        "purposes": by_purpose(),
        "seconds": lengths(call),
        "cap": store.settings.retention_cap,
        "trail_days": store.settings.audit_days,
        "mail": sorted(app[DOOR].hosts),
        "sms": sorted(app[DOOR].sms),
        "bounces": sorted(app[DOOR].bounces),
        "requests": sorted(app[DOOR].requests),
        "push": sorted(app[DOOR].push),
        "turn": app[TURN].server,
        "apart": apart(store.settings, redis=app[SETTINGS].redis_url is not None),
        "demanded": app[SETTINGS].second_factor == "demanded",
        "grace": app[SETTINGS].second_factor_grace_days,
        "backup": backup and backup.moment,
        "verified": verified and {"at": verified.moment, "whole": verified.detail == "whole"},
        "swept": app[NOW]() - timedelta(seconds=swept.idle),
        "overdue": swept.overdue,
        "paused": swept.paused is not None,
        "menu": menu(call),
    }


def by_purpose() -> list[tuple[Purpose, list[Item]]]:
    """All that is stored and about somebody, by what it is for."""
    items = [item for _, entries in STORED for item in entries]
    found = [(purpose, [item for item in items if item.purpose == purpose]) for purpose in get_args(Purpose)]
    return [(purpose, one) for purpose, one in found if one]


def lengths(call: Call) -> dict[str, int]:
    """How long what has its time in a setting of the operator's is kept, in seconds."""
    app = call.request.app
    return {
        "audit": app[STORE].settings.audit_days * DAY,
        "refresh": app[SETTINGS].refresh_seconds,
        "resume": app[SETTINGS].resume_seconds,
    }


def apart(settings: VaultSettings, *, redis: bool) -> list[str]:
    """What is not on this server itself."""
    there = {
        "database": settings.database().get_backend_name() != "sqlite",
        "keystore": settings.keystore_address().get_backend_name() != "sqlite",
        "transit": settings.transit.address is not None,
        "redis": redis,
    }
    return [name for name, is_apart in there.items() if is_apart]


RECORD: Final = Page("/practice/record", "practice/record.html", show, right=Right.OVERSIGHT)

PAGES: Final = (RECORD,)
FORMS: Final[tuple[Form, ...]] = ()
"""``pages`` has each page and each form."""
