"""The machine-readable descriptions are valid and say what the server really does."""

import gc
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openapi_pydantic.v3.v3_1 import OpenAPI
from openapi_spec_validator import validate

from signaling.protocol import rest
from signaling.protocol.errors import CATALOGUE
from signaling.protocol.events import CLIENT_EVENTS, SERVER_EVENTS
from signaling.routes import ENDPOINTS
from signaling.schema import asyncapi, openapi
from tests.signaling.conftest import Server
from tests.signaling.descriptions import differences

LINTER = Path(__file__).parents[2] / "web" / "node_modules" / ".bin" / "redocly"


async def test_the_openapi_document_is_valid(server: Server) -> None:
    document = (await server.call("GET", "/api/openapi.json")).body
    validate(document)
    OpenAPI.model_validate(document)
    assert document["openapi"].startswith("3.1")


async def test_every_rest_route_is_described_and_nothing_else(server: Server) -> None:
    described = {
        (method.upper(), path) for path, methods in openapi.document(ENDPOINTS)["paths"].items() for method in methods
    }
    served = {
        (route.method, route.resource.canonical)
        for route in server.app.router.routes()
        if route.resource is not None and route.resource.canonical.startswith("/api/v1/") and route.method != "HEAD"
    }
    assert described == served


def test_registry_openapi_asyncapi_and_the_document_say_the_same() -> None:
    assert differences() == []


@pytest.mark.skipif(shutil.which("npm") is None, reason="the linter is a Node package, as the check of the scripts is")
@pytest.mark.parametrize("document", [openapi.document(ENDPOINTS), asyncapi.document()], ids=["openapi", "asyncapi"])
def test_a_linter_finds_nothing(tmp_path: Path, document: dict[str, Any]) -> None:
    (tmp_path / "document.json").write_text(json.dumps(document, indent=1))
    done = subprocess.run(
        [LINTER, "lint", "--format=json", "document.json"],
        cwd=tmp_path,
        env=os.environ | {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert json.loads(done.stdout)["problems"] == []


def test_a_difference_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CLIENT_EVENTS, "wave", CLIENT_EVENTS["leave"])
    monkeypatch.setitem(SERVER_EVENTS, "waved", SERVER_EVENTS["ended"])
    assert differences() == [
        "docs/protocol.md, client-events: wave is missing",
        "docs/protocol.md, server-events: waved is missing",
    ]


def test_operations_have_names_of_their_own() -> None:
    names = [openapi.operation_id(endpoint) for endpoint in ENDPOINTS]
    assert len(set(names)) == len(names)


def test_only_codes_of_the_catalogue_are_promised() -> None:
    assert {code for endpoint in ENDPOINTS for code in endpoint.codes} <= set(CATALOGUE)


async def test_every_event_is_in_the_asyncapi_document(server: Server) -> None:
    document = (await server.call("GET", "/api/asyncapi.json")).body
    assert document["asyncapi"].startswith("3.")
    names = {f"client.{name}" for name in CLIENT_EVENTS} | {f"server.{name}" for name in SERVER_EVENTS} | {"connect"}
    assert set(document["operations"]) == names
    for operation in document["operations"].values():
        for reference in operation["messages"] + operation.get("reply", {}).get("messages", []):
            assert resolve(document, resolve(document, reference)["$ref"])


def test_every_reference_in_the_asyncapi_document_leads_somewhere() -> None:
    document = asyncapi.document()
    seen = 0
    for reference in references(document):
        assert resolve(document, reference), reference
        seen += 1
    assert seen > 100


def references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def resolve(document: Any, reference: Any) -> Any:
    if isinstance(reference, dict):
        reference = reference["$ref"]
    found = document
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found


def test_what_a_body_says_is_kept_nowhere_once_it_was_read() -> None:
    body = rest.JoinRequest.model_validate_json('{"link": "%s"}' % ("A" * 44))
    said = body.link
    del body
    gc.collect()
    assert sys.getrefcount(said) == 2, "only this test knows it"
