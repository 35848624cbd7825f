"""Reading settings strictly: what is not known, also an unknown environment variable, refuses the start.

Later wins: defaults, the TOML file, environment variables. ``SPREEKKAMER_ROOMS__DATA=/srv`` sets ``rooms.data``; a
secret can also come from a file, as ``SPREEKKAMER_SIGNALING__SECRET_FILE=/run/secrets/signaling``.
"""

import json
import os
import stat
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, TypeVar, get_args, get_origin

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from rooms.errors import StartRefused

PREFIX: Final = "SPREEKKAMER_"
MOUNTED: Final = Path("/run/secrets")
"""Container engines mount secrets here; who may read them is decided outside."""


class StrictSettings(BaseSettings):
    """Base of the root's settings: one field per folder."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        assert isinstance(env_settings, EnvSettingsSource)
        env_settings.env_vars = _environment(settings_cls)
        return env_settings, init_settings


Model = TypeVar("Model", bound=StrictSettings)


def load(model: type[Model], file: Path | None = None) -> Model:
    """The settings from ``file`` and the environment; ``StartRefused`` with one sentence when anything is wrong."""
    values = _read(file) if file else {}
    try:
        return model(**values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            raise StartRefused(f"{name} is not a setting.") from None
        raise StartRefused(f"Setting {name}: {first['msg']}.") from None
    except ValueError:
        raise StartRefused(f"A {PREFIX}* variable for a list or a table is not JSON.") from None


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text())
    except OSError:
        raise StartRefused(f"The settings file {file} cannot be read.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise StartRefused(f"The settings file {file} is not TOML: {error}.") from None


def _environment(model: type[BaseModel]) -> dict[str, str]:
    """Our variables, each checked, with ``*_FILE`` replaced by the secret that the file holds."""
    found: dict[str, str] = {}
    for variable, value in sorted(os.environ.items()):
        if not variable.startswith(PREFIX):
            continue
        path = variable.removeprefix(PREFIX).lower().split("__")
        if _annotation(model, path) is not None:
            found[variable.lower()] = value
            continue
        annotation = _annotation(model, [*path[:-1], path[-1].removesuffix("_file")])
        if not variable.endswith("_FILE") or not _is_secret(annotation):
            raise StartRefused(f"{variable} is not a setting.")
        text = _read_secret(variable, Path(value))
        several = get_origin(annotation) is list
        found[variable.lower().removesuffix("_file")] = json.dumps(text.split()) if several else text
    return found


def _annotation(model: type[BaseModel], path: Sequence[str]) -> Any:
    """The type of the setting at ``path``, or None if there is none."""
    annotation: Any = model
    for part in path:
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return None
        if part not in annotation.model_fields:
            return None
        annotation = annotation.model_fields[part].annotation
    return annotation


def _is_secret(annotation: Any) -> bool:
    return annotation is SecretStr or any(_is_secret(part) for part in get_args(annotation))


def _read_secret(variable: str, file: Path) -> str:
    try:
        if file.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH) and MOUNTED not in file.parents:
            raise StartRefused(f"{variable}: everybody can read {file}; chmod it to 0400.")
        return file.read_text().strip()
    except (OSError, UnicodeDecodeError):
        raise StartRefused(f"{variable}: {file} cannot be read.") from None
