"""The texts that come with the program (``texts.toml``), and which of all that there are count now.

A text that was once released stays in that file: who agreed to it can be shown what they read.
"""

import tomllib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Final, get_args

from practice.accounts.model import Language
from practice.agenda.model import Purpose
from practice.consents.model import AskedConsents, ConsentWording

LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)


def _read() -> tuple[ConsentWording, ...]:
    entries = tomllib.loads(Path(__file__).with_name("texts.toml").read_text(encoding="utf-8"))["text"]
    return tuple(
        ConsentWording(
            one["purpose"], language, " ".join(one[language].split()), datetime.combine(one["since"], time(), UTC)
        )
        for one in entries
        for language in LANGUAGES
    )


WRITTEN: Final = _read()
"""All that ever came with the program, the oldest first."""


def newest(texts: Iterable[ConsentWording]) -> dict[tuple[Purpose, Language], ConsentWording]:
    """Of each purpose and language the last, but for those that were taken back."""
    found = {(one.purpose, one.language): one for one in texts}
    return {key: one for key, one in found.items() if one.text}


def counting(house: AskedConsents | None) -> dict[tuple[Purpose, Language], ConsentWording]:
    """What is asked now, with what the organisation wrote itself."""
    return newest((*WRITTEN, *(house.texts if house else ())))


def current(texts: dict[tuple[Purpose, Language], ConsentWording]) -> dict[Purpose, set[str]]:
    """The versions that count; one in any language does."""
    found: dict[Purpose, set[str]] = {}
    for (purpose, _), one in texts.items():
        found.setdefault(purpose, set()).add(one.version)
    return found


def to_read(
    texts: dict[tuple[Purpose, Language], ConsentWording], purposes: Sequence[Purpose], language: Language
) -> list[ConsentWording]:
    """Of each purpose the text in this language, or in the first that there is one in."""
    order = (language, *(one for one in LANGUAGES if one != language))
    found = (next((texts[purpose, one] for one in order if (purpose, one) in texts), None) for purpose in purposes)
    return [one for one in found if one is not None]
