"""Addresses that have an account and such that have none, asked with in turns: the same answer, and no later."""

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import aiohttp

from practice.notices.model import News
from practice.organisation.model import Invitation
from practice.storage import Store
from signaling.aside import LOOK_SECONDS
from tests.opening import open_store
from tests.organisations import OPERATOR, PRACTICE, found, scope_of
from tests.people import PASSWORD, Time, alice
from tests.prove.figures import Figure, Size, counted
from tests.servers.mail import MailServer, running
from vault.records.writing import Along
from vault.settings import VaultSettings

MILLISECONDS = 5
PAUSE = 0.03
"""Seconds between two: a server keeps a hundred forgotten passwords in mind, and looks after them every two seconds."""

BUSY = 503
"""A server that is slower than that says *try again*, to whoever asks, before it looks anything up."""

PATIENCE = 15
"""Times that one asks again; a network may ask for 20."""

AT_ONCE = 4
"""So many accounts are made at once: each takes as long as a sign-in."""

Ask = Callable[[aiohttp.ClientSession, str, str], Awaitable[tuple[int, str]]]
"""What comes of it for an address, at an origin: status and all that is said."""


def prove(size: Size) -> list[Figure]:
    """A whole server with a mail server that takes everything; each address comes from a network of its own, once."""
    count = size.choose(200, 3)
    return [*asyncio.run(campaign(size, count)), asyncio.run(inviting(size, count))]


async def campaign(size: Size, count: int) -> list[Figure]:
    data = size.folder / "strangers"
    async with running(size.folder, tls="none", auth=False) as mails:
        async with open_store(VaultSettings(data=data, trust_clock=True)) as store:
            await store.organisation.establish(OPERATOR, PRACTICE)
            for first in range(0, count, AT_ONCE):
                numbers = range(first, min(first + AT_ONCE, count))
                await asyncio.gather(
                    *(store.practitioners.add(known(number), PASSWORD, "Somebody", "nl") for number in numbers)
                )
        with subprocess.Popen(command(data, mails), stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) as server:
            try:
                assert server.stdout is not None
                port = int(await asyncio.to_thread(server.stdout.readline))
                return [figure for name, ask in WAYS.items() for figure in await compared(size, port, count, name, ask)]
            finally:
                server.terminate()
                server.wait(20)


def command(data: Path, mails: MailServer) -> list[str]:
    """Of the server, behind a proxy that says for whom it asks."""
    options = {
        "rooms": {"data": str(data)},
        "signaling": {"trusted_proxies": ["127.0.0.0/8"]},
        "practice": mails.settings("none").model_dump(mode="json") | {"registration": "both"},
    }
    return [sys.executable, "-m", "tests.prove.server", json.dumps(options)]


def known(number: int) -> str:
    return f"somebody{number:03d}@example.org"


def unknown(number: int) -> str:
    return f"nobodyyy{number:03d}@example.org"


async def compared(size: Size, port: int, count: int, name: str, ask: Ask) -> list[Figure]:
    """Both figures of one way of asking."""
    turns = [(is_known, number) for number in range(count) for is_known in (True, False)]
    size.random.shuffle(turns)
    origin = f"http://127.0.0.1:{port}"
    took: dict[bool, list[float]] = {True: [], False: []}
    said: dict[bool, set[tuple[int, str]]] = {True: set(), False: set()}
    again = 0
    for place, (is_known, number) in enumerate(turns):
        headers = {
            "Origin": f"http://localhost:{port}",
            "X-Forwarded-For": f"198.{18 + place // 250}.{place % 250}.{len(name)}",
        }
        async with aiohttp.ClientSession(headers=headers) as session:
            async with session.get(f"{origin}/health/live") as alive:
                assert alive.status == 200, "a connection is there before the time is taken"
            milliseconds, answer, turned_away = await patiently(ask, session, origin, number, is_known=is_known)
        took[is_known].append(milliseconds)
        said[is_known].add(answer)
        again += turned_away
        await asyncio.sleep(PAUSE)
    if again:
        sys.stdout.write(f"    {name}: {again} times told to try again\n")
    return [
        difference(name, took),
        counted(f"{name}: answers that differ", len(said[True] ^ said[False]), 2 * count, "answers"),
    ]


