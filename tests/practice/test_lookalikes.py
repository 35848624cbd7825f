"""Names that look the same, and words of letters that do not belong together."""

import pytest

from practice.lookalikes import ALIKE, mixes_scripts, skeleton


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Alice Visser", "\u0410lice Visser"),
        ("Alice Visser", "ALICE  VISSER."),
        ("Alice Visser", "Alíce Visser"),
        ("Praktijk Noord", "Praktijk N0ord"),
        ("Van Dam", "Van Darn"),
        ("COCA", "\u0421\u041e\u0421\u0410"),
        ("Ohm", "\u03bfhm"),
        ("Ill", "lll"),
        ("Noor", "\uff2eoor"),
    ],
)
def test_what_looks_the_same_is_the_same(one: str, other: str) -> None:
    assert skeleton(one) == skeleton(other)


@pytest.mark.parametrize(("one", "other"), [("Alice", "Alina"), ("Noord", "Zuid"), ("☺", "☹"), ("Мария", "Марина")])
def test_what_looks_otherwise_is_not(one: str, other: str) -> None:
    assert skeleton(one) != skeleton(other)


@pytest.mark.parametrize(
    ("text", "mixed"),
    [
        ("\u0410lice", True),
        ("Pr\u03b1ktijk Noord", True),
        ("\u041c\u0061\u0440\u0438\u044f", True),
        ("Alice Visser-d'Été, 2e", False),
        ("Мария Иванова (Maria)", False),
        ("محمد الأمين", False),
        ("山田たろう", False),
        ("東京Clinic", False),
        ("Αθηνά", False),
        ("", False),
    ],
)
def test_one_word_has_letters_of_one_script(text: str, mixed: bool) -> None:
    assert mixes_scripts(text) == mixed


def test_every_letter_of_the_list_is_none_of_ascii_and_looks_like_one() -> None:
    assert len(ALIKE) > 90
    for letter, like in ALIKE.items():
        assert not chr(letter).isascii() and isinstance(like, str) and like.isascii() and len(like) == 1
