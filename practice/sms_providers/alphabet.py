"""What a text message may hold: the GSM 7-bit default alphabet (3GPP TS 23.038, 6.2.1), and how many parts it takes.

A message with one sign that is not in it goes as UCS-2, in parts of less than half as many signs; each part is paid.
"""

import unicodedata
from typing import Final

BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED: Final = frozenset("^{}\\[~]|€\f")
"""Each takes the place of two (6.2.1.1)."""

LIKE: Final = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u00ab\u00bb", '"'),
        **dict.fromkeys("\u2010\u2011\u2013\u2014", "-"),
        **dict.fromkeys("\u00a0\u2009\u202f", " "),
        "\u2026": "...",
    }
)
SEPTETS, SEPTETS_OF_PART = 160, 153
UNITS, UNITS_OF_PART = 70, 67
"""Of a message in one part, and of each of several, whose header says which it is (3GPP TS 23.040, 9.2.3.24.1)."""


def plain(text: str) -> str:
    """The same with signs of the alphabet where one looks alike: ``août`` as ``aout``. Others stay as they are."""
    return "".join(map(_plain, text.translate(LIKE)))


def parts(text: str) -> int:
    """How many parts it goes in."""
    if all(one in BASIC or one in EXTENDED for one in text):
        return _parts(len(text) + sum(one in EXTENDED for one in text), SEPTETS, SEPTETS_OF_PART)
    return _parts(len(text.encode("utf-16-be")) // 2, UNITS, UNITS_OF_PART)


def _plain(sign: str) -> str:
    if sign in BASIC or sign in EXTENDED:
        return sign
    bare = "".join(one for one in unicodedata.normalize("NFKD", sign) if not unicodedata.combining(one))
    return bare if bare and all(one in BASIC for one in bare) else sign


def _parts(length: int, alone: int, each: int) -> int:
    return 1 if length <= alone else -(-length // each)
