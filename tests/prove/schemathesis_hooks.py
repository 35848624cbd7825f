"""Loaded by schemathesis: every other call of a route that takes a secret has one that opens something."""

import json
import os
from itertools import count
from typing import Any

import schemathesis
from schemathesis import GenerationMode

SECRETS: dict[str, dict[str, str]] = json.loads(os.environ["PROVE_SECRETS"])
"""By path, the fields of a body."""

calls = count()


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: dict[str, Any]) -> None:
    """Only of calls that are right by the document; those that are wrong have to be refused as they are."""
    right = case.meta and case.meta.generation.mode == GenerationMode.POSITIVE and isinstance(case.body, dict)
    if right and case.operation.path in SECRETS and next(calls) % 2 == 0:
        case.body = case.body | SECRETS[case.operation.path]
