"""A whole server but for media: ``python -m tests.prove.server OPTIONS``, OPTIONS being JSON. Prints its port.

``rooms``, ``signaling``, ``practice`` and ``turn`` are its settings, ``off`` the seconds by which its clock is ahead;
``redis`` the address of one that keeps everything on disk, which a server of ours would refuse; ``log`` a file for all
that it says at the lowest level; ``sign_in`` a token and the practitioner whom it signs in, as in a demo.
"""

import asyncio
import json
import sys
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from media.control import MediaClient
from practice.opening import open_storage
from practice.settings import PracticeSettings
from signaling import app, gate, listener, logs
from signaling.redis import connect, open_redis
from signaling.settings import SignalingSettings
from signaling.typedefs import SignInLink
from turn.credentials import TurnCredentials
from turn.settings import TurnSettings
from vault.settings import VaultSettings
from web import routes as pages

SECRET = b"a secret of the proofs, 32 bytes or more"


async def main(options: dict[str, Any]) -> None:
    def now() -> datetime:
        return datetime.now(UTC) + timedelta(seconds=options.get("off", 0))

    async with AsyncExitStack() as stack:
        port = listener.bind("127.0.0.1", 0)
        stack.callback(port.close)
        settings = VaultSettings(trust_clock=True, **options["rooms"])
        redis = connect(options["redis"]) if "redis" in options else None
        if redis is None:
            redis = (await stack.enter_async_context(open_redis(None))).client
        signaling = SignalingSettings(port=port.getsockname()[1], **options.get("signaling", {}))
        live = gate.documents(signaling, redis, now, SECRET)
        practice = PracticeSettings(**options.get("practice", {}))
        opening = open_storage(settings, in_progress=live.are_live, now=now, mail=practice.sends)
        storage = await stack.enter_async_context(opening)
        application = app.build(
            signaling,
            storage,
            live,
            redis,
            MediaClient(redis, SECRET),
            TurnCredentials(TurnSettings(**options.get("turn", {})), now),
            now,
            secret=SECRET,
            practice=practice,
            sign_in_link=SignInLink(**options["sign_in"]) if "sign_in" in options else None,
        )
        pages.attach(application)
        await stack.enter_async_context(listener.listening(application, port))
        sys.stdout.write(f"{port.getsockname()[1]}\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    if "log" in given:
        sys.stderr = Path(given["log"]).open("a")  # noqa: SIM115 -- until the process ends
        logs.configure("json", "debug")
    asyncio.run(main(given))
