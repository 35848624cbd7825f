"""The formats on the wire: parsers and builders without sockets, clocks or state.

Every parser raises `WireError`, and nothing else, on input it cannot take.

``rtp`` and ``rtcp`` are the packets, ``vp8`` and ``trailer`` what stands at the beginning and the end of a frame,
``stun`` what tells whose an address is, ``sdp`` what is offered and answered.
"""


class WireError(ValueError):
    """Input that does not follow its format or exceeds a limit."""
