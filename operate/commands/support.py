"""Technical support: `support CODE`."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from operate.commands.configured import Configured
from vault.audit import Act, appointment, support
from vault.clock import utc_now
from vault.errors import DomainError, StartRefused

if TYPE_CHECKING:
    from rooms.diagnostics import TakenSample

REASONS = {
    "rate_limited": "Too many codes were tried; wait a quarter of an hour.",
    "try_again": "Redis or the database does not answer.",
}


def attach(commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    looking = commands.add_parser("support", parents=[common], help="technical timeline of one consult, with its code")
    looking.add_argument("code", help="the six digits that were read out")
    looking.add_argument("--json", action="store_true", help="a line of JSON per sample")
    looking.set_defaults(operate=look)


async def look(settings: Configured, arguments: argparse.Namespace) -> str:
    """One consult's timeline. That somebody looked is on disk before anything is shown."""
    from operate.commands.storage import beside
    from operate.process import reveal
    from rooms.diagnostics import Diagnostics
    from rooms.support import SupportCodes
    from signaling.redis import connect, refuse_absence

    url = reveal(settings.signaling.redis_url)
    if not url:
        raise StartRefused("The samples are in the server's own Redis; set signaling.redis_url to one for both.")
    redis = connect(url)
    try:
        await refuse_absence(redis, "signaling.redis_url")
        found = await SupportCodes(redis).take(arguments.code.replace(" ", ""))
        if found is None:
            raise StartRefused("This code opens nothing; ask for a new one.")
        timeline = await Diagnostics(redis, utc_now).timeline(found[1])
        async with beside(settings.rooms) as store:
            await store.audit.record(Act.SUPPORT_LOOKED, support(), appointment(*found), str(len(timeline)))
    except DomainError as error:
        raise StartRefused(REASONS.get(error.code, "The key store is locked; nothing is shown.")) from None
    finally:
        await redis.aclose()
    return lines(timeline, as_json=arguments.json)


def lines(timeline: list[TakenSample], *, as_json: bool) -> str:
    """One sample per line, oldest first, without the consult's or anybody's id."""
    pages = list(dict.fromkeys(one.participant for one in timeline))
    rows = []
    for one in timeline:
        fields = {name: value for name, value in one.sample.model_dump(mode="json").items() if value is not None}
        page = pages.index(one.participant) + 1
        if as_json:
            rows.append(json.dumps({"taken": one.taken.isoformat(), "page": page, **fields}))
        else:
            words = " ".join(f"{name}={value}" for name, value in fields.items() if value != "unknown")
            rows.append(f"{one.taken:%H:%M:%S} page {page} {words}")
    return "\n".join(rows) or "No samples: the consult left none, or they are older than 24 hours."
