"""A node of release 0.1.0 and one of today on one PostgreSQL and one key store, as a rolling update has them.

The older one starts first, so today's migrates a database that is in use.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from practice.kinds import KINDS
from tests.earlier import ABSENT, RELEASE_0_1_0, ROOT, environment, unpacked
from tests.people import Time
from tests.servers.postgres import Postgres
from vault.database.migrate import migrate
from vault.keystore import upgrade, verify
from vault.settings import VaultSettings

SCRIPT = Path(__file__).parent / "node.py"
SECONDS = 120


class Refused(Exception):  # noqa: N818 -- an answer
    """With the code."""


class Ended(Exception):  # noqa: N818 -- an answer
    """With what it said last."""


class Node:
    """One of either build, in a process of its own (``node.py``)."""

    def __init__(self, process: asyncio.subprocess.Process, name: str, log: Path) -> None:
        self._process = process
        self.name = name
        self._log = log

    async def heard(self) -> Any:
        """Its next answer."""
        assert self._process.stdout is not None
        async with asyncio.timeout(SECONDS):
            line = await self._process.stdout.readline()
        if not line:
            raise Ended(self._log.read_text())
        said = json.loads(line)
        if "refused" in said:
            raise Refused(said["refused"])
        return said["is"]

    async def ask(self, what: str, *arguments: Any, **named: Any) -> Any:
        """What a method of its answers, as JSON has it."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([what, *arguments, *([named] if named else [])]).encode() + b"\n")
        return await self.heard()

    async def refuses(self, what: str, *arguments: Any) -> str:
        """The code."""
        with pytest.raises(Refused) as refused:
            await self.ask(what, *arguments)
        return str(refused.value)


