#!/bin/sh
# pydantic 2 keeps the short strings of every JSON text that a model reads in a cache of the whole process, for as long as
# it lives: `cache_strings` is "all" unless a model says otherwise. What one message said is still there, alive and
# reachable, after the model and the text are gone; overwriting freed memory does not help. With
# `ConfigDict(cache_strings="keys")` values are not kept.
# How it is seen: the same value read twice is the same object, also when the first model was freed in between.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pydantic==2.14.3
"$folder/venv/bin/python" - <<'PYTHON'
import gc
import sys

import pydantic


class Kept(pydantic.BaseModel):
    name: str


class Forgotten(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(cache_strings="keys")
    name: str


def references(model: type[pydantic.BaseModel], name: str) -> int:
    """How many refer to the value that a model read, beside the model that holds it and our question."""
    one = model.model_validate_json('{"name": "%s"}' % name)
    value = one.name
    del one
    gc.collect()
    return sys.getrefcount(value) - 2


kept, forgotten = references(Kept, "Jan Jansen of room 4"), references(Forgotten, "Piet Pieters of room 5")
print(f"pydantic {pydantic.VERSION}: references left to a value after its model is gone:")
print(f"  as it comes: {kept}; with cache_strings='keys': {forgotten}")
sys.exit(0 if (kept, forgotten) == (1, 0) else 1)
PYTHON
