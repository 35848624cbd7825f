"""Withdrawals while a newsletter goes out: none of its letters begins after one was committed."""

import asyncio
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from time import monotonic
from unittest.mock import patch

from argon2 import PasswordHasher

from practice.circulars.model import Subscription
from practice.storage import Store
from tests.opening import open_store
from tests.people import Time
from tests.practice.newsletter import account, press, released, subscribed, writer
from tests.prove.figures import Figure, Size, counted
from tests.prove.kills import databases
from tests.servers import postgres as servers
from tests.servers.mail import MailServer, running
from vault.settings import VaultSettings

FIRST_GUESS = 0.03
"""Seconds between the start of a connection and its letter."""


def prove(size: Size) -> list[Figure]:
    """As many races on each database."""
    figures: list[Figure] = []
    with databases(size) as found:
        for name, server in found:
            folder = size.memory / f"newsletters-{len(figures)}"
            folder.mkdir()
            late, won, lost = asyncio.run(races(size, folder, server))
            unit = f"races, {won} won by the withdrawal, {lost} by the letter"
            figures.append(counted(f"{name}: letters begun after a committed withdrawal", late, won + lost, unit))
    return figures


async def races(size: Size, folder: Path, server: servers.Postgres | None) -> tuple[int, int, int]:
    """How many began after a withdrawal, did not begin at all, and began before it."""
    settings = VaultSettings(data=folder / "data", trust_clock=True)
    if server is not None:
        settings = VaultSettings(data=folder / "data", trust_clock=True, database_url=server.new_database())
    time = Time()
    quick = partial(PasswordHasher, time_cost=1, memory_cost=8, parallelism=1)
    async with (
        running(folder) as mails,
        open_store(settings, now=time.now, boot=time.boottime, mail=True) as store,
    ):
        with patch("practice.accounts.store.PasswordHasher", quick):
            owner = await writer(store)
            names = [f"person-{number}" for number in range(size.choose(200, 12))]
            scopes = [await account(store, str(owner.organisation), name) for name in names]
        given = [await subscribed(store, scope) for scope in scopes]
        time.pass_(seconds=1)
        await released(store, owner)
        return await raced(size, store, mails, given)


async def raced(size: Size, store: Store, mails: MailServer, given: Sequence[Subscription]) -> tuple[int, int, int]:
    """Each is withdrawn about when its letter begins: somewhat before, or after."""
    began: list[str] = []
    withdrawn, racing, since = dict[str, int](), list[asyncio.Task[None]](), dict[str, float]()
    took = FIRST_GUESS
    one_of = {(await recipient(store, one)): one for one in given}

    async def withdraw(mail: str, wait: float) -> None:
        await asyncio.sleep(wait)
        await store.subscriptions.leave(store.subscriptions.token(one_of[mail].seed))
        withdrawn[mail] = len(began)

    def coming(mail: str) -> None:
        since[mail] = monotonic()
        racing.append(asyncio.get_running_loop().create_task(withdraw(mail, size.random.uniform(0, 1) * took)))

    def almost(mail: str) -> None:
        nonlocal took
        took = (took + monotonic() - since[mail]) / 2

    mails.on_recipient = almost
    await press(store, mails, began, coming).round()
    await asyncio.gather(*racing)
    late = sum(mail in began[at:] for mail, at in withdrawn.items())
    won = len(set(withdrawn) - set(began))
    return late, won, len(withdrawn) - won - late


async def recipient(store: Store, one: Subscription) -> str:
    person = await store.subscriptions.recipient(one)
    assert person is not None
    return person.mail
