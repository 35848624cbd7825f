"""docs/session.json: a whole consult as it was recorded, and what plays it again against a live server.

``python -m tests.conformance.recorded`` records it anew, which within one version of the protocol may only add steps:
an app that was written against it has to go on working.
"""

import asyncio
import json
import secrets
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from client.probe import Account
from signaling.protocol.model import PROTOCOL_VERSION
from tests.client.house import open_house
from tests.conformance.requirement import Violation, expect
from tests.conformance.story import STORY, Step
from tests.conformance.world import Page, World, until

FILE = Path(__file__).parents[2] / "docs" / "session.json"
RANDOM = ("doctor", "guest", "elsewhere", "once", "another", "wrote")
"""Ids that a client makes, in this order bytewise, for that is how the members of a handshake are ordered."""

VARIES = frozenset(
    {
        *("access_token", "refresh_token", "resume", "expires_in", "refresh_expires_in", "link", "ice_servers", "sdp"),
        *(
            "starts_at",
            "opens_at",
            "closes_at",
            "destroyed_at",
            "since",
            "fence",
            "epoch",
            "seq",
            "version",
            "slots",
            "plan",
        ),
        *("opens_in", "closes_in"),
        *("practitioner_name", "practitioner", "newest", "in_consult"),
    }
)
"""Fields whose values are another each time; of everything else the value counts."""

WITHIN = frozenset({"limits", "protocol"})
"""The same for all that is in these, which is the server's own affair."""

KINDS: dict[str, tuple[type, ...]] = {
    "integer": (int,),
    "number": (int, float),
    "string": (str,),
    "list": (list,),
    "null": (type(None),),
    "state": (str,),
    "any": (object,),
}


def mask(value: Any, bound: dict[str, Any], field: str = "") -> Any:
    """An answer as it is written down: what varies as its kind, what was bound by its name."""
    names = {text: name for name, text in bound.items() if isinstance(text, str)}
    if isinstance(value, dict):
        within = field if field in WITHIN else ""
        return {key: mask(one, bound, within or key) for key, one in value.items()}
    if field in VARIES or field in WITHIN:
        return (
            "{*any}"
            if field == "in_consult"
            else "{*" + next(kind for kind, types in KINDS.items() if isinstance(value, types)) + "}"
        )
    if field == "media" and isinstance(value, str):
        return "{*state}"
    if isinstance(value, str) and value in names:
        return f"{{{names[value]}}}"
    return [mask(one, bound, field) for one in value] if isinstance(value, list) else value


def fill(value: Any, bound: dict[str, Any]) -> Any:
    """What is sent: names replaced by what they stand for."""
    if isinstance(value, dict):
        return {key: fill(one, bound) for key, one in value.items()}
    if isinstance(value, list):
        return [fill(one, bound) for one in value]
    named = isinstance(value, str) and value.startswith("{") and value.endswith("}")
    return bound[value[1:-1]] if named else value


def difference(expected: Any, actual: Any, bound: dict[str, Any], where: str = "") -> str | None:
    """Where an answer is not what was recorded. It may have more fields, for an old app passes over them."""
    if isinstance(expected, str) and expected.startswith("{*"):
        return None if isinstance(actual, KINDS[expected[2:-1]]) else f"{where} is {actual!r}, not {expected}"
    if isinstance(expected, dict) and isinstance(actual, dict):
        for key, one in expected.items():
            if key not in actual:
                return f"{where}.{key} is missing"
            if found := difference(one, actual[key], bound, f"{where}.{key}"):
                return found
        return None
    if isinstance(expected, list) and isinstance(actual, list) and where.endswith(".waiting"):
        # Of a practitioner who has other patients too.
        there = all(any(difference(one, it, bound) is None for it in actual) for one in expected)
        return None if there else f"{where} is {actual!r}"
    if isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        pairs = enumerate(zip(expected, actual, strict=True))
        return next(filter(None, (difference(one, it, bound, f"{where}[{i}]") for i, (one, it) in pairs)), None)
    wanted = fill(expected, bound)
    return None if wanted == actual else f"{where} is {actual!r}, not {wanted!r}"


