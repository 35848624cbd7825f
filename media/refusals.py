"""Why an offer, or a line of it, can't be used: fixed codes, which say nothing of what stood in it.

So they may be sent and logged. The protocol has a sentence for each (`signaling.protocol.refusals`).
"""

from typing import Literal

OfferReason = Literal[
    "not_sdp",
    "too_large",
    "mid_twice",
    "ice",
    "ice_lite",
    "fingerprint",
    "dtls_role",
    "line_unknown",
    "line_twice",
    "line_kind",
    "line_direction",
    "source_twice",
    "slot_number",
    "slot_twice",
    "nothing_usable",
]
"""An offer that is refused as a whole; nothing changes."""

LineReason = Literal["mid", "kind", "profile", "codec", "bundle", "stopped", "unused"]
"""A line that is answered with port 0; the others go on. Where no line is left, the offer is refused, for the reason
that all have in common.
"""

Reason = OfferReason | LineReason
