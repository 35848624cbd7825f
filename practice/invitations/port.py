"""What the courier asks of a way by which a patient is told something. Each way is one ``Carrier``.

    class ByPigeon:
        way: Way = "sms"

        async def send(self, parcel: Parcel, begin: Begin) -> None:
            …                                   # connect, sign in, all that may fail before
            async with begin():                 # the last moment: Void is raised here where it is not to go any more
                await start_handing_over(…)     # the first byte from which it can arrive; nothing slow
            await rest()                        # NotTold where it did not go

Whoever does not call ``begin``, or does after its first byte, may tell somebody of an appointment that is destroyed.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Protocol

from practice.agenda.model import Appointment
from practice.invitations.model import Dispatch, Way
from practice.organisation.model import Profile

Begin = Callable[[], AbstractAsyncContextManager[None]]


class Void(Exception):  # noqa: N818 -- a state, not a mistake
    """It is not to go any more: destroyed, changed or taken over since."""


class NotTold(Exception):  # noqa: N818 -- a state, not a mistake
    """It did not go: at which step, a word of ours, and with which number of whoever was to take it, if there was one.

    ``final``: no other try goes better. ``alone``: that says nothing of what others are to be told.
    """

    def __init__(self, step: str, code: int | None = None, *, final: bool, alone: bool = False) -> None:
        super().__init__(step)
        self.step = step
        self.code = code
        self.final = final
        self.alone = alone


@dataclass(frozen=True, slots=True)
class Parcel:
    """All that one message is made of. ``to`` is the address, ``link`` the patient's; ``profile`` is the practice's.

    ``logo`` is a PNG, empty where the practice has none.
    """

    dispatch: Dispatch
    appointment: Appointment = field(repr=False)
    to: str = field(repr=False)
    link: str = field(repr=False)
    profile: Profile
    zone: tzinfo
    now: datetime
    logo: bytes = field(default=b"", repr=False)


class Carrier(Protocol):
    """One way."""

    @property
    def way(self) -> Way:
        """Which."""

    async def send(self, parcel: Parcel, begin: Begin) -> None:
        """It is somebody else's to deliver when this returns. Errors: Void, NotTold, DomainError."""
