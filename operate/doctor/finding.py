"""What a look at one thing found."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Final, Literal

State = Literal["ok", "warn", "fail", "unknown"]
Check = Callable[[], Awaitable[list["Finding"]]]

SECONDS: Final = 15.0
MARKS: Final[dict[State, str]] = {"ok": "ok     ", "warn": "warn   ", "fail": "FAIL   ", "unknown": "unknown"}


@dataclass(frozen=True)
class Finding:
    """``meaning`` is a sentence without a secret in it; ``fix`` says what to do, empty when nothing is."""

    check: str
    state: State
    meaning: str
    fix: str = ""


def good(check: str, meaning: str) -> Finding:
    return Finding(check, "ok", meaning)


def warn(check: str, meaning: str, fix: str) -> Finding:
    return Finding(check, "warn", meaning, fix)


def bad(check: str, meaning: str, fix: str) -> Finding:
    return Finding(check, "fail", meaning, fix)


def unknown(check: str, meaning: str, fix: str) -> Finding:
    return Finding(check, "unknown", meaning, fix)


async def look(checks: dict[str, Check], seconds: float = SECONDS) -> list[Finding]:
    """All checks at once, each for at most this long. One that breaks is a finding too, never the end of the rest."""
    return [one for found in await asyncio.gather(*(_one(n, c, seconds) for n, c in checks.items())) for one in found]


async def _one(name: str, check: Check, seconds: float) -> list[Finding]:
    try:
        async with asyncio.timeout(seconds):
            return await check()
    except TimeoutError:
        return [unknown(name, f"No answer in {seconds:.0f} seconds.", "See whether the part runs and can be reached.")]
    except Exception as error:  # noqa: BLE001 -- a look must not stop at the first thing that is broken
        return [unknown(name, f"The check itself failed ({type(error).__name__}).", "Report this as a fault of ours.")]


def text(findings: Iterable[Finding]) -> str:
    """For people: a line each, with what to do below it."""
    lines = []
    for one in findings:
        lines.append(f"{MARKS[one.state]}  {one.check:<18} {one.meaning}")
        if one.fix:
            lines.append(f"{'':29}→ {one.fix}")
    return "\n".join(lines)


def as_json(findings: list[Finding]) -> str:
    """For programs: one line."""
    return json.dumps({"ok": not failed(findings), "findings": [asdict(one) for one in findings]})


def failed(findings: Iterable[Finding]) -> bool:
    return any(one.state == "fail" for one in findings)
