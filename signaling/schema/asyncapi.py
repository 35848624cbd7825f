"""AsyncAPI 3 of the Socket.IO events."""

import json
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

from aiohttp import web
from pydantic.json_schema import models_json_schema

from signaling.protocol.capabilities import Numbered, Once
from signaling.protocol.errors import WireError
from signaling.protocol.events import CLIENT_EVENTS, REPLAYED, SERVER_EVENTS, Connect
from signaling.protocol.model import PROTOCOL_VERSION, Message

REFERENCE = "#/components/schemas/{model}"
TOKEN = {
    "type": "apiKey",
    "in": "password",
    "description": "An access token or a resume ticket, as `token` in the auth payload of the CONNECT packet.",
}
BESIDE = {"x-beside": {"$ref": REFERENCE.format(model="Numbered")}}
"""With the capability ``replay`` this stands beside the body; ``x-once`` says where ``Once`` may."""


def document() -> dict[str, Any]:
    """The whole description. ``receive`` is what a client sends: AsyncAPI speaks from the server's side."""
    messages: dict[str, Any] = {"connect": _message("connect", Connect, "The auth payload of the CONNECT packet.")}
    operations: dict[str, Any] = {"connect": _operation("receive", "connect")}
    for name, event in CLIENT_EVENTS.items():
        messages[f"client.{name}"] = _message(name, event.body, event.summary)
        messages[f"client.{name}.ack"] = _acknowledgement(name, event.reply)
        operations[f"client.{name}"] = _operation("receive", f"client.{name}") | {
            "reply": {"channel": _channel(), "messages": [_in_channel(f"client.{name}.ack")]},
            "x-roles": sorted(event.roles),
            "x-once": event.once,
        }
    for name, (body, summary) in SERVER_EVENTS.items():
        messages[f"server.{name}"] = _message(name, body, summary) | (BESIDE if name in REPLAYED else {})
        operations[f"server.{name}"] = _operation("send", f"server.{name}")
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Spreekkamer", "version": f"{PROTOCOL_VERSION}.0.0"},
        "channels": {
            "socket": {
                "address": "/socket.io/",
                "description": "Socket.IO 5 over WebSocket only; binary attachments are refused.",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
            }
        },
        "operations": operations,
        "components": {"messages": messages, "schemas": _schemas(), "securitySchemes": {"token": TOKEN}},
    }


def _schemas() -> dict[str, Any]:
    models: set[type[Message]] = {WireError, Connect, Numbered, Once}
    for event in CLIENT_EVENTS.values():
        models |= {event.body, event.reply}
    models |= {body for body, _ in SERVER_EVENTS.values()}
    ordered = sorted(models, key=lambda model: model.__name__)
    _, schemas = models_json_schema([(model, "validation") for model in ordered], ref_template=REFERENCE)
    found: dict[str, Any] = schemas["$defs"]
    return found


def _message(name: str, body: type[Message], summary: str) -> dict[str, Any]:
    return {"name": name, "summary": summary, "payload": {"$ref": REFERENCE.format(model=body.__name__)}}


def _acknowledgement(name: str, reply: type[Message]) -> dict[str, Any]:
    good = {
        "type": "object",
        "required": ["ok", "data"],
        "properties": {"ok": {"const": True}, "data": {"$ref": REFERENCE.format(model=reply.__name__)}},
    }
    bad = {
        "type": "object",
        "required": ["ok", "error"],
        "properties": {"ok": {"const": False}, "error": {"$ref": REFERENCE.format(model="WireError")}},
    }
    return {"name": name, "summary": "The acknowledgement.", "payload": {"oneOf": [good, bad]}}


def _operation(action: str, message: str) -> dict[str, Any]:
    return {
        "action": action,
        "channel": _channel(),
        "messages": [_in_channel(message)],
        "security": [{"$ref": "#/components/securitySchemes/token"}],
    }


def _channel() -> dict[str, str]:
    return {"$ref": "#/channels/socket"}


def _in_channel(message: str) -> dict[str, str]:
    return {"$ref": f"#/channels/socket/messages/{message}"}


def handler() -> Callable[[web.Request], Awaitable[web.Response]]:
    """Serves the document, made once, for its first reader."""

    @cache
    def text() -> str:
        return json.dumps(document())

    async def serve(request: web.Request) -> web.Response:
        return web.Response(text=text(), content_type="application/json")

    return serve
