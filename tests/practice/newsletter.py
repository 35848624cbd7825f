"""People who have the newsletter of one organisation, and who sends it by a mail server that the test runs."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from datetime import UTC
from typing import Any

from practice.accounts.model import Practitioner
from practice.circulars.model import Circular, Subscription
from practice.circulars.press import Press
from practice.notices.model import News
from practice.notices.smtp import Begin, Mailer, Mailers
from practice.outgoing import Door
from practice.storage import Store
from signaling import mailing
from tests.organisations import house, join, scope_of
from tests.people import PASSWORD
from tests.practice.posting import ORIGIN
from tests.servers.mail import MailServer
from vault.records.scope import Scope
from vault.records.writing import Along


class Seeds:
    """What was mailed, as who reads the mail has it."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.mailed: list[str] = []

    def tell(self, person: Practitioner, seed: str) -> Along:
        self.mailed.append(self.store.subscriptions.token(seed))
        news = News("newsletter", person.mail, person.language, {"newsletter": seed})
        return self.store.notices.of(person.id, news)


async def account(store: Store, organisation: str, name: str) -> Scope:
    person = await store.practitioners.add(f"{name}@example.org", PASSWORD, name, "nl")
    await join(store, organisation, person.id, ["practitioner"])
    return await scope_of(store, person.id)


async def writer(store: Store) -> Scope:
    """The owner of a new organisation, who has no newsletter."""
    organisation = await house(store)
    person = await store.practitioners.add("owner@example.org", PASSWORD, "Owner", "nl")
    await join(store, organisation, person.id, ["owner"])
    return await scope_of(store, person.id)


async def asked(store: Store, scope: Scope) -> str:
    """It is asked for: what the mailed link holds."""
    seeds = Seeds(store)
    await store.subscriptions.ask(scope, seeds.tell)
    (token,) = seeds.mailed
    return token


async def subscribed(store: Store, scope: Scope) -> Subscription:
    found = await store.subscriptions.confirm(await asked(store, scope))
    assert found is not None and found.stands
    return found


async def released(store: Store, owner: Scope, text: str = "Wij verhuizen.") -> Circular:
    draft = await store.circulars.write(owner, "newsletter", "Nieuws", text, "nl", None, 0)
    return await store.circulars.release(owner, "newsletter", draft.version)


class Watched(Mailers):
    """As any; ``began`` has whom each letter was to when it began, ``coming`` is told a little before."""

    began: list[str]
    coming: Callable[[str], None]

    async def of(self, owner: str) -> Mailer:
        real, began, coming = await super().of(owner), self.began, self.coming

        class Watching(Mailer):
            def __init__(self) -> None:
                vars(self).update(vars(real))

            async def send(
                self, recipient: str, letter: bytes, begin: Begin = nullcontext, returns: str | None = None
            ) -> None:
                coming(recipient)

                @asynccontextmanager
                async def begins() -> AsyncIterator[None]:
                    async with begin():
                        began.append(recipient)
                        yield

                await super().send(recipient, letter, begins, returns)

        return Watching()


def press(
    store: Store,
    server: MailServer,
    began: list[str] | None = None,
    coming: Callable[[str], None] = lambda _: None,
    **changes: Any,
) -> Press:
    settings = server.settings(**changes)
    by = Watched(settings.mail, Door.of(settings), store.mail_servers.of_owner)
    by.began, by.coming = [] if began is None else began, coming
    made = mailing.press(store, by, ORIGIN, lambda: UTC)
    assert made is not None
    return made
