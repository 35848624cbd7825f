"""What the parts of this package raise."""

from media.refusals import Reason
from media.wire import WireError


class OfferError(WireError):
    """An offer that cannot be used, for one of the fixed reasons; nothing of the offer is in it."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason
