"""Numbers that text messages are sent to: mobile ones of the countries that the operator listed, as E.164.

Who makes a server text a paid service earns by it (*SMS pumping*): the country and the kind of number are asked before
anything is kept, and again before anything is sent (S-09).
"""

from collections.abc import Collection
from typing import Final, Literal

from vault.errors import DomainError

Reason = Literal["number", "country", "paid", "mobile", "provider"]
"""``provider``: whoever is to send has none."""

MOST: Final = 40


class Untextable(DomainError):  # noqa: N818 -- a state, not a mistake
    """A number that gets no text messages: it is none, or of a country that is not listed, or of a paid service, or of
    no mobile telephone; or nobody sends to it.
    """

    def __init__(self, reason: Reason) -> None:
        super().__init__("invalid", "phone")
        self.reason = reason


def mobile(typed: str, countries: Collection[str], home: str | None = None) -> str:
    """As it is dialled from anywhere: ``+31612345678``. ``home`` is the country of one that names none; without it the
    first of ``countries``. Errors: Untextable.
    """
    import phonenumbers  # not at each start, which it would slow down
    from phonenumbers import PhoneNumberType as Type

    if len(typed) > MOST or "\n" in typed:
        raise Untextable("number")
    try:
        number = phonenumbers.parse(typed, home or next(iter(countries)))
    except phonenumbers.NumberParseException:
        raise Untextable("number") from None
    if not phonenumbers.is_valid_number(number) or number.extension:
        raise Untextable("number")
    kind = phonenumbers.number_type(number)
    if kind in (Type.PREMIUM_RATE, Type.SHARED_COST, Type.UAN):
        raise Untextable("paid")
    if phonenumbers.region_code_for_number(number) not in countries:
        raise Untextable("country")
    if kind not in (Type.MOBILE, Type.FIXED_LINE_OR_MOBILE):
        raise Untextable("mobile")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
