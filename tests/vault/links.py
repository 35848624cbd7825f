"""Links that were mailed about an account, as whoever has the mail has them."""

from practice.accounts.model import Practitioner, Side
from practice.storage import Store
from tests.opening import of
from vault.records.scope import SERVER
from vault.records.writing import Allowed, Along


async def reset_link(store: Store, person: Practitioner) -> str:
    """The token of a link that was asked for."""
    seeds = []

    def tell(_: Practitioner, seed: str) -> Along:
        seeds.append(seed)

        async def along(cause: Allowed) -> bool:
            async with store.database.write() as connection:
                return await cause(connection)

        return along

    await store.resets.ask(SERVER, person.mail, tell)
    link = store.resets.token(seeds[0])
    assert await store.resets.whose(link) == person.id
    return link


async def mail_link(store: Store, person: Practitioner) -> str:
    """The same of one that a new address got."""
    tokens = []

    def tell(one: Practitioner, seeds: dict[Side, str]) -> Along:
        tokens.append(store.mail_changes.token(seeds["new"]))
        return store.notices.of(one.id)

    await store.mail_changes.ask(of(person.id), "another@example.org", "session", tell)
    assert await store.mail_changes.of_link(tokens[0]) is not None
    return tokens[0]
