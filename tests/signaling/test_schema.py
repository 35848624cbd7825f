"""The machine-readable descriptions are valid and say what the server really does."""

from openapi_pydantic.v3.v3_1 import OpenAPI
from openapi_spec_validator import validate

from signaling.protocol.errors import CATALOGUE
from signaling.protocol.events import CLIENT_EVENTS, SERVER_EVENTS
from signaling.routes import ENDPOINTS
from signaling.schema import asyncapi, openapi
from tests.signaling.conftest import Server


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
    assert described == served - {("GET", "/api/openapi.json"), ("GET", "/api/asyncapi.json")}


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


def references(value: object):  # type: ignore[no-untyped-def]
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def resolve(document, reference):  # type: ignore[no-untyped-def]
    if isinstance(reference, dict):
        reference = reference["$ref"]
    found = document
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found
