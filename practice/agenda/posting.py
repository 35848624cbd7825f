"""What the agenda asks of whoever tells patients of their appointments (``practice.invitations``)."""

from typing import Protocol

from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncConnection

from practice.agenda.model import Appointment
from vault.destruction.handing import Keyed


class Post(Protocol):
    """Told of every change of an appointment, inside its transaction, with the appointment's key."""

    @property
    def unopened(self) -> ColumnElement[bool]:
        """Of a row of an appointment: whether its patient was sent something since whose link nobody opened."""

    async def demand(self, owner: str, mail: str | None, phone: str | None) -> tuple[str | None, str | None]:
        """An address as mail servers take it and a number as E.164, of the owner's patient; what is empty stays so.

        Errors: ``invalid``, also where nothing is sent so.
        """

    async def follow(
        self, connection: AsyncConnection, key: bytes, after: Appointment, *, again: bool = False
    ) -> Appointment:
        """Write down what is to be told now that the appointment is so; the appointment as it is then.

        ``again``: in any case.
        """

    async def carry(self, connection: AsyncConnection, before: Keyed, after: Keyed) -> None:
        """An appointment becomes another's: what was written of it goes along."""

    def hurry(self) -> None:
        """What was written is on disk."""
