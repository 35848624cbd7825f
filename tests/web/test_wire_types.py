"""The types that the pages' code is checked against are those of the server's registry."""

import inspect
import re
from pathlib import Path

import pytest

from signaling.protocol import capabilities, events, rest
from signaling.protocol.model import Message

WIRE = Path(__file__).parents[2] / "web" / "static" / "client" / "wire.js"
CONTINUED = re.compile(r"\n \* +(?=[^@\s])")
TYPEDEF = re.compile(r"@typedef \{(.*)\} (\w+)$", re.MULTILINE)


def typedefs() -> dict[str, str]:
    """By name, what stands between the braces."""
    return {name: body for body, name in TYPEDEF.findall(CONTINUED.sub(" ", WIRE.read_text()))}


def fields(body: str, known: dict[str, str]) -> set[str]:
    """The names of the fields of an object, with those of the objects that it extends."""
    found: set[str] = set()
    depth = start = 0
    for at, sign in enumerate(f"{body}&"):
        if sign in "{[<":
            depth += 1
        elif sign in "}]>":
            depth -= 1
        if sign in ",&" and depth <= (sign == ","):
            part, start = body[start:at].strip(), at + 1
            if part in known:
                found |= fields(known[part], known)
            elif named := re.match(r"\{?\s*(\w+)\??:", part):
                found.add(named[1])
    return found


MODELS = {
    name: model
    for module in (rest, events, capabilities)
    for name, model in inspect.getmembers(module, inspect.isclass)
    if issubclass(model, Message)
}
TYPES = typedefs()
BOTH = sorted(name for name in TYPES.keys() & MODELS.keys() if TYPES[name].lstrip().startswith(("{", *TYPES)))


def test_there_are_types_to_compare() -> None:
    assert {"Join", "RoomView", "Answer", "AccountClosed", "DeskView", "Me"} <= set(BOTH)


@pytest.mark.parametrize("name", BOTH)
def test_a_type_has_the_fields_of_its_model(name: str) -> None:
    assert fields(TYPES[name], TYPES) == set(MODELS[name].model_fields)
