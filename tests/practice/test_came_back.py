"""What becomes of a dispatch that a mail server says it could not deliver."""

from practice.agenda.cancelling import UNDO
from practice.storage import Store
from tests.people import Time, alice
from tests.practice.outbox import invited, send, states
from tests.practice.posting import server, sqlite_store, store
from tests.servers.mail import MailServer
from vault.records.scope import Scope

__all__ = ["server", "sqlite_store", "store"]


async def test_it_is_written_once_whatever_the_database(store: Store, server: MailServer, time: Time) -> None:
    made = await invited(store, await alice(store))
    await send(store, server, time)
    (one,) = (await store.outbox.of([made]))[made.id]
    assert await store.outbox.came_back(one.id, "bounced 5.1.1") == made.owner
    assert await store.outbox.came_back(one.id, "bounced 5.2.2") is None
    (after,) = (await store.outbox.of([made]))[made.id]
    assert (after.state, after.reason, after.at) == ("refused", "bounced 5.1.1", time.now())


async def test_what_came_back_and_was_opened_all_the_same_is_opened(
    store: Store, server: MailServer, time: Time
) -> None:
    """Whoever gets a letter can make its envelope's sender say that it did not come."""
    made = await invited(store, await alice(store))
    await send(store, server, time)
    (one,) = (await store.outbox.of([made]))[made.id]
    assert await store.outbox.came_back(one.id, "bounced 5.1.1") == made.owner
    time.pass_(hours=1)
    visit = await store.appointments.by_link(Scope.guest(made.id), made.secret)
    assert visit is not None and visit.unopened
    await store.outbox.visited(made, "g" * 22)
    assert await states(store, made) == [("invitation", "refused")], "by somebody else's link"
    await store.outbox.visited(made)
    (after,) = (await store.outbox.of([made]))[made.id]
    assert (after.state, after.reason, after.at) == ("opened", None, time.now())
    assert await store.outbox.came_back(one.id, "bounced 5.1.1") is None
    visit = await store.appointments.by_link(Scope.guest(made.id), made.secret)
    assert visit is not None and not visit.unopened


async def test_what_was_refused_at_once_came_to_nobody_and_stays(store: Store, server: MailServer, time: Time) -> None:
    made = await invited(store, await alice(store))
    time.pass_(seconds=UNDO.total_seconds())
    (due,) = await store.outbox.waiting()
    await store.outbox.done(due, "refused", begun=False, reason="recipient 550")
    await store.outbox.visited(made)
    (one,) = (await store.outbox.of([made]))[made.id]
    assert (one.state, one.reason) == ("refused", "recipient 550")
