"""What a person is told, by the code of an error, in each language: ``texts.toml``, the only place."""

import tomllib
from pathlib import Path
from typing import Final

from signaling.protocol.model import Message


class Sentence(Message):
    nl: str
    en: str
    de: str
    fr: str


CLIENTS_OWN: Final = {
    "offline": "There is no connection to the server.",
    "timeout": "The server did not answer in time.",
}
"""Codes for what only a client can know, with their meaning for programmers."""

TEXTS: Final = {
    code: Sentence.model_validate(texts)
    for code, texts in tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8")).items()
}
