"""Passwords that whoever guesses tries first."""

import sys

import pytest

from practice.accounts.common import is_common, the_list

ABOUT = ("Kim.deVries@example.org", "Dr. Kim de Vries")


@pytest.mark.parametrize(
    "password",
    [
        *("password", "PassWord", "iloveyou", "football", "12345678", " password ", "Password1!", "!!monkey99"),
        *("aaaaaaaa", "abababab", "kim.devries1", "KIM.DEVRIES@example.org", "dr. kim de vries", "\uff50assword"),
    ],
)
def test_what_many_use_or_names_its_owner_is_common(password: str) -> None:
    assert is_common(password, ABOUT)


@pytest.mark.parametrize(
    "password",
    [
        *("correct horse battery staple", "een rustige ochtend", "password of mine", "dragon12345678901234"),
        *("!#%&/()=?+", "8d1f0c7b2a", "wachtwoorden zijn lang", "naïeve-kikkers-7"),
    ],
)
def test_what_is_longer_or_at_random_is_not(password: str) -> None:
    assert not is_common(password, ABOUT)


def test_the_list_is_there_and_the_librarys_others_are_not_kept() -> None:
    assert len(the_list()) == 30_000
    assert "zxcvbn.frequency_lists" not in sys.modules
