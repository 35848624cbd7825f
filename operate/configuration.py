"""Reading settings strictly: what is not known, also an unknown environment variable, refuses the start.

Later wins: defaults, the TOML file, environment variables. ``SPREEKKAMER_ROOMS__DATA=/srv`` sets ``rooms.data``; a
secret can also come from a file, as ``SPREEKKAMER_SIGNALING__SECRET_FILE=/run/secrets/signaling``.
"""

import json
import os
import re
import stat
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError

from operate import setting_names
from operate.setting_faults import sentence
from operate.setting_names import FROM_FILE, PREFIX
from vault.errors import StartRefused

MOUNTED: Final = frozenset({Path("/run/secrets"), Path("/run/credentials")})
"""Container engines and systemd mount secrets here; who may read them is decided outside."""

LARGEST_FILE: Final = 1 << 20
NULL: Final = ("null", "none")
BRACKETED_HOST: Final = re.compile(r"\[[0-9a-fA-F.]*:[0-9a-fA-F:.]*\]")
"""An IPv6 address as it stands in a URL, which is no list in JSON."""


class StrictSettings(BaseModel):
    """Base of the root's settings: one field per folder."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Model = TypeVar("Model", bound=StrictSettings)


def load(model: type[Model], file: Path | None = None) -> Model:
    """The settings from ``file`` and the environment; ``StartRefused`` with one sentence when anything is wrong."""
    values = _prepared(model, _read(file)) if file else {}
    for path, value in _environment(model).items():
        _put(values, path, value)
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise StartRefused(sentence(model, error)) from None


def _read(file: Path) -> dict[str, Any]:
    try:
        content = file.read_bytes()
        if len(content) > LARGEST_FILE:
            raise StartRefused(f"The settings file {file} is too large to be one.")
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise StartRefused(f"The settings file {file} is not TOML in UTF-8; save it as UTF-8.") from None
    except OSError as error:
        reason = (error.strerror or "no file").lower()
        raise StartRefused(f"The settings file {file} cannot be read ({reason}); correct --config.") from None
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise StartRefused(f"The settings file {file} is not TOML: {error}.") from None


def _prepared(model: type[BaseModel], values: dict[str, Any], above: tuple[str, ...] = ()) -> dict[str, Any]:
    """A table of the file without what says *nothing*, for TOML has no null."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        path = (*above, name)
        kind = setting_names.annotation(model, path)
        if isinstance(value, dict) and isinstance(kind, type) and issubclass(kind, BaseModel):
            found[name] = _prepared(model, value, path)
        elif kind is None or not isinstance(value, str):
            found[name] = value
        else:
            _put(found, (name,), _said(model, path, value, ".".join(path)))
    return found


UNSET: Final = object()


def _said(model: type[BaseModel], path: Sequence[str], text: str, name: str) -> Any:
    """What a text means for this setting: ``UNSET`` for an empty one, where there is something to leave unset."""
    kind = setting_names.annotation(model, path)
    optional = type(None) in get_args(kind)
    if optional and text.lower() in NULL:
        return None
    if text:
        if text.startswith("~") and Path in (kind, *get_args(kind)):
            raise StartRefused(f"{name} begins with ~, which only a shell replaces; write the whole path.")
        choices = get_args(kind) if get_origin(kind) is Literal else ()
        return text.lower() if text.lower() in choices else text
    default = setting_names.default(model, path)
    if get_origin(kind) is list or (optional and default is None):
        return UNSET
    if kind is str and default == "":
        return text
    raise StartRefused(f"{name} is empty; leave it out or give it a value.")


def _put(values: dict[str, Any], path: Sequence[str], value: Any) -> None:
    for part in path[:-1]:
        values = values.setdefault(part, {})
    if value is UNSET:
        values.pop(path[-1], None)
    else:
        values[path[-1]] = value


def _environment(model: type[BaseModel]) -> dict[tuple[str, ...], Any]:
    """Our variables by the path of their setting, with ``*_FILE`` replaced by the secret that the file holds."""
    found: dict[tuple[str, ...], Any] = {}
    for given, value in sorted(os.environ.items()):
        variable = given.upper()
        if not variable.startswith(PREFIX):
            if setting_names.looks_like_ours(model, given):
                raise StartRefused(f"{given} is not a setting{setting_names.meant_variable(model, given)}")
            continue
        path, text = _variable(model, given, variable, value)
        if path is None:
            continue
        if path in found:
            raise StartRefused(f"{setting_names.variable(path)} is set twice, also as {given}; leave one of them out.")
        found[path] = text
    return found


def _variable(model: type[BaseModel], given: str, variable: str, value: str) -> tuple[tuple[str, ...] | None, Any]:
    """The path of a variable's setting and its value, which may still be text; None for what is somebody else's."""
    path = tuple(variable.removeprefix(PREFIX).lower().split("__"))
    kind = setting_names.annotation(model, path)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        raise StartRefused(f"{given} is a section; set its settings one by one, as {PREFIX}SIGNALING__PORT.")
    if kind is not None:
        return path, _text(model, path, given, value)
    path = (*path[:-1], path[-1].removesuffix(FROM_FILE.lower()))
    kind = setting_names.annotation(model, path)
    if variable.endswith(FROM_FILE) and setting_names.is_secret(kind):
        text = _read_secret(given, value, several=get_origin(kind) is list)
        return path, text.split() if get_origin(kind) is list else text
    if setting_names.is_of_a_service(variable, value):
        return None, None
    raise StartRefused(f"{given} is not a setting{setting_names.meant_variable(model, given)}")


def _text(model: type[BaseModel], path: tuple[str, ...], given: str, value: str) -> Any:
    """The value of a variable, as its type is written there: lists as JSON or with commas."""
    text = value.strip()
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "\"'":
        raise StartRefused(f"{given} has quotation marks around its value; leave them out.")
    if get_origin(setting_names.annotation(model, path)) is not list or not text:
        return _said(model, path, text, given)
    if not text.startswith(("[", "{")) or BRACKETED_HOST.match(text):
        return [part for part in re.split(r"[\s,]+", text) if part]
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise StartRefused(
            f'{given} is not a list in JSON; write it as ["one","another"], or as one,another.'
        ) from None


def _read_secret(variable: str, name: str, *, several: bool) -> str:
    file = Path(name)
    try:
        if not name.strip():
            raise StartRefused(f"{variable} is empty; give it the path of a file, or leave it out.")
        if file.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH) and not MOUNTED & set(file.parents):
            raise StartRefused(f"{variable}: everybody can read {file}; chmod it to 0400.")
        text = file.read_bytes()[:LARGEST_FILE].decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        raise StartRefused(f"{variable}: {file} is not a text; put the secret into it, on one line.") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no path"
        raise StartRefused(
            f"{variable}: {file} cannot be read ({reason.lower()}); correct the path or its owner."
        ) from None
    if not text:
        raise StartRefused(f"{variable}: {file} is empty; put the secret into it, on one line.")
    if not several and len(text.splitlines()) > 1:
        raise StartRefused(f"{variable}: {file} has more than one line; put the secret alone into it.")
    return text
