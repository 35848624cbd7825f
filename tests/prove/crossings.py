"""Two organisations beside each other, and operations in every role with ids of either: nobody gets at the other's."""

import asyncio
from collections.abc import Iterator
from itertools import count
from random import Random
from typing import get_args

from practice.organisation.model import MemberRole
from practice.storage import Store
from tests.opening import open_store
from tests.organisations import OPERATOR, PRACTICE
from tests.people import Time
from tests.practice.calls import CALLS, SELDOM
from tests.practice.test_scope import ROLES, SERVERS, Step, cast, take
from tests.prove.figures import Figure, Size, counted
from vault.settings import VaultSettings

EACH = 50
"""Operations of two people; then come two others, for who closed an account is there no more."""

METHODS = [name for name in CALLS for _ in range(1 if name in SELDOM else 10)]


def prove(size: Size) -> list[Figure]:
    """Each operation is compared with what an unknown id gives, and with all that is stored of the other."""
    operations = size.choose(10_000, EACH)
    crossed, roles = asyncio.run(campaign(size, operations))
    beside = f"operations of {roles} member roles, alone and together, and of all other scopes"
    return [counted("what is another organisation's seen, found or changed", crossed, operations, beside)]


async def campaign(size: Size, operations: int) -> tuple[int, int]:
    """How many got at something, and how many roles there were among who asked."""
    time, mails, crossed, roles = Time(), count(), 0, set[MemberRole]()
    settings = VaultSettings(data=size.memory / "crossings", trust_clock=True)
    async with open_store(settings, now=time.now, boot=time.boottime) as store:
        SERVERS.append(await store.organisation.establish(OPERATOR, PRACTICE))
        for _ in range(operations // EACH):
            steps = [step(size.random) for _ in range(EACH)]
            crossed += await crossings(store, mails, size.random, steps)
            roles.update(*(one.roles for one in steps))
    return crossed, len(roles)


async def crossings(store: Store, mails: Iterator[int], random: Random, steps: list[Step]) -> int:
    """Of how many steps what came was not as it must be."""
    people, crossed = await cast(store, mails), 0
    for one in steps:
        who = random.randrange(2)
        try:
            await take(store, people[who], people[1 - who], one)
        except AssertionError:
            crossed += 1
    return crossed


def step(random: Random) -> Step:
    """Any call, in any scope, with any id."""
    roles = frozenset(role for role in get_args(MemberRole) if random.random() < 0.3)
    return Step(random.choice(METHODS), random.choice(ROLES), random.random() < 0.5, random.randrange(10), roles)
