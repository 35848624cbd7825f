"""TypeScript types of the bodies on the wire, against which the browser's modules are checked."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from types import ModuleType, NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from signaling.protocol import codes, errors, events, guests, rest, waiting_room
from signaling.protocol.capabilities import Numbered, Once
from signaling.protocol.model import Message
from signaling.rest.endpoint import Endpoint

HEAD = """/**
 * Every body on the wire, made from its registry by `make lint`.
 *
 * What only a client sends may lack the fields that have a default; what the server sends has them all.
 */
"""
PLAIN = {str: "string", int: "number", float: "number", bool: "boolean", NoneType: "null"}


def document(endpoints: Sequence[Endpoint]) -> str:
    """The whole file: the words that a field may have, then an interface for each model."""
    heard = _closure(_by_the_server(endpoints))
    models = heard | _closure(_by_clients(endpoints))
    words = sorted(f"export type {name} = {_literal(meant)};" for meant, name in WORDS.items())
    ordered = sorted(models, key=lambda model: model.__name__)
    interfaces = (_interface(model, whole=model in heard) for model in ordered)
    return "\n".join([HEAD, *words, "", "\n\n".join(interfaces), ""])


def _by_the_server(endpoints: Iterable[Endpoint]) -> set[type[Message]]:
    sent: set[type[Message]] = {rest.Failure, Numbered}
    sent |= {endpoint.reply for endpoint in endpoints if endpoint.reply}
    sent |= {event.reply for event in events.CLIENT_EVENTS.values()}
    return sent | {body for body, _ in events.SERVER_EVENTS.values()}


def _by_clients(endpoints: Iterable[Endpoint]) -> set[type[Message]]:
    sent: set[type[Message]] = {events.Connect, Numbered, Once}
    sent |= {endpoint.body for endpoint in endpoints if endpoint.body}
    return sent | {event.body for event in events.CLIENT_EVENTS.values()}


def _closure(models: Iterable[type[Message]]) -> set[type[Message]]:
    """``models`` and all that stand in their fields."""
    found: set[type[Message]] = set()
    waiting = list(models)
    while waiting:
        model = waiting.pop()
        if model not in found:
            found.add(model)
            for field in model.model_fields.values():
                waiting += _within(field.annotation)
    return found


def _within(annotation: Any) -> Iterator[type[Message]]:
    if isinstance(annotation, type) and issubclass(annotation, Message):
        yield annotation
    for part in get_args(annotation):
        yield from _within(part)


def _words(*modules: ModuleType) -> dict[Any, str]:
    """The names that the registry has for choices of words."""
    return {
        meant: name
        for module in modules
        for name, meant in vars(module).items()
        if get_origin(meant) is Literal and not name.startswith("_")
    }


WORDS = _words(codes, errors, events, guests, rest, waiting_room)


def _interface(model: type[Message], *, whole: bool) -> str:
    """``whole``: every field is there, whatever its default."""
    lines = [_comment(vars(model).get("__doc__"), "")]
    lines.append(f"export interface {model.__name__} {{")
    for name, field in model.model_fields.items():
        lines.append(_comment(field.description, "  "))
        lines.append(f"  {name}{_field(field, whole)};")
    return "\n".join([*(line for line in lines if line), "}"])


def _field(field: FieldInfo, whole: bool) -> str:
    if field.exclude_if is not None:
        union = get_origin(field.annotation) in (Union, UnionType)
        parts = [part for part in get_args(field.annotation) if part is not NoneType] if union else [field.annotation]
        return f"?: {' | '.join(map(_type, parts))}"
    optional = not whole and not field.is_required()
    return f"{'?' if optional else ''}: {_type(field.annotation)}"


def _type(annotation: Any) -> str:
    """KeyError for one that there was no need of yet."""
    if annotation in PLAIN:
        return PLAIN[annotation]
    if annotation in WORDS:
        return WORDS[annotation]
    if isinstance(annotation, type) and issubclass(annotation, Message):
        return annotation.__name__
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(parts[0])
    if origin is Literal:
        return _literal(annotation)
    if origin in (Union, UnionType):
        return " | ".join(map(_type, parts))
    if origin is list:
        inner = _type(parts[0])
        return f"({inner})[]" if " " in inner else f"{inner}[]"
    return PLAIN[annotation]


def _literal(choice: Any) -> str:
    return " | ".join(f"'{word}'" for word in get_args(choice))


def _comment(text: str | None, margin: str) -> str | None:
    """Its first paragraph. Around code the registry has two backticks, a module one."""
    if not text:
        return None
    words = " ".join(text.partition("\n\n")[0].replace("``", "`").split())
    return f"{margin}/** {words} */"


if __name__ == "__main__":
    from signaling.routes import ENDPOINTS

    sys.stdout.write(document(ENDPOINTS))
