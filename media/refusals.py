"""Why an offer, a line of it or a datagram is not taken: fixed codes, which say nothing of what stood in it.

So they may be sent, logged and counted. The protocol has a sentence for each of an offer
(`signaling.protocol.refusals`).
"""

from typing import Final, Literal

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

CheckRefusal = Literal["stun_malformed", "stun_unknown", "stun_forged", "stun_replayed", "stun_limited"]

DATAGRAMS: Final = (
    "unknown_source",
    "oversize",
    "malformed",
    "bad_tag",
    "replayed",
    "unbound",
    "stun_malformed",
    "stun_unknown",
    "stun_forged",
    "stun_replayed",
    "stun_limited",
    "rtcp_limited",
    "ssrc_limited",
    "errors",
)
"""Why datagrams are dropped: counters of a worker by these names."""
