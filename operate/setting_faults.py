"""One sentence of a wrong setting: its name, what is wrong, what to write. Never its value, which may be a secret."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from operate import setting_names

Context = dict[str, Any]

PROBLEMS: Final[dict[str, Callable[[Context], str]]] = {
    "int_parsing": lambda _: "must be a whole number",
    "int_type": lambda _: "must be a whole number",
    "int_from_float": lambda _: "must be a whole number",
    "int_parsing_size": lambda _: "must be a smaller number",
    "float_parsing": lambda _: "must be a number",
    "float_type": lambda _: "must be a number",
    "finite_number": lambda _: "must be a finite number",
    "bool_parsing": lambda _: "must be true or false",
    "bool_type": lambda _: "must be true or false",
    "greater_than_equal": lambda context: f"must be {context['ge']} or more",
    "greater_than": lambda context: f"must be more than {context['gt']}",
    "less_than_equal": lambda context: f"must be {context['le']} or less",
    "less_than": lambda context: f"must be less than {context['lt']}",
    "literal_error": lambda context: f"must be {context['expected']}",
    "string_type": lambda _: "must be a text",
    "path_type": lambda _: "must be a path",
    "list_type": lambda _: 'must be a list, as ["one", "another"]',
    "is_instance_of": lambda _: "must be networks, as 10.0.0.0/8 or fd00::/8",
    "ip_v4_address": lambda _: "must be an IPv4 address",
    "model_type": lambda _: "must be a section with settings in it",
    "model_attributes_type": lambda _: "must be a section with settings in it",
    "string_too_short": lambda context: f"must have {context['min_length']} characters or more",
    "string_too_long": lambda context: f"must have {context['max_length']} characters or less",
    "too_short": lambda context: f"must have {context['min_length']} entries or more",
    "too_long": lambda context: f"must have {context['max_length']} entries or less",
    "string_pattern_mismatch": lambda _: "does not have the right form",
}


def sentence(model: type[BaseModel], error: ValidationError) -> str:
    """Of the first thing that is wrong."""
    first = error.errors(include_url=False, include_input=False)[0]
    path = _setting(model, [str(part) for part in first["loc"]])
    name = ".".join(path)
    if first["type"] == "extra_forbidden":
        return f"{name} is not a setting{setting_names.meant(model, name)}"
    if first["type"] == "value_error":
        return f"Setting {name} {first['ctx']['error']}."
    say = PROBLEMS.get(first["type"])
    problem = say(first.get("ctx", {})) if say else "cannot be used"
    if first["type"] == "too_short" and setting_names.is_secret(setting_names.annotation(model, path)):
        return f"Setting {name} {problem.replace('entries', 'characters')}; `openssl rand -base64 48` makes one."
    meaning = setting_names.description(model, path)
    return f"Setting {name} {problem}: {meaning}" if meaning else f"Setting {name} {problem}."


def _setting(model: type[BaseModel], location: Sequence[str]) -> list[str]:
    """The part of an error's location that is a setting's name, or the whole of what is none."""
    for length in range(len(location), 0, -1):
        path = list(location[:length])
        if setting_names.annotation(model, path) is not None:
            return path if length < len(location) else list(location)
        if length == 1 or setting_names.annotation(model, path[:-1]) is not None:
            above = setting_names.annotation(model, path[:-1]) if length > 1 else model
            if isinstance(above, type) and issubclass(above, BaseModel):
                return path  # not a setting, in a section that is one
    return list(location)