async def patiently(
    ask: Ask, session: aiohttp.ClientSession, origin: str, number: int, *, is_known: bool
) -> tuple[float, tuple[int, str], int]:
    """How long the answer took, in ms, and what it was. Who is told to try again does, and is timed anew: how often."""
    for turned_away in range(PATIENCE):
        began = time.perf_counter()
        answer = await ask(session, origin, (known if is_known else unknown)(number))
        milliseconds = (time.perf_counter() - began) * 1000
        if answer[0] != BUSY:
            return milliseconds, answer, turned_away
        await asyncio.sleep(LOOK_SECONDS)
    raise AssertionError(f"still busy: {answer}")


def difference(name: str, took: dict[bool, list[float]]) -> Figure:
    """Of the medians of known and unknown ones, in milliseconds."""
    known, unknown = (statistics.median(took[which]) for which in (True, False))
    apart = abs(known - unknown)
    reached = f"{apart:.2f} ms ({known:.1f} known, {unknown:.1f} unknown, {len(took[True])} of each in turns)"
    return Figure(f"{name}: difference of the medians", f"< {MILLISECONDS} ms", reached, apart < MILLISECONDS)


async def inviting(size: Size, count: int) -> Figure:
    """By an owner; the known address is that of another organisation's account."""
    clock, settings = Time(), VaultSettings(data=size.folder / "inviting", trust_clock=True)
    async with open_store(settings, now=clock.now, boot=clock.boottime, mail=True) as store:
        owner = await alice(store)
        await store.organisation.establish(OPERATOR, PRACTICE)
        await found(store, (await store.practitioners.add(known(0), PASSWORD, "Somebody", "nl")).id, ["owner"])
        scope = await scope_of(store, owner.id)
        took: dict[bool, list[float]] = {True: [], False: []}
        for _ in range(count):
            for is_known in size.random.sample([True, False], 2):
                mail = (known if is_known else unknown)(0)
                began = time.perf_counter()
                made = await store.invitations.invite(scope, mail, ["assistant"], "nl", partial(told, store))
                took[is_known].append((time.perf_counter() - began) * 1000)
                await store.invitations.withdraw(scope, made.invitation.id)
    return difference("an invitation", took)


def told(store: Store, one: Invitation, seed: str) -> Along:
    """With a mail, as the page does."""
    return store.notices.of(one.owner, News("invitation", one.mail, one.language, {"invitation": seed}))


async def sign_in(session: aiohttp.ClientSession, origin: str, mail: str) -> tuple[int, str]:
    wrong = {"mail": mail, "password": "not the right password"}
    async with session.post(f"{origin}/api/v1/sign-in", json=wrong) as answer:
        assert answer.status == 403, await answer.text()
        return answer.status, await answer.text()


async def forgotten(session: aiohttp.ClientSession, origin: str, mail: str) -> tuple[int, str]:
    async with session.post(f"{origin}/forgotten", data={"mail": mail}, allow_redirects=False) as answer:
        return await led(answer)


async def register(session: aiohttp.ClientSession, origin: str, mail: str) -> tuple[int, str]:
    async with session.post(f"{origin}/register", data={"mail": mail}, allow_redirects=False) as answer:
        return await led(answer)


async def led(answer: aiohttp.ClientResponse) -> tuple[int, str]:
    """Where to, unless the server is busy."""
    assert answer.status in (303, BUSY), await answer.text()
    return answer.status, answer.headers.get("Location", "") + await answer.text()


WAYS: dict[str, Ask] = {"wrong password": sign_in, "forgotten password": forgotten, "registering": register}
