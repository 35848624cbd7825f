"""Where a setting is: its name (``signaling.port``), its environment variable, and what somebody may have meant."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher, get_close_matches
from typing import Any, Final, get_args

from pydantic import BaseModel, SecretStr

PREFIX: Final = "SPREEKKAMER_"
FROM_FILE: Final = "_FILE"
ALIKE: Final = 0.8

SERVICE: Final = {
    # suffix of the variable: what its value looks like
    r"SERVICE_HOST": r"[0-9a-fA-F.:]+|None",
    r"SERVICE_PORT(_[A-Z0-9_]+)?": r"\d+",
    r"PORT": r"(tcp|udp|sctp)://\S+",
    r"PORT_\d+_(TCP|UDP|SCTP)": r"(tcp|udp|sctp)://\S+",
    r"PORT_\d+_(TCP|UDP|SCTP)_PROTO": r"tcp|udp|sctp",
    r"PORT_\d+_(TCP|UDP|SCTP)_PORT": r"\d+",
    r"PORT_\d+_(TCP|UDP|SCTP)_ADDR": r"[0-9a-fA-F.:]+",
}
"""What Kubernetes sets in every container of a namespace for a Service whose name begins with ours, unless the pod says
``enableServiceLinks: false``."""


def is_of_a_service(variable: str, value: str) -> bool:
    """Whether this is such a variable and not a setting."""
    own = rf"{PREFIX}([A-Z0-9_]+_)?"
    return any(re.fullmatch(own + name, variable) and re.fullmatch(form, value) for name, form in SERVICE.items())


def annotation(model: type[BaseModel], path: Sequence[str]) -> Any:
    """The type of the setting at ``path``, or None if there is none."""
    found: Any = model
    for part in path:
        if not (isinstance(found, type) and issubclass(found, BaseModel)) or part not in found.model_fields:
            return None
        found = found.model_fields[part].annotation
    return found


def description(model: type[BaseModel], path: Sequence[str]) -> str:
    """What docs/settings.md says of the setting at ``path``, "" of a section."""
    above = annotation(model, path[:-1]) if len(path) > 1 else model
    return (above.model_fields[path[-1]].description or "") if path else ""


def names(model: type[BaseModel], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of each setting; sections are none."""
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from names(kind, (*above, name))
        else:
            yield (*above, name)


def variable(path: Sequence[str]) -> str:
    """``SPREEKKAMER_SIGNALING__PORT``."""
    return PREFIX + "__".join(path).upper()


def is_secret(kind: Any) -> bool:
    """Whether it may come from a file."""
    return kind is SecretStr or any(is_secret(part) for part in get_args(kind))


def meant(model: type[BaseModel], name: str) -> str:
    """How a sentence goes on that says of ``name`` (dotted) that it is no setting: with the closest one, if any is."""
    known = [".".join(path) for path in names(model)]
    if found := _closest(name.lower().replace("-", "_"), known):
        return f"; {found} is."
    return "; docs/settings.md lists them all."


def meant_variable(model: type[BaseModel], given: str) -> str:
    """The same for a variable."""
    paths = list(names(model))
    known = [variable(path) for path in paths]
    known += [variable(path) + FROM_FILE for path in paths if is_secret(annotation(model, path))]
    if found := _closest(given.upper(), known):
        return f"; {found} is."
    return "; docs/settings.md lists them all."


def looks_like_ours(model: type[BaseModel], given: str) -> bool:
    """Whether somebody mistyped our prefix: ``SPREEKAMER_SIGNALING__PORT`` would else be passed over in silence."""
    prefix, _, rest = given.upper().partition("_")
    if prefix == PREFIX[:-1] or "__" not in rest:
        return False
    known = {variable(path).removeprefix(PREFIX) for path in names(model)}
    alike = SequenceMatcher(None, prefix, PREFIX[:-1]).ratio() >= ALIKE
    return alike and (rest in known or rest.removesuffix(FROM_FILE) in known)


def _closest(given: str, known: list[str]) -> str | None:
    same_end = [name for name in known if re.split(r"\.|__", name)[-1] == re.split(r"\.|__", given)[-1]]
    close = get_close_matches(given, known, n=1, cutoff=ALIKE)
    return close[0] if close else same_end[0] if len(same_end) == 1 else None


def default(model: type[BaseModel], path: Sequence[str]) -> Any:
    """What holds where nobody says anything."""
    above = annotation(model, path[:-1]) if len(path) > 1 else model
    return above.model_fields[path[-1]].get_default()
