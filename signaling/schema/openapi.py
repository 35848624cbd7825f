"""OpenAPI 3.1 of the REST routes."""

import json
import re
from collections.abc import Awaitable, Callable, Sequence
from functools import cache
from typing import Any

from aiohttp import web
from pydantic import TypeAdapter
from pydantic.json_schema import models_json_schema

from signaling.protocol.errors import CATALOGUE, RETRY_AFTER
from signaling.protocol.model import PROTOCOL_VERSION, Id, Message
from signaling.protocol.rest import Failure
from signaling.rest.endpoint import Endpoint

RETRY_AFTER_HEADER = {"description": "Seconds.", "schema": {"type": "integer", "minimum": 1}}
REFERENCE = "#/components/schemas/{model}"
ALWAYS = ("invalid", "too_large", "origin_refused", "try_again", "internal")
SAFE_ALWAYS = ("invalid", "try_again", "internal")


def document(endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    """The whole description."""
    models: set[type[Message]] = {Failure}
    for endpoint in endpoints:
        models |= {model for model in (endpoint.body, endpoint.reply) if model}
    ordered = sorted(models, key=lambda model: model.__name__)
    _, schemas = models_json_schema([(model, "validation") for model in ordered], ref_template=REFERENCE)
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = operation(endpoint)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Spreekkamer",
            "version": f"{PROTOCOL_VERSION}.0.0",
            "description": "Errors have a stable code; its meaning is in the message and in `GET /api/v1/errors`.",
            "license": {"name": "European Union Public Licence 1.2", "identifier": "EUPL-1.2"},
        },
        "servers": [{"url": "/", "description": "The server that this document comes from."}],
        "paths": paths,
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {
                "app": {"type": "http", "scheme": "bearer", "description": "An app's access token."},
                "session": {"type": "apiKey", "in": "cookie", "name": "__Host-sid", "description": "`sid` over http."},
            },
        },
    }


def operation(endpoint: Endpoint) -> dict[str, Any]:
    """One route."""
    found: dict[str, Any] = {
        "operationId": operation_id(endpoint),
        "summary": endpoint.summary,
        "parameters": [
            *(_parameter(name, "path", Id) for name in re.findall(r"{(\w+)}", endpoint.path)),
            *(_parameter(name, "query", kind) for name, kind in endpoint.query.items()),
        ],
        "responses": {str(endpoint.status if endpoint.reply else 204): _success(endpoint)} | _failures(endpoint),
        "security": [] if endpoint.public else [{"app": []}, {"session": []}],
    }
    if endpoint.body:
        found["requestBody"] = {"required": True, "content": _json(endpoint.body)}
    return found


def operation_id(endpoint: Endpoint) -> str:
    """The handler's place and name, which no two routes share."""
    return f"{endpoint.handler.__module__.rpartition('.')[2]}-{endpoint.handler.__name__}".replace("_", "-")


def _parameter(name: str, place: str, kind: Any) -> dict[str, Any]:
    return {"name": name, "in": place, "required": place == "path", "schema": TypeAdapter(kind).json_schema()}


def _success(endpoint: Endpoint) -> dict[str, Any]:
    if endpoint.reply is None:
        return {"description": "Done."}
    return {"description": "Done.", "content": _json(endpoint.reply)}


def _failures(endpoint: Endpoint) -> dict[str, Any]:
    by_status: dict[int, list[str]] = {}
    for code in (*endpoint.codes, *(SAFE_ALWAYS if endpoint.method == "GET" else ALWAYS)):
        by_status.setdefault(CATALOGUE[code][1], []).append(code)
    return {
        str(status): {
            "description": " ".join(f"`{code}`: {CATALOGUE[code][2]}" for code in codes),
            "content": _json(Failure),
        }
        | ({"headers": {"Retry-After": RETRY_AFTER_HEADER}} if any(code in RETRY_AFTER for code in codes) else {})
        for status, codes in sorted(by_status.items())
    }


def _json(model: type[Message]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": REFERENCE.format(model=model.__name__)}}}


def handler(endpoints: Sequence[Endpoint]) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Serves the document, made once, for its first reader."""

    @cache
    def text() -> str:
        return json.dumps(document(endpoints))

    async def serve(request: web.Request) -> web.Response:
        return web.Response(text=text(), content_type="application/json")

    return serve
