"""Passwords that whoever guesses tries first: those of a list that comes with a library, and who somebody is.

The list is of the most used ones and is looked at offline; it does not know what was stolen elsewhere.
"""

import sys
import unicodedata
from collections.abc import Iterable
from functools import cache

FEWEST = 4
"""Different characters."""

AROUND = "0123456789 !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
ADDED = 4
"""As many digits and signs around a common one make it no better."""


def is_common(password: str, about: Iterable[str] = ()) -> bool:
    """Whether it is one of the most used, little more than one, or one of the words ``about`` its owner."""
    words = folded(password)
    if len(set(words)) < FEWEST:
        return True
    bare = words.strip(AROUND)
    known = the_list() | {one for text in about for one in (folded(text), *folded(text).split("@")[:1]) if one}
    return words in known or (bool(bare) and len(words) - len(bare) <= ADDED and bare in known)


def folded(text: str) -> str:
    """As it is compared."""
    return unicodedata.normalize("NFKC", text).strip().casefold()


@cache
def the_list() -> frozenset[str]:
    """Read at the first change of a password; the library's other lists are not kept."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    found = frozenset(FREQUENCY_LISTS["passwords"])
    sys.modules.pop("zxcvbn.frequency_lists", None)
    return found
