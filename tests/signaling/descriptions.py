"""The four descriptions of the wire, compared: the registry, OpenAPI, AsyncAPI and docs/protocol.md."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from signaling.protocol.capabilities import CAPABILITIES
from signaling.protocol.errors import CATALOGUE
from signaling.protocol.events import CLIENT_EVENTS, REPLAYED, SERVER_EVENTS
from signaling.routes import ENDPOINTS
from signaling.schema import asyncapi, openapi

DOCUMENT = Path(__file__).parents[2] / "docs" / "protocol.md"


def differences() -> list[str]:
    """What one of them says and another does not, in words."""
    return [*_rest(), *_events(), *_schemas(), *_page()]


def _rest() -> Iterator[str]:
    document = openapi.document(ENDPOINTS)
    described = {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    yield from _apart("OpenAPI", {f"{one.method} {one.path}" for one in ENDPOINTS}, described)
    for one in ENDPOINTS:
        operation = described.get(f"{one.method} {one.path}", {})
        body = _reference(operation.get("requestBody", {}))
        reply = _reference(operation.get("responses", {}).get(str(one.status if one.reply else 204), {}))
        yield from _apart(f"OpenAPI {one.path}", _name(one.body), body)
        yield from _apart(f"OpenAPI {one.path}", _name(one.reply), reply)
        promised = {str(CATALOGUE[code][1]) for code in one.codes}
        yield from (f"OpenAPI {one.path}: no {code}" for code in promised - operation.get("responses", {}).keys())


def _events() -> Iterator[str]:
    document = asyncapi.document()
    messages = document["components"]["messages"]
    registry = {"connect", *(f"client.{name}" for name in CLIENT_EVENTS), *(f"server.{name}" for name in SERVER_EVENTS)}
    yield from _apart("AsyncAPI", registry, document["operations"])
    for name, event in CLIENT_EVENTS.items():
        yield from _apart(f"AsyncAPI {name}", _name(event.body), _payload(messages[f"client.{name}"]))
        operation = document["operations"][f"client.{name}"]
        yield from _apart(f"AsyncAPI {name}", event.roles, operation["x-roles"])
        if operation["x-once"] is not event.once:
            yield f"AsyncAPI {name}: x-once"
    for name, (body, _) in SERVER_EVENTS.items():
        yield from _apart(f"AsyncAPI {name}", _name(body), _payload(messages[f"server.{name}"]))
    yield from _apart(
        "AsyncAPI", REPLAYED, {name for name in SERVER_EVENTS if "x-beside" in messages[f"server.{name}"]}
    )


def _schemas() -> Iterator[str]:
    """A model that both documents have must be the same in both, and the same as the model itself."""
    one = openapi.document(ENDPOINTS)["components"]["schemas"]
    other = asyncapi.document()["components"]["schemas"]
    yield from (
        f"{name} is not the same in OpenAPI and AsyncAPI" for name in one.keys() & other if one[name] != other[name]
    )


def _page() -> Iterator[str]:
    text = DOCUMENT.read_text("utf-8")
    for mark, registry in (
        ("client-events", CLIENT_EVENTS),
        ("server-events", SERVER_EVENTS),
        ("capabilities", CAPABILITIES),
        ("replayed", REPLAYED),
        ("errors", CATALOGUE),
        ("rest", {f"{one.method} {one.path}" for one in ENDPOINTS}),
    ):
        table = text.partition(f"<!-- {mark}: begin")[2].partition(f"<!-- {mark}: end")[0]
        yield from _apart(f"docs/protocol.md, {mark}", registry, re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE))
    known = {f"{one.method} {one.path}" for one in ENDPOINTS}
    for call in re.findall(r"(?:GET|POST|PUT|DELETE)\s+/api/v1/[^\s`)]*", text):
        if " ".join(call.split()) not in known:
            yield f"docs/protocol.md: {call} does not exist"


def _apart(where: str, registry: Iterable[str], described: Iterable[str]) -> Iterator[str]:
    ours, theirs = set(registry), set(described)
    yield from (f"{where}: {name} is missing" for name in sorted(ours - theirs))
    yield from (f"{where}: {name} is too much" for name in sorted(theirs - ours))


def _name(model: type | None) -> set[str]:
    return {model.__name__} if model else set()


def _reference(content: dict[str, Any]) -> set[str]:
    schema = content.get("content", {}).get("application/json", {}).get("schema", {})
    return {schema["$ref"].rpartition("/")[2]} if schema else set()


def _payload(message: dict[str, Any]) -> set[str]:
    return {message["payload"]["$ref"].rpartition("/")[2]}
