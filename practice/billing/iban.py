"""Numbers of bank accounts: ISO 13616 (IBAN), with the check of ISO 7064 MOD 97-10.

That a number is right does not say that there is such an account, nor whose it is.
"""

import re
from typing import Final

from vault.errors import DomainError

REGISTER: Final = """
AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24
FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32
LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24
RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30
"""
LENGTHS: Final = {one[:2]: int(one[2:]) for one in REGISTER.split()}
"""Characters of a number, by country: those that SWIFT, the registration authority, has registered."""

LONGEST: Final = 34
SHAPE: Final = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]+")
BETWEEN: Final = re.compile(r"[\s.\-\u2010-\u2015\u200b\u2060\u202a-\u202e\u2066-\u2069]+")
"""What people and programs put between the groups."""

FIRST_CHECK: Final = range(2, 99)
"""00, 01 and 99 pass the division too, and are no check digits (ISO 7064, 98 less a rest)."""


def iban(text: str) -> str:
    """A number without what stands between its groups. Errors: ``invalid``."""
    plain = BETWEEN.sub("", text).upper()
    if not SHAPE.fullmatch(plain) or LENGTHS.get(plain[:2]) != len(plain) or int(plain[2:4]) not in FIRST_CHECK:
        raise DomainError("invalid", "iban")
    digits = "".join(str(int(one, 36)) for one in plain[4:] + plain[:4])
    if int(digits) % 97 != 1:
        raise DomainError("invalid", "iban")
    return plain


def masked(number: str) -> str:
    """As it is shown to who only wants to know which one it is: the country and the last four."""
    return f"{number[:2]}** **** {number[-4:]}" if number else ""


def grouped(number: str) -> str:
    """As it stands on paper (ISO 13616, print format)."""
    return " ".join(number[start : start + 4] for start in range(0, len(number), 4))
