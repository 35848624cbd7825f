"""What a person typed as a name: something to be seen, in one line."""

import unicodedata

from vault.errors import DomainError

UNPRINTED = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Control characters, halves of characters, and what ends a line or a paragraph."""

SEEN = frozenset("LNPS")
"""Letters, numbers, punctuation and symbols; marks and what only forms or spaces are seen beside one of these."""

BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0\ufffc\U0001d159")
"""Letters and symbols that are drawn as nothing: Hangul fillers, the empty Braille cell, a null note, and what stands
for an object that is not there."""


def readable(text: str) -> str:
    """The name without the space around it. ValueError if it breaks the line or shows nothing.

    Marks of direction stay: whoever shows a name isolates it (UAX 9, 2.5).
    """
    text = text.strip()
    if any(unicodedata.category(one) in UNPRINTED for one in text):
        raise ValueError("a character that cannot stand in a name")
    if not any(unicodedata.category(one)[0] in SEEN and one not in BLANK for one in text):
        raise ValueError("nothing to be seen")
    return text


def named(text: str, field: str, most: int) -> str:
    """The same for a field of at most so many characters. Errors: ``invalid``, with the field."""
    try:
        name = readable(text)
    except ValueError:
        raise DomainError("invalid", field) from None
    if len(name) > most:
        raise DomainError("invalid", field)
    return name


def written(text: str, field: str, most: int) -> str:
    """What somebody wrote in lines, of at most so many characters: each line by itself, as what a field of several
    lines sends ends them with CR and LF. Nothing but space is nothing. Errors: ``invalid``, with the field.
    """
    lines = [line.strip() for line in text.strip().splitlines()]
    found = "\n".join(named(line, field, most) if line else "" for line in lines)
    if len(found) > most:
        raise DomainError("invalid", field)
    return found
