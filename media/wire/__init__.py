"""The formats on the wire: parsers and builders without sockets, clocks or state.

Every parser raises `WireError`, and nothing else, on input it cannot take.
"""


class WireError(ValueError):
    """Input that does not follow its format or exceeds a limit."""
