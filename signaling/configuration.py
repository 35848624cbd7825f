"""Reading settings strictly: what is not known, also an unknown environment variable, refuses the start.

Later wins: defaults, the TOML file, environment variables. ``SPREEKKAMER_ROOMS__DATA=/srv`` sets ``rooms.data``; a
secret can also come from a file, as ``SPREEKKAMER_SIGNALING__SECRET_FILE=/run/secrets/signaling``.
"""

import os
import stat
import tomllib
from pathlib import Path
from typing import Any, Final, TypeVar, get_args

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

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
        return env_settings, init_settings


Model = TypeVar("Model", bound=StrictSettings)


def load(model: type[Model], file: Path | None = None) -> Model:
    """The settings from ``file`` and the environment; ``StartRefused`` with one sentence when anything is wrong."""
    values = _read(file) if file else {}
    for path, secret in _secrets_from_files(model).items():
        _put(values, path, secret)
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
        raise StartRefused(f"The settings file {file} can not be read.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise StartRefused(f"The settings file {file} is not TOML: {error}.") from None


def _secrets_from_files(model: type[BaseModel]) -> dict[tuple[str, ...], Any]:
    """Check every ``SPREEKKAMER_*`` variable and read those that name a secret's file."""
    found: dict[tuple[str, ...], Any] = {}
    for variable in sorted(os.environ):
        if not variable.startswith(PREFIX):
            continue
        path = tuple(variable.removeprefix(PREFIX).lower().split("__"))
        if _annotation(model, path) is not None:
            continue
        path = (*path[:-1], path[-1].removesuffix("_file"))
        annotation = _annotation(model, path) if variable.endswith("_FILE") else None
        if annotation is None or not _is_secret(annotation):
            raise StartRefused(f"{variable} is not a setting.")
        text = _read_secret(variable, Path(os.environ[variable]))
        found[path] = text if SecretStr in (annotation, *get_args(annotation)) else text.split()
    return found


def _annotation(model: type[BaseModel], path: tuple[str, ...]) -> Any:
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
        raise StartRefused(f"{variable}: {file} can not be read.") from None


def _put(values: dict[str, Any], path: tuple[str, ...], value: object) -> None:
    for part in path[:-1]:
        values = values.setdefault(part, {})
    values[path[-1]] = value
