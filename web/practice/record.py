"""The record of processing (GDPR art. 30), made of the inventory and of the settings as they are now (S-04, S-19).

It says what is set and what was done, and where neither is known, that. Names of machines are in it where data leave
the server: which mail server, which TURN server; where storage stands, only whether that is a service of its own.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from practice.organisation.rights import Right
from signaling.rest.endpoint import Call
from signaling.typedefs import DOOR, NOW, SETTINGS, STORE, TURN
from vault.inventory import Retention
from web import papers
from web.forms import Form, Page
from web.naming import PRACTICE
from web.practice.menu import menu
from web.practice.papers import known
from web.render import translated


async def show(call: Call) -> Mapping[str, object]:
    """All of it."""
    app, store = call.request.app, call.request.app[STORE]
    server, t = known(call), translated(call.request)

    def period(retention: Retention) -> str:
        return papers.period(server, retention, t)

    swept = await store.retention.status()
    backup, verified = await store.oversight.backed_up(call.scope), await store.oversight.verified(call.scope)
    return {
        "organisation": app[PRACTICE].of(await store.organisation.get(call.scope)),
        "made": app[NOW](),
        "purposes": papers.by_purpose(),
        "period": period,
        "cap": store.settings.retention_cap,
        "trail_days": store.settings.audit_days,
        "mail": sorted(app[DOOR].hosts),
        "sms": sorted(app[DOOR].sms),
        "bounces": sorted(app[DOOR].bounces),
        "requests": sorted(app[DOOR].requests),
        "push": sorted(app[DOOR].push),
        "turn": app[TURN].server,
        "apart": papers.apart(store.settings, redis=app[SETTINGS].redis_url is not None),
        "demanded": app[SETTINGS].second_factor == "demanded",
        "grace": app[SETTINGS].second_factor_grace_days,
        "backup": backup and backup.moment,
        "verified": verified and {"at": verified.moment, "whole": verified.detail == "whole"},
        "swept": app[NOW]() - timedelta(seconds=swept.idle),
        "overdue": swept.overdue,
        "paused": swept.paused is not None,
        "menu": menu(call),
    }


RECORD: Final = Page("/practice/record", "practice/record.html", show, right=Right.OVERSIGHT)

PAGES: Final = (RECORD,)
FORMS: Final[tuple[Form, ...]] = ()
"""``pages`` has each page and each form."""
