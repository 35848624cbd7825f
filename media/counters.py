"""What happened to packets, for metrics."""

from dataclasses import dataclass

from media.dtls import REPLAYED


@dataclass(slots=True)
class Counters:
    """Shared by all peers of a worker.

    Attributes:
        received: datagrams and framed packets of any kind.
        forwarded, resent: to subscribers that have left; those of the others are counted where they are.
        authentication_failed, replayed: what libsrtp refused.
        unbound: authentic, but of no announced line.
        foreign: from an address that passed no check, or of no known protocol.
        stun_refused: checks that were malformed, not authentic, of nobody, or too many.
        errors: exceptions in the packet loop.
    """

    received: int = 0
    forwarded: int = 0
    resent: int = 0
    authentication_failed: int = 0
    replayed: int = 0
    malformed: int = 0
    unbound: int = 0
    foreign: int = 0
    stun_refused: int = 0
    rtcp_limited: int = 0
    ssrc_limited: int = 0
    errors: int = 0

    def refused(self, result: int) -> None:
        """libsrtp did not take a packet."""
        if result in REPLAYED:
            self.replayed += 1
        else:
            self.authentication_failed += 1
