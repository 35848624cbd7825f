"""Numbers that text messages are sent to: mobile ones of the countries that the operator listed, as E.164.

Who makes a server text a paid service earns by it (*SMS pumping*): the country and the kind of number are asked before
anything is kept, and again before anything is sent (S-09).
"""

from collections.abc import Collection
from typing import Final, Literal

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType

from vault.errors import DomainError

Reason = Literal["number", "country", "paid", "mobile"]

MOBILE: Final = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)
PAID: Final = (PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST, PhoneNumberType.UAN)
MOST: Final = 40


class Untextable(DomainError):  # noqa: N818 -- a state, not a mistake
    """A number that gets no text messages: it is none, or of a country that is not listed, or of a paid service, or of
    no mobile telephone.
    """

    def __init__(self, reason: Reason) -> None:
        super().__init__("invalid", "phone")
        self.reason = reason


def mobile(typed: str, countries: Collection[str], home: str | None = None) -> str:
    """As it is dialled from anywhere: ``+31612345678``. ``home`` is the country of one that names none; without it the
    first of ``countries``. Errors: Untextable.
    """
    if len(typed) > MOST or "\n" in typed:
        raise Untextable("number")
    try:
        number = phonenumbers.parse(typed, home or next(iter(countries)))
    except NumberParseException:
        raise Untextable("number") from None
    if not phonenumbers.is_valid_number(number) or number.extension:
        raise Untextable("number")
    kind = phonenumbers.number_type(number)
    if kind in PAID:
        raise Untextable("paid")
    if phonenumbers.region_code_for_number(number) not in countries:
        raise Untextable("country")
    if kind not in MOBILE:
        raise Untextable("mobile")
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)