@asynccontextmanager
async def started(tree: Path, settings: VaultSettings, name: str) -> AsyncIterator[Node]:
    """A node with a data folder of its own."""
    urls = {"database_url": settings.database_url, "keystore_url": settings.keystore_url}
    told = {
        "data": str(settings.data / name),
        "root_key_file": str(settings.root_key()),
        "transit": json.loads(settings.transit.model_dump_json()),
        "trust_clock": True,
        **{key: url.get_secret_value() for key, url in urls.items() if url is not None},
    }
    pipe = asyncio.subprocess.PIPE
    command = (sys.executable, str(SCRIPT), json.dumps(told))
    log = settings.data.with_name(f"{name}.log")
    with log.open("wb") as said:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=tree, env=environment(tree), stdin=pipe, stdout=pipe, stderr=said
        )
    try:
        node = Node(process, name, log)
        assert Path(await node.heard()).is_relative_to(tree), "it runs the modules of its own build"
        yield node
    finally:
        assert process.stdin is not None
        process.stdin.close()
        async with asyncio.timeout(SECONDS):
            await process.wait()


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of 0.1.0."""
    tree = tmp_path_factory.mktemp("release") / "0.1.0"
    if not unpacked(RELEASE_0_1_0, tree):
        pytest.skip(ABSENT)
    return tree


@pytest.fixture
def shared(nodes: VaultSettings, postgres: Postgres) -> VaultSettings:
    """Empty databases: the older node makes the tables."""
    return nodes.model_copy(update={"database_url": SecretStr(postgres.new_database(migrated=False))})


@pytest.fixture
async def both(release: Path, shared: VaultSettings) -> AsyncIterator[tuple[Node, Node]]:
    """The older node and the newer one."""
    async with started(release, shared, "older") as older, started(ROOT, shared, "newer") as newer:
        yield older, newer


def same(one: Any, other: Any) -> bool:
    """Whether two builds say the same, as far as both know of it."""
    if isinstance(one, dict):
        return all(same(one[name], other[name]) for name in one.keys() & other.keys())
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


async def test_what_one_writes_the_other_reads(both: tuple[Node, Node]) -> None:
    for writer, reader in (both, both[::-1]):
        mail = f"{writer.name}@example.org"
        person = await writer.ask("add", mail, "30d")
        assert same(await reader.ask("person", person["id"]), person)
        token = await writer.ask("signed_in", mail)
        assert await reader.ask("session", token) == person["id"]
        assert await reader.ask("session", await reader.ask("signed_in", mail)) == person["id"]
        for patient in ("Voorbeeld, patiënt één", "V" * 200, "مريض مثال"):
            planned = await writer.ask("plan", person["id"], patient, 1)
            assert (planned["patient"], planned["state"]) == (patient, "planned")
            assert same(await reader.ask("get", person["id"], planned["id"]), planned)
            ended = await writer.ask("end", planned["id"])
            assert same(await reader.ask("get", person["id"], planned["id"]), ended)
            assert same(await reader.ask("linked", planned["id"], planned["secret"]), ended)
            assert same(await reader.ask("reopen", person["id"], planned["id"]), planned | {"version": 3})
            assert same(await writer.ask("get", person["id"], planned["id"]), planned | {"version": 3})
        before = await writer.ask("shown", person["id"])
        assert len(before) == 3
        assert same(await reader.ask("shown", person["id"]), before)
        assert await writer.ask("keep", person["id"], "90d") == 0
        after = await reader.ask("shown", person["id"])
        assert (await reader.ask("person", person["id"]))["retention"] == "90d"
        pairs = list(zip(before, after, strict=True))
        assert all(same(later, one | {"due": later["due"], "version": 4}) for one, later in pairs)
        assert all(one["due"] < later["due"] for one, later in pairs)
        assert same(await writer.ask("shown", person["id"]), after)
    assert same(await both[0].ask("trail"), await both[1].ask("trail"))
    assert (await both[0].ask("trail"))["bad"] is None


async def test_either_destroys_and_finishes_what_the_other_began(both: tuple[Node, Node]) -> None:
    for one, other in (both, both[::-1]):
        mail = f"{one.name}@example.org"
        person = await one.ask("add", mail, "end")
        owner = person["id"]
        by_hand, marked, due, kept = [
            (await node.ask("plan", owner, "Patiënt", hours))["id"]
            for node, hours in ((other, 5), (one, 5), (other, 0), (one, 50))
        ]
        receipt = await one.ask("destroy", owner, by_hand)
        assert await other.refuses("get", owner, by_hand) == "gone"
        assert same(await other.ask("receipts", owner), [receipt])
        await one.ask("mark", owner, marked)
        for node in both:  # also longer than a lease lasts
            await node.ask("go", hours=2)
        assert await other.ask("sweep") == 2
        for row_id in (marked, due):
            assert await one.refuses("get", owner, row_id) == "gone"
        assert await one.ask("missing", by_hand, marked, due, kept) == [by_hand, marked, due]
        assert [each["id"] for each in await one.ask("shown", owner)] == [kept]
        assert same(await one.ask("receipts", owner), await other.ask("receipts", owner))
        assert await one.ask("session", await other.ask("signed_in", mail)) == owner
        closed = await one.ask("close", owner)
        assert (closed["destroyed"], closed["waiting"]) == (1, 0)
        assert await other.refuses("person", owner) == "not_found"
        assert await other.ask("signed_in", mail) is None
    for node in both:
        status = await node.ask("status")
        assert (status["overdue"], status["alarms"]) == (0, 0)
        assert (await node.ask("trail"))["bad"] is None


async def sweep_in_turns(both: tuple[Node, Node]) -> None:
    """After longer than a lease lasts, and again between the two."""
    for node in both:
        await node.ask("go", minutes=20)
    for swept in both:
        await swept.ask("sweep")
        for node in both:
            await node.ask("go", minutes=2)


async def test_the_older_node_takes_no_key_of_a_kind_that_it_does_not_know(both: tuple[Node, Node]) -> None:
    older, newer = both
    person = await newer.ask("add", "alice@example.org", "30d")
    said = await newer.ask("say", person["id"], "nl", "Wacht maar even.")
    await sweep_in_turns(both)
    assert await newer.ask("said", person["id"]) == [said]
    await older.ask("close", person["id"])
    assert await newer.refuses("person", person["id"]) == "not_found"
    assert await newer.ask("compare") == 1, "the older one left it"
    await newer.ask("sweep")
    assert await newer.ask("missing", said["id"]) == [said["id"]]
    assert len(await newer.ask("receipts", person["id"])) == 2, "its own, and the account's"


async def test_the_older_node_goes_on_with_what_was_handed_over(both: tuple[Node, Node]) -> None:
    older, newer = both
    giver, taker = [(await older.ask("add", f"{name}@example.org", "30d"))["id"] for name in ("alice", "bob")]
    await newer.ask("keep", giver, "7d")
    planned = [await node.ask("plan", giver, node.name, 50) for node in both]
    assert await newer.ask("hand_over", giver, taker) == 2
    assert await older.ask("shown", giver) == []
    assert [await older.refuses("get", giver, one["id"]) for one in planned] == ["gone", "gone"]
    taken = await older.ask("shown", taker)
    assert sorted(one["patient"] for one in taken) == ["newer", "older"]
    await sweep_in_turns(both)
    assert same(await newer.ask("shown", taker), await older.ask("shown", taker))
    for one in taken:
        assert (await older.ask("linked", one["id"], one["secret"]))["patient"] == one["patient"]
    for one in planned:
        assert (await newer.ask("linked", one["id"], one["secret"]))["patient"] == one["patient"]
        assert await older.ask("linked", one["id"], one["secret"]) is None, "it knows the row of the link only"
    ended = await older.ask("end", taken[0]["id"])
    assert same(await newer.ask("get", taker, ended["id"]), ended)
    await older.ask("destroy", taker, ended["id"])
    assert await newer.refuses("get", taker, ended["id"]) == "gone"
    for node in both:
        assert (await node.ask("status"))["alarms"] == 0
        assert (await node.ask("trail"))["bad"] is None


async def test_the_older_node_goes_on_beside_an_organisation(both: tuple[Node, Node]) -> None:
    older, newer = both
    person = await older.ask("add", "alice@example.org", "30d")
    organisation = await newer.ask("establish")
    assert await newer.ask("roles", person["id"]) == ["owner", "practitioner"]
    later = await older.ask("add", "later@example.org", "30d")
    assert await newer.ask("roles", later["id"]) == ["practitioner"], "nobody has made a member of it yet"
    assert await newer.ask("establish") == organisation
    await sweep_in_turns(both)
    assert await newer.ask("missing", organisation) == []
    assert await newer.ask("roles", person["id"]) == ["owner", "practitioner"]
    assert await older.ask("session", await older.ask("signed_in", "alice@example.org")) == person["id"]
    planned = await older.ask("plan", person["id"], "Patiënt", 1)
    assert same(await newer.ask("get", person["id"], planned["id"]), planned)
    await older.ask("close", later["id"])
    assert await newer.ask("compare") == 1, "the older one left its member"
    await newer.ask("sweep")
    assert len(await newer.ask("receipts", organisation)) == 1
    assert (await newer.ask("status"))["alarms"] == 0


async def test_either_begins_an_epoch_and_the_other_goes_on(both: tuple[Node, Node], shared: VaultSettings) -> None:
    people = [await node.ask("add", f"{number}@example.org", "30d") for number, node in enumerate(both)]
    planned = [await node.ask("plan", one["id"], "Patiënt", 9) for one in people for node in both]

    async def all_is_there() -> None:
        for node in both:
            for one in planned:
                assert same(await node.ask("get", one["owner"], one["id"]), one)

    for one, other in (both, both[::-1]):
        await one.ask("rotate", False)
        await all_is_there()
        planned += [await node.ask("plan", people[0]["id"], "Later", 9) for node in (other, one)]
        await other.ask("destroy", people[0]["id"], planned.pop()["id"])
        for node in both:
            await node.ask("go", minutes=2)
        await one.ask("sweep")
        await all_is_there()
        await one.ask("rotate", True)
        await all_is_there()
    verdict = await verify(shared, KINDS, Time().now)
    assert verdict.findings == ()


async def test_the_key_store_becomes_a_tree_only_when_no_older_node_can_harm_it(
    release: Path, shared: VaultSettings, postgres: Postgres
) -> None:
    said: list[str] = []

    async def grown() -> bool:
        return await upgrade(shared, lambda: said.append("it begins"))

    async with started(release, shared, "older") as older:
        person = await older.ask("add", "older@example.org", "30d")
        planned, last = [await older.ask("plan", person["id"], "Patiënt", hours) for hours in (9, 10)]
        await asyncio.to_thread(migrate, shared.database())
        assert not await grown(), "the older node is there"
        assert same(await older.ask("get", person["id"], planned["id"]), planned)
        receipt = await older.ask("destroy", person["id"], (await older.ask("plan", person["id"], "Gone", 9))["id"])
        await asyncio.to_thread(postgres.drop_connections)
        assert await grown(), "the older node was cut off, and nothing tells that it runs"
        for what in (["sweep"], ["rotate", False], ["rotate", True], ["plan", person["id"], "Patiënt", 1]):
            await older.ask("go", minutes=2)
            assert await older.refuses(*what) == "try_again"
        assert await older.refuses("destroy", person["id"], last["id"]) == "try_again"  # it destroys, and cannot say so
    assert len(said) == 2
    later = Time()
    later.pass_(hours=1)
    assert (await verify(shared, KINDS, later.now)).findings == ()
    with pytest.raises(Ended, match="newer version of this program"):
        async with started(release, shared, "older"):
            pass
    async with started(ROOT, shared, "newer") as newer:
        assert await newer.ask("locked") is None
        assert await newer.ask("missing", planned["id"], last["id"]) == [last["id"]]
        assert same(await newer.ask("get", person["id"], planned["id"]), planned)
        assert await newer.refuses("get", person["id"], last["id"]) == "gone"
        assert same((await newer.ask("receipts", person["id"]))[1:], [receipt])
