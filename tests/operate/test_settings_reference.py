"""``docs/settings.md`` is made from the settings: ``python -m tests.operate.test_settings_reference`` writes it."""

from collections.abc import Iterator
from pathlib import PurePath
from typing import Any, get_args

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from operate.setting_names import PREFIX
from spreekkamer import Settings
from tests.ours import ROOT

FILE = ROOT / "docs" / "settings.md"
HEAD = """# Settings

Set them as environment variables, or in a TOML file that `--config` names (`[signaling]`, `port = 8080`); the variable
wins. Lists are JSON in a variable, or parts with commas between. What is empty is as if it were not there; `null` is no
value. A secret can also come from a file that only its owner may read: append `_FILE` to the name. An unknown key or
`SPREEKKAMER_*` variable refuses the start, but for what Kubernetes sets for a Service whose name begins with ours.
Special characters in the password of an address are percent-encoded (`#` is `%23`).

This page is made from the code by `python -m tests.operate.test_settings_reference`.
"""


def rows(model: type[BaseModel], path: tuple[str, ...] = ()) -> Iterator[tuple[str, FieldInfo]]:
    for name, field in model.model_fields.items():
        annotation = field.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield from rows(annotation, (*path, name))
        else:
            yield PREFIX + "__".join((*path, name)).upper(), field


def default(field: FieldInfo) -> str:
    if field.default_factory is not None:
        return "*computed*"
    value = field.get_default()
    if value is None or value == "" or value == []:
        return ""
    if isinstance(value, PurePath):
        return f"`{value}`"
    return f"`{str(value).lower()}`" if isinstance(value, bool) else f"`{value}`"


def is_secret(annotation: Any) -> bool:
    return annotation is SecretStr or any(is_secret(part) for part in get_args(annotation))


def page() -> str:
    parts = [HEAD]
    for folder, field in Settings.model_fields.items():
        parts.append(f"\n## {folder}\n\n| variable | default | meaning |\n|---|---|---|\n")
        model = field.annotation
        assert isinstance(model, type) and issubclass(model, BaseModel)
        for name, one in rows(model, (folder,)):
            meaning = (one.description or "").replace("|", "\\|").replace("<", "&lt;")
            secret = " *Secret.*" if is_secret(one.annotation) else ""
            parts.append(f"| `{name}` | {default(one)} | {meaning}{secret} |\n")
    return "".join(parts)


def test_the_page_says_what_the_code_says() -> None:
    assert FILE.read_text() == page(), "run: python -m tests.operate.test_settings_reference"


def test_every_setting_has_a_meaning() -> None:
    missing = [name for name, field in rows(Settings) if not field.description]
    assert missing == []


if __name__ == "__main__":
    FILE.write_text(page())
