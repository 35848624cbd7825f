"""The tables of docs/protocol.md are those of the registry. ``python -m tests.test_protocol_document`` writes them."""

from pathlib import Path
from typing import Any

from practice.organisation.rights import Right
from signaling.limiter import LIMITS, PACES
from signaling.protocol.capabilities import CAPABILITIES
from signaling.protocol.errors import CATALOGUE
from signaling.protocol.events import CLIENT_EVENTS, EVERYONE, REPLAYED, SERVER_EVENTS
from signaling.protocol.model import Message
from signaling.protocol.texts import TEXTS
from signaling.routes import ENDPOINTS
from signaling.sockets.acceptance import EVENTS
from signaling.sockets.limits import Limits
from tests.generated import filled, rows

DOCUMENT = Path(__file__).parents[1] / "docs" / "protocol.md"


def span(seconds: int) -> str:
    return "a minute" if seconds == 60 else f"{seconds // 60} minutes"


def kind(schema: dict[str, Any]) -> str:
    """A field's type in words, with its bounds."""
    if "$ref" in schema:
        return f"`{schema['$ref'].rsplit('/', 1)[1]}`"
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return " · ".join(f"`{value}`" for value in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(kind(one) for one in schema["anyOf"])
    if schema.get("type") == "array":
        most = f" (at most {schema['maxItems']})" if "maxItems" in schema else ""
        return f"list of {kind(schema['items'])}{most}"
    words = str(schema.get("type", "any"))
    if "minimum" in schema and "maximum" in schema:
        words += f" {schema['minimum']} to {schema['maximum']}"
    if "pattern" in schema:
        words += f" `{schema['pattern']}`".replace("|", "\\|")
    if "maxLength" in schema:
        words += f", at most {schema['maxLength']}"
    return words


def right(needed: Right | None) -> str:
    """Of `docs/roles.md`, where the practitioner needs one."""
    return "" if needed is None else f"`{needed}`"


def fields(model: type[Message]) -> str:
    """One line of a model's fields; what may be left out carries a question mark."""
    schema = model.model_json_schema()
    required = schema.get("required", [])
    return "<br>".join(
        f"`{name}`{'' if name in required else '?'}: {kind(one)}" for name, one in schema.get("properties", {}).items()
    )


def models() -> dict[str, type[Message]]:
    """Every model that a body or a reply refers to by name, and those they refer to."""
    known: dict[str, type[Message]] = {}
    waiting = [model for event in CLIENT_EVENTS.values() for model in (event.body, event.reply)]
    waiting += [model for model, _ in SERVER_EVENTS.values()]
    while waiting:
        model = waiting.pop()
        if model.__name__ not in known:
            known[model.__name__] = model
            for field in model.model_fields.values():
                waiting += [one for one in nested(field.annotation) if issubclass(one, Message)]
    return known


def nested(annotation: Any) -> list[type]:
    arguments = getattr(annotation, "__args__", ())
    found = [one for argument in arguments for one in nested(argument)]
    return [*found, annotation] if isinstance(annotation, type) and not arguments else found


def tables() -> dict[str, str]:
    client = (
        f"| `{name}` | {'everyone' if event.roles == EVERYONE else ', '.join(sorted(event.roles))} "
        f"| {right(EVENTS.get(name))} | {event.summary} | `{event.body.__name__}` | `{event.reply.__name__}` |"
        for name, event in CLIENT_EVENTS.items()
    )
    server = (f"| `{name}` | {summary} | `{model.__name__}` |" for name, (model, summary) in SERVER_EVENTS.items())
    bodies = (f"| `{name}` | {fields(model)} |" for name, model in sorted(models().items()))
    errors = (f"| `{code}` | {kind} | {status} | {text} |" for code, (kind, status, text) in CATALOGUE.items())
    rest = (
        f"| `{one.method} {one.path}` | {one.summary} | {right(one.right)} |"
        for one in sorted(ENDPOINTS, key=lambda one: (one.path, one.method))
    )
    names = (f"| `{name}` | {what} |" for name, what in CAPABILITIES.items())
    replayed = (f"| `{name}` | {SERVER_EVENTS[name][1]} |" for name in SERVER_EVENTS if name in REPLAYED)
    people = (f"| `{code}` | {one.nl} | {one.en} | {one.de} | {one.fr} |" for code, one in TEXTS.items())
    tries = [f"| {one.counts} | {one.tries} in {span(one.seconds)} |" for one in LIMITS]
    tries += [f"| {one.counts} | {one.burst} at once, then one in {one.seconds} seconds |" for one in PACES]
    bounds = (f"| `{name}` | {field.description} | {field.default} |" for name, field in Limits.model_fields.items())
    return {
        "sentences": rows("| code | nl | en | de | fr |", people),
        "rates": rows("| what is counted | at most |", tries),
        "bounds": rows("| bound | of what | number |", bounds),
        "capabilities": rows("| capability | what |", names),
        "replayed": rows("| event | what |", replayed),
        "client-events": rows("| event | who | right | what | body | reply |", client),
        "server-events": rows("| event | what | body |", server),
        "bodies": rows("| model | fields |", bodies),
        "errors": rows("| code | category | HTTP | sentence |", errors),
        "rest": rows("| call | what | right |", rest),
    }


def document() -> str:
    return filled(DOCUMENT, tables())


def test_the_document_says_what_the_registry_says() -> None:
    assert DOCUMENT.read_text() == document(), "run: python -m tests.test_protocol_document"


def test_every_event_and_error_is_in_the_document() -> None:
    text = DOCUMENT.read_text()
    for name in (*CLIENT_EVENTS, *SERVER_EVENTS, *CATALOGUE):
        assert f"`{name}`" in text


if __name__ == "__main__":
    DOCUMENT.write_text(document())
