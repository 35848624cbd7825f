"""Names that are written otherwise and look the same: to tell them apart takes more than a look (UTS 39).

What is compared is not shown to anybody. It is stricter than letters are: a capital i, an l and a 1 are one.
"""

import re
import unicodedata
from pathlib import Path
from typing import Final

_lines = Path(__file__).with_name("lookalikes.txt").read_text("utf-8").splitlines()
ALIKE: Final = str.maketrans(dict(line.split(" ") for line in _lines if line and not line.startswith("#")))
"""Letters that look like one of ASCII."""

PAIRS: Final = (("rn", "m"), ("vv", "w"), ("cl", "d"))
SAME: Final = str.maketrans("i1|05", "lll" + "os")
WORDS: Final = re.compile(r"[^\W\d_]+")

EAST_ASIAN: Final = frozenset({"CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO"})
"""Scripts that are written together, and with Latin (UTS 39, 5.2, *highly restrictive*)."""

NO_SCRIPT: Final = frozenset({"MODIFIER", "FEMININE", "MASCULINE", "MICRO"})
"""First words of the names of letters that stand in any script."""


def skeleton(text: str) -> str:
    """The same for all that look like this: without marks, spaces, punctuation and capitals."""
    bare = "".join(one for one in unicodedata.normalize("NFKD", text) if unicodedata.category(one)[0] in "LN|")
    folded = bare.translate(ALIKE).casefold().translate(SAME)
    for several, one in PAIRS:
        folded = folded.replace(several, one)
    return folded or text.casefold()


def mixes_scripts(text: str) -> bool:
    """Whether letters of several scripts stand in one word, as a Cyrillic letter in a Latin one."""
    return any(len(_scripts(word)) > 1 for word in WORDS.findall(unicodedata.normalize("NFKC", text)))


def _scripts(word: str) -> frozenset[str]:
    names = {unicodedata.name(one, "").partition(" ")[0] for one in word} - NO_SCRIPT
    scripts = frozenset("EAST ASIAN" if one in EAST_ASIAN else one for one in names)
    return frozenset() if scripts == {"EAST ASIAN", "LATIN"} else scripts
