"""Moments and days on the wire: RFC 3339 with an offset, ISO 8601."""

import re
from datetime import date, datetime
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)", re.ASCII)
DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def _moment(text: str) -> str:
    if not MOMENT.fullmatch(text):
        raise ValueError("not a moment with an offset")
    datetime.fromisoformat(text)
    return text


def _day(text: str) -> str:
    if not DAY.fullmatch(text):
        raise ValueError("not a day")
    date.fromisoformat(text)
    return text


Moment = Annotated[str, AfterValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"})]
Day = Annotated[str, AfterValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
