"""The other way in which a form is sent: ``multipart/form-data`` (RFC 7578), of which our forms need little.

A body is taken apart as our own forms make it, in browsers: each part has a name, at most one of them is a file,
nothing is encoded once more. What a file is called and what its sender says it is are not read: neither can
be believed.
"""

import re
from collections.abc import Iterator
from typing import Final

from aiohttp.helpers import parse_mimetype

from signaling.protocol.errors import ProtocolError

TYPE: Final = "multipart/form-data"
SECONDS: Final = 60.0
BESIDE: Final = 16_384
"""Bytes for all that is not the file."""
MOST_PARTS: Final = 20

NAME: Final = re.compile(rb'\r\ncontent-disposition: *form-data; *name="([a-z_]{1,64})"(?:;|\r\n|$)', re.IGNORECASE)
NEWLINE: Final = b"\r\n"


def parts(body: bytes, content_type: str) -> Iterator[tuple[str, bytes]]:
    """Names and what they hold, in their order. Errors: ``invalid``."""
    boundary = parse_mimetype(content_type).parameters.get("boundary", "").encode("utf-8", "replace")
    if not 0 < len(boundary) <= 70:
        raise ProtocolError("invalid")
    begin, *found = (NEWLINE + body).split(NEWLINE + b"--" + boundary, MOST_PARTS + 1)
    if begin or not found or found.pop().rstrip(NEWLINE) != b"--":
        raise ProtocolError("invalid")
    for one in found:
        head, there, data = one.partition(NEWLINE * 2)
        name = NAME.search(head)
        if not there or name is None:
            raise ProtocolError("invalid")
        yield name[1].decode(), data
