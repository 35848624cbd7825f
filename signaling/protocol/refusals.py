"""Why an offer or a line of it cannot be used, for whoever writes a client: fixed codes, a fixed sentence each."""

from typing import Final

OFFER_REASONS: Final[dict[str, str]] = {
    "not_sdp": "The text is not a session description with m-lines.",
    "too_large": "The description has more bytes, lines, m-lines, formats or SSRCs than are read.",
    "mid_twice": "Two m-lines have the same a=mid.",
    "ice": "There is no usable a=ice-ufrag and a=ice-pwd (RFC 8839).",
    "ice_lite": "The offer says a=ice-lite: the relay is lite too, so nobody would send checks.",
    "fingerprint": "There is no a=fingerprint of SHA-256, SHA-384 or SHA-512.",
    "dtls_role": "The relay takes the passive DTLS role: a=setup has to be actpass, active or absent.",
    "line_unknown": "`lines` names a mid that no m-line of the offer has.",
    "line_twice": "`lines` names the same mid twice.",
    "line_kind": "A line is of another kind than its use: a microphone is audio, a camera and a screen are video.",
    "line_direction": "A source needs an m-line that sends, a slot and the stage one that receives.",
    "source_twice": "Two lines are for the same source.",
    "slot_number": "A slot needs a number from 0 to 63, and only a slot has one.",
    "slot_twice": "Two lines of a kind are for the same slot, or two for the stage.",
    "nothing_usable": "None of the m-lines can be used, for more than one reason.",
}
"""Why an offer is refused with ``sdp_invalid``; nothing changed then. Those of lines are possible too."""

LINE_REASONS: Final[dict[str, str]] = {
    "mid": "The m-line has no a=mid, or one that is not a token of 64 characters at most (RFC 5888).",
    "kind": "The m-line is neither audio nor video.",
    "profile": "The profile is none of RTP with or without DTLS-SRTP (RFC 8829, 5.1.2).",
    "codec": "The m-line does not offer Opus (opus/48000) for sound, VP8 (VP8/90000) for pictures.",
    "bundle": "The m-line is not in the BUNDLE group of the others: the relay has one port and one DTLS association.",
    "stopped": "The m-line was offered with port 0, so it is closed.",
    "unused": "`lines` does not say what the m-line is for.",
}
"""Why an m-line was answered with port 0. If all were, for one reason, the offer was refused with it."""
