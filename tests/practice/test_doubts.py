"""Citizen numbers of four countries are found by their checks, and words of illness by a list of our own (S-13)."""

from collections.abc import Callable

import pytest

from practice.doubts import MEDICAL, doubts, is_belgian, is_dutch, is_french, is_german

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


def belgian(body: str, century: str = "") -> str:
    """Nine digits with the check of who was born in that century."""
    return f"{body}{97 - int(century + body) % 97:02}"


@pytest.mark.parametrize(
    ("body", "right"),
    [
        ("851231033", True), ("851331033", False), ("851232033", False), ("850000033", True), ("852131033", True),
        ("853231033", True), ("853331033", False), ("855231033", True), ("855331033", False), ("856001033", False),
        ("857201033", False),
    ],
)  # fmt: skip
def test_a_belgian_one_has_a_birth_in_it(body: str, right: bool) -> None:
    """Of a BIS number the month is 20 or 40 more."""
    assert is_belgian(belgian(body)) == right


def test_a_belgian_one_may_be_of_this_century_where_that_was_lived() -> None:
    assert [is_belgian(belgian(f"{year}0730033", "2")) for year in (49, 50)] == [True, False]
    assert [is_belgian(belgian(f"{year}0730033")) for year in (49, 50)] == [True, True]


def french(body: str) -> str:
    """Thirteen characters with their key."""
    plain = body.replace("2A", "19").replace("2B", "18")
    return f"{body}{97 - int(plain) % 97:02}"


@pytest.mark.parametrize(
    ("month", "right"),
    [
        ("00", False), ("01", True), ("12", True), ("13", False), ("19", False), ("20", True), ("42", True),
        ("43", False), ("49", False), ("50", True), ("99", True),
    ],
)  # fmt: skip
def test_a_french_one_has_a_month_or_says_that_it_is_not_known(month: str, right: bool) -> None:
    assert is_french(french(f"185{month}59004045")) == right


@pytest.mark.parametrize(
    ("body", "right"),
    [(f"{sex}850559004045", sex in "123478") for sex in "0123456789"]
    + [("185052A004045", True), ("185052B004045", True), ("185052C004045", False)],
)
def test_a_french_one_begins_with_a_sex_and_knows_corsica(body: str, right: bool) -> None:
    assert is_french(french(body.replace("2C", "2A")).replace("2A", "2C") if "2C" in body else french(body)) == right


def german(body: str) -> str:
    """Ten digits with their check (ISO 7064 MOD 11,10)."""
    return next(f"{body}{last}" for last in range(10) if iso_7064(f"{body}{last}"))


def iso_7064(number: str) -> bool:
    """By the standard's own words: the rest of the last sum is 1."""
    rest = 10
    for digit in number[:-1]:
        rest = ((rest + int(digit)) % 10 or 10) * 2 % 11
    return (rest + int(number[-1])) % 10 == 1


@pytest.mark.parametrize(
    ("body", "right"),
    [
        ("1234567899", True), ("1234567999", True), ("1234569999", False), ("1123456799", False),
        ("1234567890", False), ("0123456788", False), ("1111111111", False), ("1112345599", False),
    ],
)  # fmt: skip
def test_a_german_one_has_one_digit_twice_or_thrice(body: str, right: bool) -> None:
    assert is_german(german(body)) == right


@pytest.mark.parametrize("check", [is_dutch, is_belgian, is_german, is_french])
def test_one_that_is_longer_shorter_or_of_other_signs_is_none(check: Callable[[str], bool]) -> None:
    rights = ["111222333", "85073003328", "36574261809", "295109912611193", "185052A00404537"]
    for right in rights:
        for other in (right[:-1], f"{right}0", f"0{right}", f"{right[:-1]}A", f"A{right[1:]}", "", "0" * len(right)):
            assert not check(other)
    assert sum(map(check, rights)) == (2 if check is is_french else 1)


MRZ = [
    "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10",
    "I<UTOD231458907<<<<<<<<<<<<<<<",
    "7408122F1204159UTO<<<<<<<<<<<6",
    "i<utoeriksson<<anna<maria<<<<<<<<<<<",
    "L898902C36UTO 7408122F1204159 ZE184226B<<<<<10",
]
"""The specimens of ICAO 9303: nobody's."""


@pytest.mark.duty("S-48")
@pytest.mark.parametrize("text", MRZ)
def test_the_lines_of_a_document_that_machines_read_are_found(text: str) -> None:
    assert doubts(f"This is me:\n{text}\nThank you") == {"mrz"}


@pytest.mark.parametrize(
    "text", ["<<<", "a << b", "<" * 60, "<<" + "A" * 10, "https://example.org/" + "a" * 60, "if (x << 3) return y;"]
)
def test_what_is_no_line_of_a_document_is_not(text: str) -> None:
    assert "mrz" not in doubts(text)
