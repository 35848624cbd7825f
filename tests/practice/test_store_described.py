"""What storage offers stands at its door, all of it and no more."""

import inspect
import re
import typing
from dataclasses import fields

import pytest

from practice import storage
from practice.storage import Store
from vault.vault import Vault

PART = re.compile(r"    store\.(\w+)")
CALL = re.compile(r"(?:^|;) *(\w+)\(([^)]*)\)")
SHORT = {"id"}
"""In the code it says whose."""


def described() -> dict[str, dict[str, list[str]]]:
    """Methods with their parameters, by part."""
    found: dict[str, dict[str, list[str]]] = {}
    part = ""
    for line in str(storage.__doc__).splitlines():
        if named := PART.fullmatch(line):
            part = named[1]
            found[part] = {}
        elif part and line.startswith(" " * 8):
            for name, parameters in CALL.findall(line.partition("#")[0].strip()):
                found[part][name] = [one.partition("=")[0].strip() for one in parameters.split(",") if one]
        elif line.strip():
            part = ""
    return found


def test_every_part_is_described() -> None:
    below = {one.name for one in fields(Vault)} - {"audit"}
    assert described().keys() == {one.name for one in fields(Store)} - below


@pytest.mark.parametrize("part", described())
def test_a_part_offers_what_is_said_of_it(part: str) -> None:
    offers = getattr(Store, part, None) or typing.get_type_hints(Store)[part]
    public = {name: one for name, one in inspect.getmembers(offers, inspect.isfunction) if not name.startswith("_")}
    said = described()[part]
    assert said.keys() == public.keys()
    for name, parameters in said.items():
        assert set(parameters) - SHORT <= inspect.signature(public[name]).parameters.keys(), name
