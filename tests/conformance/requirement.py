"""Requirements: what a section of docs/protocol.md asks, with the check that shows whether a server does it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.conformance.world import World

CHECK_SECONDS = 30.0
SETTLE_SECONDS = 0.05
"""For what a server sends and should not."""

Check = Callable[["World"], Awaitable[None]]


class Violation(Exception):  # noqa: N818 -- the server's, not an error of ours
    """The server does not do what the document says."""


class Untried(Exception):  # noqa: N818 -- nobody's error
    """What it needs is not there, so nothing is known of it."""


def expect(met: object, otherwise: str) -> None:
    """Raises:
    Violation: it is not met.
    """
    if not met:
        raise Violation(otherwise)


@dataclass(frozen=True)
class Requirement:
    """Attributes:
    name: of the check, for ``--only``.
    section: a heading of docs/protocol.md.
    sentence: what has to be true.
    exhausts: it uses up an allowance of this address for a while; made only when asked for.
    """

    name: str
    section: str
    sentence: str
    check: Check
    exhausts: bool = False


@dataclass(frozen=True)
class Outcome:
    """``why`` it is not met, or ``untried``: why nobody knows."""

    requirement: Requirement
    seconds: float
    why: str | None
    untried: str | None = None


REQUIREMENTS: dict[str, Requirement] = {}


def requirement(section: str, sentence: str, *, exhausts: bool = False) -> Callable[[Check], Check]:
    """Register a check under its function's name."""

    def register(check: Check) -> Check:
        name = check.__name__.replace("_", "-")
        REQUIREMENTS[name] = Requirement(name, section, sentence, check, exhausts)
        return check

    return register


async def judge(one: Requirement, world: "World") -> Outcome:
    """Whatever goes wrong, the server has not shown that it does what it should."""
    start = time.monotonic()
    why, untried = None, None
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await one.check(world)
    except Violation as violation:
        why = str(violation)
    except Untried as reason:
        untried = str(reason)
    except TimeoutError as error:
        why = str(error) or f"no end after {CHECK_SECONDS:.0f} s"
    except Exception as error:  # noqa: BLE001 -- see above
        why = f"{type(error).__name__}: {error}".replace("\n", " ")[:300]
    await asyncio.sleep(SETTLE_SECONDS)
    strange = await world.go_home()
    why = why or (strange[0] if strange else None)
    return Outcome(one, time.monotonic() - start, why, untried)
