"""Citizen numbers of four countries are found by their checks, and words of illness by a list of our own (S-13)."""

import pytest

from practice.doubts import MEDICAL, doubts

NUMBERS = {
    "citizen-nl": ["111222333", "1112.22.333", "123456782"],
    "citizen-be": ["85073003328", "85.07.30-033.28", "17073003384", "85473003317"],
    "citizen-de": ["36574261809", "36 574 261 809"],
    "citizen-fr": ["295109912611193", "2 95 10 99 126 111 93", "1 85 05 2A 004 045 37"],
}


@pytest.mark.duty("S-13")
@pytest.mark.parametrize(("doubt", "number"), [(doubt, one) for doubt, many in NUMBERS.items() for one in many])
def test_a_citizen_number_is_found_and_one_digit_beside_it_is_not(doubt: str, number: str) -> None:
    assert doubt in doubts(f"Mijn nummer is {number}, bel maar.")
    for last in range(10):
        other = number[:-1] + str(last)
        assert other == number or doubt not in doubts(other)
    assert doubts(f"x{number}") == doubts(f"{number}9876543") == frozenset(), "a part of something else"


@pytest.mark.parametrize(
    "text",
    [
        "", "Dinsdag niet.", "Bel 06 12345678 of +32 475 12 34 56 na 10:30.", "000000000", "2026-11-30 tot 2027-01-15",
        "AGB 01234567", "11111111111", "KvK 12345678, kamer 3", "Ik ben psycholoog en werk met kinderen.",
    ],
)  # fmt: skip
def test_what_people_write_of_themselves_is_not_doubted(text: str) -> None:
    assert doubts(text) == frozenset()


@pytest.mark.duty("S-13")
@pytest.mark.parametrize(
    "text",
    ["De DIAGNOSE volgt.", "patient is pregnant", "Die Depressionen kamen zurück", "sous médicaments", "burn-out."],
)
def test_words_of_illness_are_found_in_four_languages(text: str) -> None:
    assert doubts(text) == {"medical"}


def test_a_text_may_be_doubted_twice() -> None:
    assert doubts("111222333 is zwanger") == {"citizen-nl", "medical"}


def test_the_list_is_compared_as_it_is_written() -> None:
    assert {one for one in MEDICAL if one != one.casefold()} == set()
