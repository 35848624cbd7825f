"""What is planned beyond one appointment: the same again, what became of it, and what is planned often."""

from typing import Annotated

from pydantic import Field

from signaling.protocol.model import Message
from signaling.protocol.moments import Day
from signaling.protocol.rest import Attendance, Language, Name, NewAppointment


class NewSeries(NewAppointment):
    """The same again every so many weeks, at the same time by the practice's clock; each has a link of its own."""

    weeks: Annotated[int, Field(ge=1, le=12)] = 1
    until: Day = Field(description="The last day; at most 53 appointments.")


class Attended(Message):
    """Whether an appointment that has begun was held, said by hand."""

    attended: Attendance


class PresetView(Message):
    """What somebody plans often, by the name that they gave it."""

    name: Name
    minutes: int
    language: Language


class PresetList(Message):
    presets: list[PresetView]
