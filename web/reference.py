"""The API as a page of our own: what ``/api/openapi.json`` and ``/api/asyncapi.json`` say, for people. In English."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from aiohttp import web

from signaling.protocol.events import CLIENT_EVENTS, SERVER_EVENTS
from signaling.routes import ENDPOINTS
from signaling.schema import asyncapi, openapi
from web.render import page


@dataclass(frozen=True)
class Field:
    """One field of a model; ``kind`` is its type in words, ``model`` a model that it refers to."""

    name: str
    required: bool
    kind: str
    model: str | None
    meaning: str


@dataclass(frozen=True)
class Model:
    name: str
    meaning: str
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Operation:
    """A REST call; ``body`` and ``reply`` are names of models, ``failures`` statuses with what they mean."""

    call: str
    summary: str
    public: bool
    parameters: tuple[str, ...]
    body: str | None
    reply: str | None
    failures: tuple[tuple[str, str], ...]


def kind(schema: Mapping[str, Any]) -> str:
    """A type in words, with its bounds."""
    if "$ref" in schema:
        return ""
    if "anyOf" in schema:
        return " or ".join(filter(None, map(kind, schema["anyOf"])))
    if "enum" in schema:
        return ", ".join(map(str, schema["enum"]))
    if "const" in schema:
        return str(schema["const"])
    if schema.get("type") == "array":
        return f"list of {kind(schema['items'])}".rstrip()
    bounds = [f"{word} {schema[key]}" for key, word in BOUNDS.items() if key in schema]
    return " ".join([str(schema.get("type", "any")), *bounds])


BOUNDS = {"format": "as", "pattern": "like", "minLength": "from", "maxLength": "to", "minimum": "from", "maximum": "to"}


def reference(schema: Any) -> str | None:
    """The name of the model that a schema is, holds or may be."""
    if isinstance(schema, Mapping):
        if "$ref" in schema:
            return str(schema["$ref"]).rpartition("/")[2]
        schema = list(schema.values())
    if isinstance(schema, list):
        return next(filter(None, map(reference, schema)), None)
    return None


def models(schemas: Mapping[str, Any]) -> list[Model]:
    """All models, by name."""
    found = []
    for name, schema in sorted(schemas.items()):
        required = schema.get("required", ())
        fields = tuple(
            Field(field, field in required, kind(one), reference(one), one.get("description", ""))
            for field, one in schema.get("properties", {}).items()
        )
        found.append(Model(name, schema.get("description", ""), fields))
    return found


def operations(document: Mapping[str, Any]) -> list[Operation]:
    """All REST calls, by address."""
    found = []
    for path, methods in sorted(document["paths"].items()):
        for method, one in methods.items():
            answers = one["responses"]
            good = next(status for status in answers if status.startswith("2"))
            found.append(
                Operation(
                    call=f"{method.upper()} {path}",
                    summary=one["summary"],
                    public=not one["security"],
                    parameters=tuple(f"{part['name']} ({part['in']})" for part in one["parameters"]),
                    body=reference(one.get("requestBody")),
                    reply=reference(answers[good]),
                    failures=tuple((status, said["description"]) for status, said in answers.items() if status != good),
                )
            )
    return found


@cache
def content() -> dict[str, Any]:
    """What the page shows; made for its first reader."""
    rest = openapi.document(ENDPOINTS)
    schemas = {**rest["components"]["schemas"], **asyncapi.document()["components"]["schemas"]}
    return {
        "operations": operations(rest),
        "client_events": CLIENT_EVENTS,
        "server_events": SERVER_EVENTS,
        "models": models(schemas),
    }


async def api(request: web.Request) -> web.Response:
    return page(request, "reference.html", **content())