class Player:
    """Plays steps; with ``record`` it writes down what came instead of comparing it."""

    def __init__(self, world: World, *, record: bool = False) -> None:
        self.world = world
        self.record = record
        self.steps: list[Step] = []
        self._pages: dict[str, Page] = {}
        self._used: dict[str, set[int]] = {}
        self._seen: dict[str, int] = {}
        self._bound: dict[str, Any] = dict(zip(RANDOM, sorted(secrets.token_urlsafe(16) for _ in RANDOM), strict=True))
        self._bound["now"] = datetime.now(UTC).isoformat(timespec="seconds")

    async def play(self, steps: list[Step]) -> list[Step]:
        """All of them as they are written down.

        Raises:
            Violation: something else came than was recorded.
        """
        for number, step in enumerate(steps):
            try:
                self.steps.append(await self._take(step))
            except Violation as violation:
                what = next(str(step[key]) for key in ("call", "connect", "send", "hears", "who") if key in step)
                raise Violation(f"step {number}, {step['who']}, {what}: {violation}") from None
        return self.steps

    async def _take(self, step: Step) -> Step:
        kinds = {"call": self._call, "connect": self._connect, "send": self._send, "hears": self._hear}
        if "drops" in step:
            await self._pages[step["who"]].drop()
        elif "closed" in step:
            await until(lambda: not self._pages[step["who"]].connected, "it is not closed")
        for kind, take in kinds.items():
            if kind in step:
                return await take(step)
        return step

    async def _call(self, step: Step) -> Step:
        method, path = step["call"].split()
        for name, value in self._bound.items():
            path = path.replace(f"{{{name}}}", str(value))
        rest = self.world.desk if step["who"] == "doctor" else self.world.visitor
        body = fill(step["body"], self._bound)
        if "starts_at" in body:
            # The account has others now: an app of then tells its practitioner, who chooses another time.
            body["anyway"] = True
        status, text = await rest.fetch(method, path, body)
        if not self.record:
            expect(status == step["status"], f"HTTP {status}")
        answer = json.loads(text) if text else None
        return self._compared(step | {"status": status}, "answer", answer)

    async def _connect(self, step: Step) -> Step:
        auth = fill(step["connect"], self._bound)
        self._note(step["who"])
        page = self.world.page(self._bound["appointment"], self._bound[step["who"]])
        self._pages[step["who"]], self._used[step["who"]] = page, set()
        await page.connect(auth.pop("token"), **auth)
        return step

    async def _send(self, step: Step) -> Step:
        page = self._pages[step["who"]]
        self._bound["seen"] = self._note(step["who"])
        beside = [fill(step["beside"], self._bound)] if "beside" in step else []
        reply = await page.ask(step["send"], fill(step["body"], self._bound), *beside)
        if "refused" in step:
            expect(not reply["ok"] and reply["error"]["code"] == step["refused"], f"it gets {reply}")
            return step
        expect(reply["ok"], f"it is refused with {reply.get('error', {}).get('code')}")
        return self._compared(step, "answer", reply["data"])

    async def _hear(self, step: Step) -> Step:
        page, used = self._pages[step["who"]], self._used[step["who"]]

        def found() -> int | None:
            for number, (event, body) in enumerate(page.heard):
                if number not in used and event == step["hears"] and self._differs(step["body"], body or {}) is None:
                    return number + 1
            return None

        number = await until(found, f"it hears no such {step['hears']}, but {[name for name, _ in page.heard]}")
        used.add(number - 1)
        return self._compared(step, "body", page.heard[number - 1][1] or {})

    def _note(self, who: str) -> int:
        """The last number that somebody heard, on whatever connection."""
        page = self._pages.get(who)
        if page:
            numbers = [beside["seq"] for _, beside in page.beside] + [one["seq"] for one in page.events("replay")]
            self._seen[who] = max([self._seen.get(who, 0), *numbers])
        return self._seen.get(who, 0)

    def _differs(self, expected: Any, actual: Any) -> str | None:
        return difference(expected, actual, self._bound)

    def _compared(self, step: Step, key: str, came: Any) -> Step:
        """Bind what the step binds; then compare what came with what was recorded, or record it."""
        for name, path in step.get("bind", {}).items():
            value = came
            for part in path.split("."):
                value = value[part]
            self._bound[name] = value.rsplit("#", 1)[-1] if isinstance(value, str) else value
            if name == "appointment":
                self.world.appointments.append(value)
        if self.record:
            return step | {key: mask(came, self._bound)}
        found = self._differs(step[key], came)
        expect(found is None, f"{key}{found}")
        return step


async def record() -> list[Step]:
    """Against a demo of its own."""
    with tempfile.TemporaryDirectory() as folder, open_house(Path(folder)) as house:
        world = World(house.url, Account(link=house.token))
        try:
            await world.sign_in()
            return await Player(world, record=True).play(STORY)
        finally:
            await world.close()


def written(steps: list[Step]) -> str:
    """One step a line."""
    lines = ",\n".join(json.dumps(step, ensure_ascii=False) for step in steps)
    about = "docs/apps.md, A recorded session; {name}: bound before, {*kind}: any value of that kind"
    return f'{{"version": {PROTOCOL_VERSION}, "format": "{about}", "steps": [\n{lines}\n]}}\n'


if __name__ == "__main__":
    FILE.write_text(written(asyncio.run(record())))
