"""What should seldom stand in a text about oneself: a citizen number, words of somebody's illness (S-13), or the lines
of an identity document that machines read (S-48).

A finding is a doubt, never a refusal: a number may be another one, and a word meant otherwise. Nobody but who typed it
is told, and nothing of it is kept.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final, Literal, get_args

Doubt = Literal["citizen-nl", "citizen-be", "citizen-de", "citizen-fr", "medical", "mrz"]
DOUBTS: Final[tuple[Doubt, ...]] = get_args(Doubt)

DIGITS: Final = r"[0-9](?:[ ./\-\u00a0\u202f]?[0-9]){8,14}"
NUMBER: Final = re.compile(
    rf"(?<![\w+])(?:{DIGITS}|[1-478][ .]?[0-9]{{2}}[ .]?[0-9]{{2}}[ .]?2[AB](?:[ .]?[0-9]){{8}})(?!\w)"
)
"""Digits as people group them; the second is a French number of who was born on Corsica. What a plus stands before is
a telephone number.
"""
BETWEEN: Final = re.compile(r"[^0-9AB]")

WORDS: Final = """
    aandoening antidepressiva behandelplan bipolair bloeddruk burn-out chemotherapie dementie depressie depressief
    diabetes diagnose dossiernummer epilepsie hartfalen herseninfarct hiv insuline kanker medicatie medicijn
    medicijnen patiënte patiëntnummer psychose suïcidaal suïcide symptomen uitzaaiingen verslaafd verslaving zwanger
    zwangerschap ziektebeeld

    addiction antidepressants bipolar cancer chemotherapy dementia depressed depression diagnosed diagnosis epilepsy
    illness insulin medication medications metastases miscarriage overdose pregnancy pregnant prescription psychosis
    schizophrenia suicidal suicide symptoms

    abhängigkeit blutdruck chemotherapie demenz depression depressionen depressiv diagnose diagnosen epilepsie
    erkrankung fehlgeburt herzinfarkt insulin krankheit krebs medikament medikamente metastasen psychose
    schlaganfall schizophrenie schwanger schwangerschaft selbstmord suizid suizidal symptome

    avc cancer chimiothérapie démence dépendance dépressif dépression dépressive diabète diagnostic enceinte épilepsie
    grossesse insuline maladie médicament médicaments métastases ordonnance psychose schizophrénie séropositif
    suicidaire suicide symptômes toxicomanie vih
"""
MEDICAL: Final = frozenset(WORDS.split())
"""Our own, of the four languages at once, for people mix them: what is seldom said of one's own work."""

THIS_CENTURY: Final = 50
"""Years of birth below it may be of the 21st."""

MRZ: Final = re.compile(r"(?<![A-Z0-9<])[A-Z0-9<]{28,46}(?![A-Z0-9<])")
"""A line of two or three on a document (ICAO 9303, parts 4 to 6): of 30, 36 or 44 characters, as people copy them."""
FILLED: Final = "<<"

WORD: Final = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")


def doubts(text: str) -> frozenset[Doubt]:
    """What it seems to hold."""
    found: set[Doubt] = {one for match in NUMBER.finditer(text) for one in _whose(BETWEEN.sub("", match[0]))}
    if not MEDICAL.isdisjoint(match[0] for match in WORD.finditer(text.casefold())):
        found.add("medical")
    lines = (re.sub(r"\s", "", line) for line in text.upper().splitlines())
    if any(FILLED in match[0] for line in lines for match in MRZ.finditer(line)):
        found.add("mrz")
    return frozenset(found)


def _whose(number: str) -> list[Doubt]:
    return [country for country, check in CHECKS.items() if check(number)]


def is_dutch(number: str) -> bool:
    """A *burgerservicenummer*: nine digits that pass the eleven test, with -1 as the last weight."""
    if len(number) != 9 or not number.isdecimal() or number == "0" * 9:
        return False
    weighed: int = sum(weight * int(digit) for weight, digit in zip((*range(9, 1, -1), -1), number, strict=True))
    return weighed % 11 == 0


def is_belgian(number: str) -> bool:
    """A *rijksregisternummer*: birth (of a BIS number the month 20 or 40 more), a counter, 97 less the rest by 97.

    Who was born from 2000 on has a 2 before the nine digits that are divided.
    """
    if len(number) != 11 or not number.isdecimal():
        return False
    month, day, check = int(number[2:4]), int(number[4:6]), int(number[9:])
    is_birth = (month % 20 <= 12) and month < 60 and day <= 31
    centuries = ("", "2") if int(number[:2]) < THIS_CENTURY else ("",)
    return is_birth and check in {97 - int(century + number[:9]) % 97 for century in centuries}


def is_german(number: str) -> bool:
    """A *steuerliche Identifikationsnummer* (AO 139b): ISO 7064 MOD 11,10; of ten digits one stands there two or three
    times, and no other more than once.
    """
    if len(number) != 11 or not number.isdecimal() or number[0] == "0":
        return False
    times = sorted(number[:10].count(digit) for digit in set(number[:10]))
    if times[-1] not in (2, 3) or times[-2] > 1:
        return False
    product = 10
    for digit in number[:10]:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return (11 - product) % 10 == int(number[10])


def is_french(number: str) -> bool:
    """A *numéro de sécurité sociale* (NIR): sex, year and month of birth, place, order, and a key of 97."""
    plain = number.replace("2A", "19", 1).replace("2B", "18", 1) if number[5:7] in ("2A", "2B") else number
    if len(plain) != 15 or not plain.isdecimal() or plain[0] not in "123478":
        return False
    month = int(plain[3:5])
    is_month = 1 <= month <= 12 or 20 <= month <= 42 or month >= 50
    return is_month and int(plain[13:]) == 97 - int(plain[:13]) % 97


CHECKS: Final[Mapping[Doubt, Callable[[str], bool]]] = {
    "citizen-nl": is_dutch,
    "citizen-be": is_belgian,
    "citizen-de": is_german,
    "citizen-fr": is_french,
}
