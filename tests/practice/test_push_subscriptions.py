"""Browsers that are told that somebody waits: whose they are, when they die, and what goes to a push service."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import ValidationError

from practice.outgoing import Door
from practice.push_subscriptions.records import PUSH_SUBSCRIPTIONS
from practice.push_subscriptions.sending import Pusher, Sent, private_key
from practice.push_subscriptions.store import MOST
from practice.settings import PracticeSettings, PushSettings
from practice.storage import Store
from tests.opening import of
from tests.people import Time, alice, charlie
from tests.servers.push import PushService, pushing, unpadded
from vault.errors import DomainError

NOW = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
KEY = b"k" * 32
ONE, TWO, THREE = (f"https://push.example.org/{name}" for name in ("one", "two", "three"))


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[PushService]:
    async with pushing(tmp_path, NOW) as found:
        yield found


def pusher(service: PushService, *hosts: str, contact: str = "https://consult.example.org") -> Pusher:
    settings = service.settings(hosts or ("localhost",))
    return Pusher(settings.push, Door.of(settings), KEY, contact, lambda: NOW)


async def told(store: Store, account: str) -> set[str]:
    return {one.endpoint for one in await store.push_subscriptions.of(of(account))}


async def test_a_browser_is_one_accounts_at_a_time(sqlite_store: Store) -> None:
    store, mine, others = sqlite_store, (await alice(sqlite_store)).id, (await charlie(sqlite_store)).id
    made = await store.push_subscriptions.subscribe(of(mine), ONE, "session")
    assert ONE not in repr(made) and "session=" not in repr(made)
    await store.push_subscriptions.subscribe(of(mine), ONE, "session")
    assert len(await store.push_subscriptions.of(of(mine))) == 1
    await store.push_subscriptions.subscribe(of(others), ONE, "another")
    assert (await told(store, mine), await told(store, others)) == (set(), {ONE})
    assert not await store.push_subscriptions.renew(of(mine), ONE, "session")
    assert not await store.push_subscriptions.end(of(mine), ONE)
    assert await store.push_subscriptions.end(of(others), ONE)
    assert await told(store, others) == set()


async def test_signing_out_ends_those_of_that_session_whichever_renewed_last(sqlite_store: Store) -> None:
    store, me = sqlite_store, (await alice(sqlite_store)).id
    for endpoint, session in ((ONE, "first"), (TWO, "second"), (THREE, "third")):
        await store.push_subscriptions.subscribe(of(me), endpoint, session)
    assert await store.push_subscriptions.renew(of(me), ONE, "fourth")
    assert await store.push_subscriptions.end_of(of(me), ["first"]) == 0
    assert await store.push_subscriptions.end_of(of(me), ["fourth"]) == 1
    assert await told(store, me) == {TWO, THREE}
    assert await store.push_subscriptions.keep_only(of(me), "third") == 1
    assert await told(store, me) == {THREE}
    assert await store.push_subscriptions.keep_only(of(me), None) == 1
    assert await told(store, me) == set()


async def test_an_account_has_some_and_the_one_used_last_stays(sqlite_store: Store, time: Time) -> None:
    store, me = sqlite_store, (await alice(sqlite_store)).id
    for number in range(MOST + 2):
        time.pass_(minutes=1)
        await store.push_subscriptions.subscribe(of(me), f"{ONE}{number}", "session")
    assert await told(store, me) == {f"{ONE}{number}" for number in range(2, MOST + 2)}


async def test_one_that_nobody_opens_for_ninety_days_dies(sqlite_store: Store, time: Time) -> None:
    store, me = sqlite_store, (await alice(sqlite_store)).id
    await store.push_subscriptions.subscribe(of(me), ONE, "session")
    await store.push_subscriptions.subscribe(of(me), TWO, "session")
    time.pass_(days=60)
    assert await store.push_subscriptions.renew(of(me), TWO, "another")
    assert await store.push_subscriptions.bury() == 0
    time.pass_(days=31)
    assert await store.push_subscriptions.bury() == 1
    assert await told(store, me) == {TWO}


async def test_it_dies_with_the_account(sqlite_store: Store) -> None:
    store, me = sqlite_store, (await alice(sqlite_store)).id
    made = await store.push_subscriptions.subscribe(of(me), ONE, "session")
    await store.retention.close(of(me))
    with pytest.raises(DomainError, match="not_found"):
        await store.push_subscriptions.subscribe(of(me), TWO, "session")
    await store.retention.sweep()
    assert await store.database.ask(PUSH_SUBSCRIPTIONS.living()) == []
    assert not (await store.keys.get_many([(me, made.id)]))


async def test_one_browser_that_asks_twice_at_once_is_told_once(sqlite_store: Store) -> None:
    store, me = sqlite_store, (await alice(sqlite_store)).id
    asked = (store.push_subscriptions.subscribe(of(me), ONE, "session") for _ in range(5))
    done = await asyncio.gather(*asked, return_exceptions=True)
    assert {one.code for one in done if isinstance(one, DomainError)} <= {"conflict"}
    assert len(await store.push_subscriptions.of(of(me))) == 1


# --- to a push service -----------------------------------------------------------------------------------------------


async def test_a_push_is_signed_empty_and_for_a_moment(service: PushService) -> None:
    assert await pusher(service).send(service.endpoint(), 600) == Sent("taken")
    assert (service.woken, service.ttls) == (["/push/one"], [600])
    assert service.claims[0]["sub"] == "https://consult.example.org"
    assert await pusher(service, contact="http://localhost:8080").send(service.endpoint(), 60) == Sent("taken")
    assert "sub" not in service.claims[1], "only https and mailto may stand there"


@pytest.mark.parametrize(
    ("said", "sent"),
    [
        (200, Sent("taken")),
        (404, Sent("gone")),
        (410, Sent("gone")),
        (429, Sent("later")),
        ((429, {"Retry-After": "30"}), Sent("later", 30)),
        ((503, {"Retry-After": "Mon, 30 Nov 2026 10:00:00 GMT"}), Sent("later")),
        (500, Sent("later")),
        (403, Sent("refused")),
        (413, Sent("refused")),
        ((307, {"Location": "https://localhost/elsewhere"}), Sent("refused")),
    ],
)
async def test_each_answer_means_one_thing(service: PushService, said: int, sent: Sent) -> None:
    service.says.append(said)
    assert await pusher(service).send(service.endpoint(), 600) == sent
    assert len(service.server.asked) == 1


async def test_what_is_not_listed_is_not_asked(service: PushService) -> None:
    unlisted = pusher(service, "fcm.googleapis.com")
    assert await unlisted.send(service.endpoint(), 600) == Sent("refused")
    assert service.server.asked == []
    assert await pusher(service).send("https://localhost:1/push", 600) == Sent("later"), "nobody is there"


@pytest.mark.parametrize(
    ("endpoint", "taken"),
    [
        ("https://fcm.googleapis.com/fcm/send/x", True),
        ("https://FCM.googleapis.com/fcm/send/x", True),
        ("https://wns2-par02p.notify.windows.com/w/?token=x", True),
        ("https://notify.windows.com/w/", False),
        ("https://evilnotify.windows.com/w/", False),
        ("https://fcm.googleapis.com.evil.example/x", False),
        ("https://fcm.googleapis.com:8443/x", False),
        ("https://user@fcm.googleapis.com/x", False),
        ("http://fcm.googleapis.com/x", False),
        ("https://127.0.0.1/x", False),
        ("https://[::1]/x", False),
        ("https://169.254.169.254/latest", False),
        ("https://192.168.1.1/x", False),
        ("nonsense", False),
        ("https://fcm.googleapis.com/" + "x" * 1000, False),
    ],
)
def test_only_endpoints_of_listed_services_are_taken(service: PushService, endpoint: str, taken: bool) -> None:
    assert pusher(service, "fcm.googleapis.com", "*.notify.windows.com").takes(endpoint) == taken


async def test_a_listed_name_at_an_inner_address_is_not_gone_to() -> None:
    inner = Door(frozenset(), frozenset(), push=frozenset({"localhost"}))
    made = Pusher(PushSettings(hosts=["localhost"]), inner, KEY, "", lambda: NOW)
    assert await made.send("https://localhost/x", 600) == Sent("refused")
    assert dict(inner.counts) == {("push", "refused"): 1}


def test_the_pair_of_keys_follows_from_the_secret_alone(service: PushService) -> None:
    point = unpadded(pusher(service).public_key)
    assert len(point) == 65 and point[0] == 4
    public = private_key(KEY).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    assert public == point
    assert private_key(b"l" * 32).private_numbers() != private_key(KEY).private_numbers()


@pytest.mark.parametrize("host", ["*.com", "*", "https://fcm.googleapis.com", "*.*.example.org", ""])
def test_a_host_of_a_push_service_is_a_name_or_all_below_one(host: str) -> None:
    with pytest.raises(ValidationError):
        PushSettings(hosts=[host])
    assert PracticeSettings(push=PushSettings(hosts=["*.Notify.Windows.com"])).push.hosts == ["*.notify.windows.com"]
