"""What commands open of what is stored."""

from contextlib import AbstractAsyncContextManager

from rooms.clock import utc_now
from rooms.retention import nobody_can_say
from rooms.settings import RoomsSettings
from rooms.store import Storage, open_storage


def beside(settings: RoomsSettings) -> AbstractAsyncContextManager[Storage]:
    """Storage beside a server that may be running on it, of whose consults a command knows nothing."""
    return open_storage(settings, in_progress=nobody_can_say, now=utc_now, exclusive=False)
