"""What each way to an appointment says of it."""

from collections.abc import Awaitable
from datetime import UTC, datetime

from hypothesis import strategies as st

from practice.accounts.model import RETENTION
from practice.agenda.model import Appointment
from practice.storage import Store
from tests.opening import of
from tests.people import START
from vault.errors import DomainError
from vault.records.scope import Scope

DAY = START.date()
SETTINGS = st.sampled_from(sorted(RETENTION))
moments = st.datetimes(datetime(2027, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 -- Hypothesis adds the zone

GIVEN = ["given"] * 4
REFUSED = ["gone", "gone", "nothing", "nothing"]


async def refusals(store: Store, planned: Appointment) -> list[str]:
    """What each read path says."""

    async def attempt(call: Awaitable[object]) -> str:
        try:
            found = await call
        except DomainError as error:
            return error.code
        return "nothing" if not found else "given"

    return [
        await attempt(store.appointments.get(of(planned.owner), planned.id)),
        await attempt(store.appointments.get(Scope.guest(planned.id), planned.id)),
        await attempt(store.appointments.by_link(Scope.guest(planned.id), planned.secret)),
        await attempt(store.appointments.list(of(planned.owner), DAY, DAY)),
    ]
