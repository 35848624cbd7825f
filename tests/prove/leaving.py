"""Somebody is deactivated while their pages are open at two nodes: when the last connection is closed."""

import asyncio
import re
import time

import aiohttp

from bench.load import cluster
from bench.load.clerk import MAIL, PASSWORD, Clerk
from bench.load.cluster import EACH, Cluster
from client.wire import Wire
from signaling.protocol.model import API
from tests.client.waiting import until
from tests.opening import open_store
from tests.prove.figures import Figure, Size, counted
from vault.records.scope import Scope

SECONDS = 5
PAGES = 20


class Owner:
    """Of the organisation, at a browser without scripts."""

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._session = aiohttp.ClientSession(headers={"Origin": origin}, cookie_jar=aiohttp.CookieJar(unsafe=True))

    async def sign_in(self) -> None:
        signing = {"mail": MAIL, "password": PASSWORD}
        async with self._session.post(f"{self._origin}{API}/sign-in", json=signing) as answer:
            assert answer.status == 200, await answer.text()

    async def set_state(self, account: str, state: str) -> None:
        address = f"{self._origin}/practice/people/{account}"
        async with self._session.get(address) as page:
            (token, *_) = re.findall(r'name="form_token" value="([^"]+)"', await page.text())
        said = {"form_token": token, "state": state}
        async with self._session.post(f"{address}/state", data=said, allow_redirects=False) as answer:
            assert answer.status == 303, await answer.text()

    async def close(self) -> None:
        await self._session.close()


def prove(size: Size) -> list[Figure]:
    """Two nodes of the real server, one redis-server, one PostgreSQL, one OpenBao, a balancer."""
    return asyncio.run(campaign(size, size.choose(10, 1)))


async def campaign(size: Size, rounds: int) -> list[Figure]:
    async with cluster.running(size.folder, appointments=EACH + 1, media=1, doors=False) as running:
        account = await with_an_owner(running)
        owner, refused = Owner(running.origin), 0
        took: list[float] = []
        try:
            await owner.sign_in()
            for _ in range(rounds):
                seconds, turned_away = await leave(running, owner, account)
                took.append(seconds)
                refused += turned_away
        finally:
            await owner.close()
    beside = f"the slowest of {rounds} times, each with {PAGES} connections at two nodes; from the click on"
    figures = [counted("who is deactivated signs in again", rounds - refused, rounds, "times")]
    reached = f"{max(took) * 1000:.0f} ms ({beside})"
    closed = Figure("deactivated, last connection closed after", f"≤ {SECONDS} s", reached, max(took) <= SECONDS)
    return [*figures, closed]


async def with_an_owner(running: Cluster) -> str:
    """Of the two practitioners the first is one; whose account the other is."""
    async with open_store(running.rooms, exclusive=False) as store:
        owner, other = [
            await store.practitioners.id_by_mail(Scope.operator(), mail) for mail in (MAIL, f"{EACH}.{MAIL}")
        ]
        assert owner is not None
        assert other is not None
        await store.organisation.name_owner(Scope.operator(owner))
    return other


async def leave(running: Cluster, owner: Owner, account: str) -> tuple[float, bool]:
    """Seconds until the last connection is closed, and whether signing in is refused afterwards."""
    clerk = Clerk(running.origin, API)
    pages = [Wire(running.origin, lambda _event, _body: None) for _ in range(PAGES)]
    try:
        await clerk.sign_in(f"{EACH}.{MAIL}")
        for page in pages:
            await page.open(await clerk.ticket())
        assert set(running.balancer.where.values()) >= {node.port for node in running.nodes}, "pages at both nodes"
        began = time.monotonic()
        await owner.set_state(account, "deactivated")
        await until(lambda: "a connection is open" if any(page.connected for page in pages) else None)
        took = time.monotonic() - began
        status, _ = await clerk.call("POST", "/sign-in", {"mail": f"{EACH}.{MAIL}", "password": PASSWORD})
        await owner.set_state(account, "active")
        return took, status != 200
    finally:
        await asyncio.gather(*(page.close() for page in pages), clerk.close())
