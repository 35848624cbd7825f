"""A name is something that can be seen, in one line, in whatever script."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as some

from practice.names import named, readable
from vault.errors import DomainError

NAMES = [
    "Jan",
    "J",
    "李",
    "محمد",
    "\u0646\u06cc\u0645\u200c\u0641\u0627\u0635\u0644\u0647",
    "שרה כהן",
    "O'Brien <script>",
    "Zoë-Anne 3",
    "👩\u200d👩\u200d👧",
    "\u202eevil",
    "é" * 200,
    "?",
    "ㄱ",
]
UNSEEN = [
    "",
    " ",
    "\u00a0\u2003",
    "\u200b",
    "\u200e\u200f",
    "\u2066\u2069",
    "\ufeff\u2060",
    "\u00ad",
    "\u3164",
    "\u115f\u1160",
    "\uffa0",
    "\u2800",
    "\ufffc",
    "\U0001d159",
    "\u0301",
    "\ufe0f",
    "\U000e0061",
    "\u180e",
]
BROKEN = [
    f"a{one}b" for one in ("\0", "\t", "\n", "\r\n", "\x1b[31m", "\x7f", "\x85", "\u2028", "\u2029", "\ud800", "\x9b")
]


@pytest.mark.parametrize("name", NAMES)
def test_what_people_are_called_is_a_name(name: str) -> None:
    assert readable(f"  {name}\u3000") == name


@pytest.mark.parametrize("name", [*UNSEEN, *BROKEN])
def test_what_shows_nothing_or_breaks_the_line_is_none(name: str) -> None:
    with pytest.raises(ValueError, match=r"name|seen"):
        readable(name)


@given(some.text(max_size=8))
def test_a_name_is_always_one_line_with_something_in_it(text: str) -> None:
    try:
        name = readable(text)
    except ValueError:
        return
    assert name == name.strip() and len(name.splitlines()) == 1
    assert any(unicodedata.category(one)[0] in "LNPS" for one in name)


def test_every_character_alone_is_judged_without_a_fault() -> None:
    for code in range(0, sys.maxunicode + 1, 7):
        try:
            readable(chr(code))
        except ValueError:
            continue


def test_a_field_has_a_name_up_to_its_length_or_says_so() -> None:
    assert named(" Noor ", "name", 4) == "Noor"
    for text in ("Noor!", "\u200b", "a\nb"):
        with pytest.raises(DomainError, check=lambda error: (error.code, error.field) == ("invalid", "name")):
            named(text, "name", 4)
