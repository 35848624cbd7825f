"""Servers of release 0.1.0 and of today on one PostgreSQL, one key store and one Redis: who is signed in at the one is
signed in at the other, and both have the same agenda. Consults do not cross: what they write to Redis is signed by keys
of their own.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bench.load.clerk import MAIL, PASSWORD, Clerk
from bench.load.cluster import start_redis
from bench.records.places import Build, Ground, Group
from bench.records.serve import PATIENCE, open_now, served
from signaling.protocol.model import API
from tests.earlier import ABSENT, RELEASE_0_1_0, ROOT, unpacked
from tests.servers import bao as openbaos
from tests.servers import postgres as postgresqls


@pytest.fixture
async def clerks(tmp_path: Path) -> AsyncIterator[tuple[Clerk, Clerk, list[list[str]]]]:
    """The practitioner at the older server and at the newer one, by one session; and the appointments."""
    tree = tmp_path / "0.1.0"
    if not unpacked(RELEASE_0_1_0, tree):
        pytest.skip(ABSENT)
    builds = Build("0.1.0", tree), Build("today", ROOT)
    async with AsyncExitStack() as stack:
        _, port = await start_redis(stack, tmp_path)
        database = await asyncio.to_thread(stack.enter_context, postgresqls.running())
        bao = await asyncio.to_thread(stack.enter_context, openbaos.running())
        ground = Ground(tmp_path, builds, database, bao, f"redis://127.0.0.1:{port}")
        filled = await ground.filled("PostgreSQL", Group(1, 2, open_now(), minutes=120))
        shared: dict[str, Any] = {
            "SIGNALING__SECRET": secrets.token_urlsafe(32),
            "SIGNALING__ORIGIN": "http://127.0.0.1:1",
        }
        made = []
        for build in builds:
            own = deepcopy(filled)
            own.rooms["data"] = str(ground.new_folder() / "data")
            server = await stack.enter_async_context(served(ground, build, own, **shared))
            made.append(Clerk(shared["SIGNALING__ORIGIN"], API, server.url, PATIENCE))
            stack.push_async_callback(made[-1].close)
        older, newer = made
        status, _ = await older.call("POST", "/sign-in", {"mail": MAIL, "password": PASSWORD})
        assert status == 200
        newer._session.cookie_jar.update_cookies({one.key: one.value for one in older._session.cookie_jar})
        yield older, newer, filled.appointments


async def listed(clerk: Clerk) -> list[dict[str, Any]]:
    """Of three days: which one is today depends on the zone, which 0.1.0 does not ask for."""
    first, last = (datetime.now(UTC).date() + timedelta(days=days) for days in (-1, 1))
    status, said = await clerk.call("GET", f"/appointments?first={first}&last={last}")
    assert status == 200
    return sorted(said["appointments"], key=lambda one: str(one["appointment"]))


async def test_both_serve_the_same_practice(clerks: tuple[Clerk, Clerk, list[list[str]]]) -> None:
    older, newer, appointments = clerks
    for one, other in ((older, newer), (newer, older)):
        body = {"patient": "Patiënt één", "starts_at": open_now(), "minutes": 30, "language": "nl"}
        status, planned = await one.call("POST", "/appointments", body | ({"anyway": True} if one is newer else {}))
        assert status == 201
        link = str(planned["link"]).partition("#")[2]
        for clerk in (one, other):
            assert await clerk.join(link)
            assert await clerk.join(appointments[0][0] + appointments[0][2])
        before = await listed(one)
        assert [said["appointment"] for said in await listed(other)] == [said["appointment"] for said in before]
        status, receipt = await other.call("DELETE", f"/appointments/{planned['appointment']}")
        assert status == 200
        assert (await one.call("GET", f"/appointments/{planned['appointment']}"))[0] == 410
        assert receipt["receipt"] in str(await one.call("GET", "/receipts"))
        setting = "90d" if one is older else "7d"
        assert (await one.call("PUT", "/retention", {"retention": setting}))[0] == 200
        assert (await other.call("GET", "/me"))[1]["retention"] == setting
    assert len(await listed(older)) == len(await listed(newer)) == len(appointments)
