"""Packets that have padding and nothing else, to see what a line takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from media.net.arena import SLOT
from media.session.dtls import length_p, protect
from media.wire.rtp import EXTENDED, HEADER, HEADER_WITH_SEND_TIME, ONE_BYTE_FORM, PADDED, PLAIN

if TYPE_CHECKING:
    from media.session.transport import Transport

_PADDING = bytes(254) + b"\xff"


def queue_padding(transport: Transport, header: tuple[int, int, int, int], send_time: int | None) -> bool:
    """Protect and queue one. It carries abs-send-time, so that its receiver's own estimate takes it in.

    Args:
        header: payload type, sequence number, timestamp, SSRC.
        send_time: the whole element of the header extension; None where none was agreed on.
    """
    outbox = transport.outbox
    base = outbox.count * SLOT
    if send_time is None:
        HEADER.pack_into(outbox.view, base, PLAIN | PADDED, *header)
        start = base + HEADER.size
    else:
        fields = (*header, ONE_BYTE_FORM, 1, send_time)
        HEADER_WITH_SEND_TIME.pack_into(outbox.view, base, EXTENDED | PADDED, *fields)
        start = base + HEADER_WITH_SEND_TIME.size
    outbox.buffer[start : start + len(_PADDING)] = _PADDING
    length_p[0] = start + len(_PADDING) - base
    if protect(transport.srtp_out, outbox.pointers[outbox.count], length_p):
        transport.failed += 1
        return False
    outbox.queue(transport.destination, length_p[0])
    return True
