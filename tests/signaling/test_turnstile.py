"""A short line that is fair, and nobody who waits for ever."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from signaling.protocol.errors import UserError
from signaling.turnstile import Turnstile


class Work:
    """Something that takes until the test says so; remembers in which order it was begun."""

    def __init__(self, turnstile: Turnstile) -> None:
        self.turnstile = turnstile
        self.begun: list[str] = []
        self.ends = asyncio.Event()
        self.tasks: list[asyncio.Task[str]] = []

    async def ask(self, whose: str, name: str = "") -> asyncio.Task[str]:
        """Somebody asks and stands where there is room, or is refused."""

        async def work() -> str:
            self.begun.append(name or whose)
            await self.ends.wait()
            return whose

        self.tasks.append(asyncio.create_task(self.turnstile.through(whose, work)))
        for _ in range(3):
            await asyncio.sleep(0)
        return self.tasks[-1]


@pytest.fixture
async def work() -> AsyncIterator[Work]:
    one = Work(Turnstile(at_once=1, waiting=4, within=60))
    yield one
    one.ends.set()
    for task in one.tasks:
        task.cancel()
        with suppress(asyncio.CancelledError, UserError):
            await task


def refused(task: asyncio.Task[str]) -> bool:
    return task.done() and isinstance(task.exception(), UserError)


async def test_the_lines_take_turns(work: Work) -> None:
    for name in ("a1", "a2", "a3", "b1", "c1"):
        await work.ask(name[0], name)
    work.ends.set()
    await asyncio.gather(*work.tasks)
    assert work.begun == ["a1", "a2", "b1", "c1", "a3"]


async def test_a_crowd_makes_room_for_one_who_comes_alone_and_for_nobody_of_its_own(work: Work) -> None:
    crowd = [await work.ask("crowd", str(one)) for one in range(5)]
    late = await work.ask("crowd", "late")
    assert refused(late) and late.exception().code == "try_again"  # type: ignore[union-attr]
    alone = await work.ask("alone")
    assert refused(crowd[-1]) and not any(refused(one) for one in [*crowd[:-1], alone])
    work.ends.set()
    await asyncio.gather(*crowd[:-1], alone)
    assert work.begun.index("alone") == 2, "after who was at work and the first in line"


async def test_four_lines_of_one_keep_a_fifth_out(work: Work) -> None:
    for whose in "abcde":
        await work.ask(whose)
    assert refused(await work.ask("f"))


async def test_nobody_waits_for_ever() -> None:
    work = Work(Turnstile(at_once=1, waiting=4, within=0.05))
    await work.ask("first")
    with pytest.raises(UserError, match="try_again"):
        await (await work.ask("second"))
    work.ends.set()
    assert await work.tasks[0] == "first"
    assert await (await work.ask("third")) == "third"


@pytest.mark.parametrize("when", ["in line", "at its turn", "at work"])
async def test_who_goes_away_leaves_the_place_to_others(work: Work, when: str) -> None:
    first, second = await work.ask("first"), await work.ask("second")
    if when == "in line":
        second.cancel()
    elif when == "at work":
        first.cancel()
    else:
        work.ends.set()
        await asyncio.wait([first])
        second.cancel()
    work.ends.set()
    with suppress(asyncio.CancelledError):
        await second
    assert await (await work.ask("third")) == "third"


async def test_work_that_fails_lets_the_next_through(work: Work) -> None:
    async def fail() -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await work.turnstile.through("somebody", fail)
    work.ends.set()
    assert await (await work.ask("next")) == "next"


# --- in one and the same moment --------------------------------------------------------------------------------------


async def a_step() -> str:
    """Work that is done at the next turn of the loop."""
    await asyncio.sleep(0)
    return "done"


async def test_whose_turn_comes_as_they_give_up_is_let_in_and_leaves_the_place() -> None:
    turnstile = Turnstile(at_once=1, waiting=4, within=0.0)
    assert await asyncio.gather(*(turnstile.through(one, a_step) for one in range(2))) == ["done", "done"]
    assert await turnstile.through("late", a_step) == "done"


async def test_who_is_turned_out_as_they_go_away_is_refused_nothing() -> None:
    work = Work(Turnstile(at_once=1, waiting=2, within=60))
    first = await work.ask("first")
    crowd = [await work.ask("crowd", str(one)) for one in range(2)]
    alone = asyncio.create_task(work.turnstile.through("alone", a_step))
    crowd[1].cancel()  # runs after whoever comes alone
    with pytest.raises(asyncio.CancelledError):
        await crowd[1]
    work.ends.set()
    assert list(await asyncio.gather(first, crowd[0], alone)) == ["first", "crowd", "done"]
    assert work.begun == ["first", "0"]


async def test_the_turn_of_who_goes_away_at_that_moment_is_the_next_lines() -> None:
    work = Work(Turnstile(at_once=1, waiting=4, within=60))
    first, gone, following = [await work.ask(one) for one in ("first", "gone", "following")]
    work.ends.set()  # the first goes out before who is gone is heard of
    gone.cancel()
    assert list(await asyncio.gather(first, following)) == ["first", "following"]
    assert gone.cancelled()
    assert work.begun == ["first", "following"]
    assert await (await work.ask("late")) == "late"
